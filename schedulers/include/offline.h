/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A CPU goes offline: who waits in a queue and was last there.
 *
 * Up to 7.2 the kernel does not ask ops.dispatch for such a CPU any more, but waits until nobody is left
 * who belongs to it: those who may run on no other would be waited for until the watchdog ends the
 * scheduler. In the CPU's local queue it finds them, and sends them elsewhere.
 *
 * That is to be done twice. In ops.cpu_offline, and before: the kernel stops asking, waits for a grace
 * period of RCU, and calls ops.cpu_offline after that. If one who waits was interrupted in an RCU reader
 * (a walk along a path, a change of its own affinity), the grace period waits for it, and it waits for
 * ops.cpu_offline. So another CPU comes to help as soon as the thread that takes the CPU down waits.
 *
 * Goes with 7.2, which is the last kernel that does not do the same by itself.
 */
#ifndef SCXHID_OFFLINE_H
#define SCXHID_OFFLINE_H

#include "scx.h"

#define NO_CPU -1

static s32 leaving_cpu = NO_CPU; /* on which those who wait are to be helped */

/* To be called in ops.stopping for a task that falls asleep. */
static void note_leaving(const struct task_struct *p)
{
	const struct cpumask *online;
	s32 cpu = bpf_get_smp_processor_id(), other, helper = NO_CPU;

	if (!(p->flags & PF_KTHREAD) || !is_cpu_given_up() || !can_walk_dsq() || !can_kick_cpu())
		return;
	leaving_cpu = cpu;
	online = scx_bpf_get_online_cpumask();
	bpf_for(other, 0, (s32)scx_bpf_nr_cpu_ids()) {
		if (other != cpu && bpf_cpumask_test_cpu(other, online)) {
			helper = other;
			break;
		}
	}
	scx_bpf_put_cpumask(online);
	if (helper != NO_CPU)
		scx_bpf_kick_cpu(helper, SCX_KICK_PREEMPT);
}

/* To be called in ops.dispatch: the CPU for which leave_cpu() is to be called now, or NO_CPU. */
static s32 take_leaving(void)
{
	s32 cpu = leaving_cpu;

	if (cpu == NO_CPU || cpu == (s32)bpf_get_smp_processor_id())
		return NO_CPU;
	leaving_cpu = NO_CPU;
	return cpu;
}

/*
 * To be called then, and in ops.cpu_offline, for each queue of which that CPU takes tasks. Verified once
 * by itself, for which it returns a number.
 */
__noinline int leave_cpu(u64 dsq_id, s32 cpu)
{
	struct task_struct *p;
	bool is_moved = false;

	if (!can_walk_dsq())
		return 0;
	bpf_for_each(scx_dsq, p, dsq_id, 0) {
		if (scx_bpf_task_cpu(p) == cpu)
			is_moved |= scx_bpf_dsq_move(&___it, p, SCX_DSQ_LOCAL_ON | cpu, 0);
	}
	if (is_moved) /* the kernel does not tell it */
		scx_bpf_kick_cpu(cpu, 0);
	return 0;
}

#endif /* SCXHID_OFFLINE_H */
