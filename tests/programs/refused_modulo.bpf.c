// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * refused_modulo: an index bounded by a remainder, which is right, and which the verifier cannot see:
 * the compiler turns it into a multiplication and a subtraction. (`&` with a power of two is seen.)
 */
#include "scx.h"

char _license[] SEC("license") = "GPL";

void BPF_STRUCT_OPS(enqueue_refused, struct task_struct *p, u64 enq_flags)
{
	volatile u64 slices[40];

	for (int i = 0; i < 40; i++)
		slices[i] = SCX_SLICE_DFL / (i + 1);
	scx_bpf_dsq_insert(p, SCX_DSQ_GLOBAL, slices[p->scx.dsq_vtime % 40], enq_flags);
}

SEC(".struct_ops.link")
struct sched_ext_ops refused_modulo = {
	.enqueue = (void *)enqueue_refused,
	.timeout_ms = 5000,
	.name = "refused_modulo",
};
