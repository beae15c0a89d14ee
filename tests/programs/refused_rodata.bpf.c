// SPDX-License-Identifier: GPL-2.0-or-later
/* refused_rodata: a constant is written. */
#include "scx.h"

char _license[] SEC("license") = "GPL";

const volatile u64 limit = 10;

void BPF_STRUCT_OPS(enqueue_refused, struct task_struct *p, u64 enq_flags)
{
	*(volatile u64 *)&limit = enq_flags;
	scx_bpf_dsq_insert(p, SCX_DSQ_GLOBAL, SCX_SLICE_DFL, enq_flags);
}

SEC(".struct_ops.link")
struct sched_ext_ops refused_rodata = {
	.enqueue = (void *)enqueue_refused,
	.timeout_ms = 5000,
	.name = "refused_rodata",
};
