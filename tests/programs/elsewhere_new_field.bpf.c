// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * elsewhere_new_field: sets a field that no kernel has. Without it the scheduler would be another one
 * (its like in Linux 7.3 is sub_cgroup_id, which makes the difference between a scheduler of one
 * cgroup and one of the whole machine), so it must not be left out in silence.
 */
#include "elsewhere.h"

char _license[] SEC("license") = "GPL";

struct sched_ext_ops___new {
	void (*enqueue)(struct task_struct *p, u64 enq_flags);
	u32 timeout_ms;
	u64 only_for_cgroup;
	char name[128];
};

void BPF_STRUCT_OPS(new_field_enqueue, struct task_struct *p, u64 enq_flags)
{
	scx_bpf_dsq_insert(p, SCX_DSQ_GLOBAL, SCX_SLICE_DFL, enq_flags);
}

SEC(".struct_ops.link")
struct sched_ext_ops___new new_field_ops = {
	.enqueue = (void *)new_field_enqueue,
	.timeout_ms = 5000,
	.only_for_cgroup = 42,
	.name = "new_field",
};
