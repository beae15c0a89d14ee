// SPDX-License-Identifier: GPL-2.0-or-later
/* elsewhere_new_flag: needs a flag that no kernel has, beside one that all of them have. */
#include "elsewhere.h"

char _license[] SEC("license") = "GPL";

void BPF_STRUCT_OPS(new_flag_enqueue, struct task_struct *p, u64 enq_flags)
{
	scx_bpf_dsq_insert(p, SCX_DSQ_GLOBAL, SCX_SLICE_DFL, enq_flags);
}

SEC(".struct_ops.link")
struct sched_ext_ops new_flag_ops = {
	.enqueue = (void *)new_flag_enqueue,
	.flags = SCX_OPS_ENQ_EXITING | 1ULL << 40,
	.timeout_ms = 5000,
	.name = "new_flag",
};
