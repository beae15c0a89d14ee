// SPDX-License-Identifier: GPL-2.0-or-later
/* no_ops: a good object that is no scheduler: it has no struct_ops map. */
#include "scx.h"

char _license[] SEC("license") = "GPL";

u64 nr_switches;

SEC("raw_tp/sched_switch")
int BPF_PROG(count_switches, bool preempt, struct task_struct *prev, struct task_struct *next)
{
	__sync_fetch_and_add(&nr_switches, 1);
	return 0;
}
