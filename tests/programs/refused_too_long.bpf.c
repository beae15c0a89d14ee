// SPDX-License-Identifier: GPL-2.0-or-later
/* refused_too_long: a loop that ends, after more steps than the verifier follows. */
#include "scx.h"

char _license[] SEC("license") = "GPL";

volatile u64 rounds SEC(".data") = 100;
u64 sum;

void BPF_STRUCT_OPS(enqueue_refused, struct task_struct *p, u64 enq_flags)
{
	u64 n = rounds;

	for (u64 i = 0; i < n; i++)
		sum += i ^ p->pid;
	scx_bpf_dsq_insert(p, SCX_DSQ_GLOBAL, SCX_SLICE_DFL, enq_flags);
}

SCX_OPS_DEFINE(refused_too_long, .enqueue = (void *)enqueue_refused, .timeout_ms = 5000);
