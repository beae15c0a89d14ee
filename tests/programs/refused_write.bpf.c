// SPDX-License-Identifier: GPL-2.0-or-later
/* refused_write: a member of the task is written that belongs to the kernel. */
#include "scx.h"

char _license[] SEC("license") = "GPL";

void BPF_STRUCT_OPS(enqueue_refused, struct task_struct *p, u64 enq_flags)
{
	p->scx.weight = 100;
	scx_bpf_dsq_insert(p, SCX_DSQ_GLOBAL, SCX_SLICE_DFL, enq_flags);
}

SEC(".struct_ops.link")
struct sched_ext_ops refused_write = {
	.enqueue = (void *)enqueue_refused,
	.timeout_ms = 5000,
	.name = "refused_write",
};
