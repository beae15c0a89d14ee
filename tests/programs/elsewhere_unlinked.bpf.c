// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * elsewhere_unlinked: the older section .struct_ops, which no link is made for by itself, and beside
 * it an optional table of the same kind, for a kernel that does not exist. Its own declaration of the
 * ops has neither hotplug_seq nor flags.
 */
#include "elsewhere.h"

char _license[] SEC("license") = "GPL";

struct sched_ext_ops___small {
	void (*enqueue)(struct task_struct *p, u64 enq_flags);
	u32 timeout_ms;
	char name[128];
};

struct sched_ext_ops___large {
	void (*enqueue)(struct task_struct *p, u64 enq_flags);
	void (*enqueue_better)(struct task_struct *p, u64 enq_flags);
	u32 timeout_ms;
	char name[128];
};

void BPF_STRUCT_OPS(unlinked_enqueue, struct task_struct *p, u64 enq_flags)
{
	scx_bpf_dsq_insert(p, SCX_DSQ_GLOBAL, SCX_SLICE_DFL, enq_flags);
}

SEC("?struct_ops/unlinked_enqueue_better")
void BPF_PROG(unlinked_enqueue_better, struct task_struct *p, u64 enq_flags)
{
	scx_bpf_dsq_insert(p, SCX_DSQ_GLOBAL, SCX_SLICE_DFL / 2, enq_flags);
}

SEC(".struct_ops")
struct sched_ext_ops___small unlinked_ops = {
	.enqueue = (void *)unlinked_enqueue,
	.timeout_ms = 5000,
	.name = "unlinked",
};

SEC("?.struct_ops.link")
struct sched_ext_ops___large better_ops = {
	.enqueue = (void *)unlinked_enqueue,
	.enqueue_better = (void *)unlinked_enqueue_better,
	.timeout_ms = 5000,
	.name = "better",
};
