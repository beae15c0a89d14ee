// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * refused: the verifier refuses it, for the commonest of beginners' mistakes: the result of a map
 * lookup is used without a look at whether it is NULL.
 */
#include "scx.h"
#include "declare.h"
#include "exit_record.h"

char _license[] SEC("license") = "GPL";

ABOUT("a scheduler that the verifier refuses", "seeing what a refusal looks like");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, u32);
	__type(value, u64);
} wakeups SEC(".maps");

void BPF_STRUCT_OPS(refused_enqueue, struct task_struct *p, u64 enq_flags)
{
	u32 pid = p->pid;
	u64 *count = bpf_map_lookup_elem(&wakeups, &pid);

	*count += 1;
	scx_bpf_dsq_insert(p, SCX_DSQ_GLOBAL, SCX_SLICE_DFL, enq_flags);
}

void BPF_STRUCT_OPS(refused_exit, struct scx_exit_info *ei)
{
	EXIT_RECORD(ei);
}

SEC(".struct_ops.link")
struct sched_ext_ops refused = {
	.enqueue = (void *)refused_enqueue,
	.exit = (void *)refused_exit,
	.timeout_ms = 5000,
	.name = "refused",
};
