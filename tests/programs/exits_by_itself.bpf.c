// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * exits_by_itself: leaves in good order, with a code and a message, once `leave` is set.
 */
#include "scx.h"
#include "declare.h"
#include "exit_record.h"

char _license[] SEC("license") = "GPL";

ABOUT("a scheduler that ends itself when told to", "testing what a loader says about it");

KNOB(bool, leave, false, false, true, "", "end now");
KNOB(s32, code, 42, -1000, 1000, "", "the exit code to end with");

void BPF_STRUCT_OPS(exits_by_itself_enqueue, struct task_struct *p, u64 enq_flags)
{
	scx_bpf_dsq_insert(p, SCX_DSQ_GLOBAL, SCX_SLICE_DFL, enq_flags);
	if (leave)
		scx_bpf_exit(code, "leaving as asked, with code %d", code);
}

void BPF_STRUCT_OPS(exits_by_itself_exit, struct scx_exit_info *ei)
{
	EXIT_RECORD(ei);
}

SEC(".struct_ops.link")
struct sched_ext_ops exits_by_itself = {
	.enqueue = (void *)exits_by_itself_enqueue,
	.exit = (void *)exits_by_itself_exit,
	.timeout_ms = 5000,
	.name = "exits_by_itself",
};
