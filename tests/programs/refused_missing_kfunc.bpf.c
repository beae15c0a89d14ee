// SPDX-License-Identifier: GPL-2.0-or-later
/* refused_missing_kfunc: a function is called that no kernel has, without asking bpf_ksym_exists. */
#include "scx.h"

char _license[] SEC("license") = "GPL";

s32 scx_bpf_weight_of_the_moon(s32 cpu) __ksym __weak;

void BPF_STRUCT_OPS(dispatch_refused, s32 cpu, struct task_struct *prev)
{
	if (scx_bpf_weight_of_the_moon(cpu) > 0)
		scx_bpf_dsq_move_to_local(SCX_DSQ_GLOBAL);
}

SEC(".struct_ops.link")
struct sched_ext_ops refused_missing_kfunc = {
	.dispatch = (void *)dispatch_refused,
	.timeout_ms = 5000,
	.name = "refused_missing_kfunc",
};
