// SPDX-License-Identifier: GPL-2.0-or-later
/* refused_scalar: a number is used as an address. */
#include "scx.h"

char _license[] SEC("license") = "GPL";

volatile u64 address SEC(".data") = 0xffff888000000000;
u64 seen;

void BPF_STRUCT_OPS(enqueue_refused, struct task_struct *p, u64 enq_flags)
{
	struct task_struct *other = (void *)address;

	seen = other->pid;
	scx_bpf_dsq_insert(p, SCX_DSQ_GLOBAL, SCX_SLICE_DFL, enq_flags);
}

SEC(".struct_ops.link")
struct sched_ext_ops refused_scalar = {
	.enqueue = (void *)enqueue_refused,
	.timeout_ms = 5000,
	.name = "refused_scalar",
};
