// SPDX-License-Identifier: GPL-2.0-or-later
/* refused_register: a register is read that nothing was written to. */
#include "scx.h"

char _license[] SEC("license") = "GPL";

void BPF_STRUCT_OPS(enqueue_refused, struct task_struct *p, u64 enq_flags)
{
	u64 slice;

	/* C would hide it: the compiler may put anything in the place of an uninitialised value. */
	asm volatile("%0 = r8" : "=r"(slice));
	scx_bpf_dsq_insert(p, SCX_DSQ_GLOBAL, slice, enq_flags);
}

SEC(".struct_ops.link")
struct sched_ext_ops refused_register = {
	.enqueue = (void *)enqueue_refused,
	.timeout_ms = 5000,
	.name = "refused_register",
};
