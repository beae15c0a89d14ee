// SPDX-License-Identifier: GPL-2.0-or-later
/* refused_untrusted: a number is handed to a kernel function that wants a task. */
#include "scx.h"

char _license[] SEC("license") = "GPL";

volatile u64 address SEC(".data") = 0xffff888000000000;

void BPF_STRUCT_OPS(enqueue_refused, struct task_struct *p, u64 enq_flags)
{
	struct task_struct *other = (void *)address;

	scx_bpf_dsq_insert(other, SCX_DSQ_GLOBAL, SCX_SLICE_DFL, enq_flags);
}

SEC(".struct_ops.link")
struct sched_ext_ops refused_untrusted = {
	.enqueue = (void *)enqueue_refused,
	.timeout_ms = 5000,
	.name = "refused_untrusted",
};
