// SPDX-License-Identifier: GPL-2.0-or-later
/* refused_counter: a loop counter whose address is passed, so that the verifier forgets its value. */
#include "scx.h"

char _license[] SEC("license") = "GPL";

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 64);
	__type(key, u32);
	__type(value, u64);
} seen SEC(".maps");

void BPF_STRUCT_OPS(enqueue_refused, struct task_struct *p, u64 enq_flags)
{
	for (u32 i = 0; i < 8; i++)
		bpf_map_update_elem(&seen, &i, &enq_flags, BPF_ANY);
	scx_bpf_dsq_insert(p, SCX_DSQ_GLOBAL, SCX_SLICE_DFL, enq_flags);
}

SEC(".struct_ops.link")
struct sched_ext_ops refused_counter = {
	.enqueue = (void *)enqueue_refused,
	.timeout_ms = 5000,
	.name = "refused_counter",
};
