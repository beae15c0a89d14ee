// SPDX-License-Identifier: GPL-2.0-or-later
/* refused_sleep: a callback that must not sleep calls a function that may. */
#include "scx.h"

char _license[] SEC("license") = "GPL";

void BPF_STRUCT_OPS(enqueue_refused, struct task_struct *p, u64 enq_flags)
{
	scx_bpf_create_dsq(p->pid, -1);
	scx_bpf_dsq_insert(p, p->pid, SCX_SLICE_DFL, enq_flags);
}

SEC(".struct_ops.link")
struct sched_ext_ops refused_sleep = {
	.enqueue = (void *)enqueue_refused,
	.timeout_ms = 5000,
	.name = "refused_sleep",
};
