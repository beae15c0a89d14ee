// SPDX-License-Identifier: GPL-2.0-or-later
/* two_ops: two schedulers in one object, so a loader must be told which of them to attach. */
#include "scx.h"

char _license[] SEC("license") = "GPL";

void BPF_STRUCT_OPS(short_enqueue, struct task_struct *p, u64 enq_flags)
{
	scx_bpf_dsq_insert(p, SCX_DSQ_GLOBAL, SCX_SLICE_DFL / 10, enq_flags);
}

void BPF_STRUCT_OPS(long_enqueue, struct task_struct *p, u64 enq_flags)
{
	scx_bpf_dsq_insert(p, SCX_DSQ_GLOBAL, SCX_SLICE_DFL, enq_flags);
}

SEC(".struct_ops.link")
struct sched_ext_ops short_slices = {
	.enqueue = (void *)short_enqueue,
	.timeout_ms = 5000,
	.name = "short_slices",
};
SEC(".struct_ops.link")
struct sched_ext_ops long_slices = {
	.enqueue = (void *)long_enqueue,
	.timeout_ms = 5000,
	.name = "long_slices",
};
