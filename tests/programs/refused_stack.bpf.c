// SPDX-License-Identifier: GPL-2.0-or-later
/* refused_stack: two functions that need more than 512 bytes of stack together. */
#include "scx.h"

char _license[] SEC("license") = "GPL";

static __noinline u64 inner(u64 seed)
{
	volatile u64 scratch[40];

	for (int i = 0; i < 40; i++)
		scratch[i] = seed;
	return scratch[seed & 31];
}

void BPF_STRUCT_OPS(enqueue_refused, struct task_struct *p, u64 enq_flags)
{
	volatile u64 scratch[40];

	for (int i = 0; i < 40; i++)
		scratch[i] = p->pid;
	scx_bpf_dsq_insert(p, SCX_DSQ_GLOBAL, SCX_SLICE_DFL + inner(scratch[3]), enq_flags);
}

SEC(".struct_ops.link")
struct sched_ext_ops refused_stack = {
	.enqueue = (void *)enqueue_refused,
	.timeout_ms = 5000,
	.name = "refused_stack",
};
