// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * starves: a scheduler with a bug, for the test of that: the heaviest task first, always.
 *
 * The queue is ordered by weight alone, so while heavier tasks want to run a light one never does.
 * Nothing ends it: the watchdog's limit is long. Kernel threads go first, so the machine lives.
 */
#include "scx.h"
#include "declare.h"
#include "exit_record.h"

char _license[] SEC("license") = "GPL";

ABOUT("a scheduler with a bug: light tasks never run while heavier ones want to",
      "seeing that the test of starvation fails");

#define SHARED_DSQ  0
#define MOST_WEIGHT 10000

void BPF_STRUCT_OPS(starves_enqueue, struct task_struct *p, u64 enq_flags)
{
	u64 place = p->flags & PF_KTHREAD ? 0 : MOST_WEIGHT - p->scx.weight;

	scx_bpf_dsq_insert_vtime(p, SHARED_DSQ, SCX_SLICE_DFL / 4, place, enq_flags);
}

void BPF_STRUCT_OPS(starves_dispatch, s32 cpu, struct task_struct *prev)
{
	scx_bpf_dsq_move_to_local(SHARED_DSQ);
}

s32 BPF_STRUCT_OPS_SLEEPABLE(starves_init)
{
	return scx_bpf_create_dsq(SHARED_DSQ, -1);
}

void BPF_STRUCT_OPS(starves_exit, struct scx_exit_info *ei)
{
	EXIT_RECORD(ei);
}

SEC(".struct_ops.link")
struct sched_ext_ops starves = {
	.enqueue = (void *)starves_enqueue,
	.dispatch = (void *)starves_dispatch,
	.init = (void *)starves_init,
	.exit = (void *)starves_exit,
	.timeout_ms = 20000,
	.name = "starves",
};
