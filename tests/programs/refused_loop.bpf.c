// SPDX-License-Identifier: GPL-2.0-or-later
/* refused_loop: a loop that the verifier cannot see the end of. */
#include "scx.h"

char _license[] SEC("license") = "GPL";

void BPF_STRUCT_OPS(dispatch_refused, s32 cpu, struct task_struct *prev)
{
	while (!scx_bpf_dsq_move_to_local(SCX_DSQ_GLOBAL))
		;
}

SCX_OPS_DEFINE(refused_loop, .dispatch = (void *)dispatch_refused, .timeout_ms = 5000);
