// SPDX-License-Identifier: GPL-2.0-or-later
/* refused_kfunc: a tracing program calls a function that only schedulers may call. */
#include "scx.h"

char _license[] SEC("license") = "GPL";

SEC("raw_tp/sched_switch")
int BPF_PROG(refused_kfunc, bool preempt, struct task_struct *prev, struct task_struct *next)
{
	scx_bpf_dsq_move_to_local(SCX_DSQ_GLOBAL);
	return 0;
}
