/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A CPU goes offline: who waits in a queue and was last there.
 *
 * Up to 7.2 the kernel does not ask ops.dispatch for such a CPU any more, but waits until nobody is left
 * who belongs to it: those who may run on no other would be waited for until the watchdog ends the
 * scheduler. In the CPU's local queue it finds them, and sends them elsewhere. Goes with 7.2, which is
 * the last kernel that does not do the same by itself.
 */
#ifndef SCXHID_OFFLINE_H
#define SCXHID_OFFLINE_H

#include "scx.h"

/*
 * To be called in ops.cpu_offline for each queue of which that CPU takes tasks. Verified once by itself,
 * for which it returns a number.
 */
__noinline int leave_cpu(u64 dsq_id, s32 cpu)
{
	struct task_struct *p;

	if (!can_walk_dsq())
		return 0;
	bpf_for_each(scx_dsq, p, dsq_id, 0) {
		if (scx_bpf_task_cpu(p) == cpu)
			scx_bpf_dsq_move(&___it, p, SCX_DSQ_LOCAL_ON | cpu, 0);
	}
	return 0;
}

#endif /* SCXHID_OFFLINE_H */
