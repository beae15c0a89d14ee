// SPDX-License-Identifier: GPL-2.0-or-later
/* elsewhere_sub: the second form of ops that Linux 7.3 has, for the scheduler of one cgroup. */
#include "elsewhere.h"

char _license[] SEC("license") = "GPL";

struct sched_ext_ops_cid {
	void (*enqueue)(struct task_struct *p, u64 enq_flags);
	u64 sub_cgroup_id;
	char name[128];
};

void BPF_STRUCT_OPS(sub_enqueue, struct task_struct *p, u64 enq_flags)
{
	scx_bpf_dsq_insert(p, SCX_DSQ_GLOBAL, SCX_SLICE_DFL, enq_flags);
}

SEC(".struct_ops.link")
struct sched_ext_ops_cid sub_ops = {
	.enqueue = (void *)sub_enqueue,
	.sub_cgroup_id = 1,
	.name = "sub",
};
