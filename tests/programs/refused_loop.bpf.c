// SPDX-License-Identifier: GPL-2.0-or-later
/* refused_loop: a loop that the verifier cannot see the end of. */
#include "scx.h"

char _license[] SEC("license") = "GPL";

void BPF_STRUCT_OPS(dispatch_refused, s32 cpu, struct task_struct *prev)
{
	while (!scx_bpf_dsq_move_to_local(SCX_DSQ_GLOBAL))
		;
}

SEC(".struct_ops.link")
struct sched_ext_ops refused_loop = {
	.dispatch = (void *)dispatch_refused,
	.timeout_ms = 5000,
	.name = "refused_loop",
};
