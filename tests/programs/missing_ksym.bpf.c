// SPDX-License-Identifier: GPL-2.0-or-later
/* missing_ksym: needs a kernel function that no kernel has, and not weakly: libbpf itself refuses. */
#include "scx.h"

char _license[] SEC("license") = "GPL";

s32 scx_bpf_weight_of_the_moon(s32 cpu) __ksym;

void BPF_STRUCT_OPS(missing_ksym_dispatch, s32 cpu, struct task_struct *prev)
{
	if (scx_bpf_weight_of_the_moon(cpu) > 0)
		scx_bpf_dsq_move_to_local(SCX_DSQ_GLOBAL);
}

SEC(".struct_ops.link")
struct sched_ext_ops missing_ksym = {
	.dispatch = (void *)missing_ksym_dispatch,
	.timeout_ms = 5000,
	.name = "missing_ksym",
};
