// SPDX-License-Identifier: GPL-2.0-or-later
/* refused_null_task: the result of a kernel function is used without a look at whether it is NULL. */
#include "scx.h"

char _license[] SEC("license") = "GPL";

struct task_struct *bpf_task_from_pid(s32 pid) __ksym __weak;
void bpf_task_release(struct task_struct *p) __ksym __weak;

u64 init_weight;

void BPF_STRUCT_OPS(enqueue_refused, struct task_struct *p, u64 enq_flags)
{
	struct task_struct *init = bpf_task_from_pid(1);

	init_weight = init->scx.weight;
	bpf_task_release(init);
	scx_bpf_dsq_insert(p, SCX_DSQ_GLOBAL, SCX_SLICE_DFL, enq_flags);
}

SEC(".struct_ops.link")
struct sched_ext_ops refused_null_task = {
	.enqueue = (void *)enqueue_refused,
	.timeout_ms = 5000,
	.name = "refused_null_task",
};
