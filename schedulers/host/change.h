/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the loader runs to change the policy of the resident host: three syscall programs. */
#ifndef HOST_CHANGE_H
#define HOST_CHANGE_H

#include "slots.h"

struct host_args {
	u32 slot;      /* in: which */
	u32 nr_queued; /* out, host_drain: tasks that the policy in it still has in its queues */
};

/* Wakes the idle CPUs, so that they look for work under the policy that is current now. */
static void wake_idle_cpus(void)
{
	u32 cpu;

	if (!can_kick_cpu())
		return;
	bpf_for(cpu, 0, scx_bpf_nr_cpu_ids())
		scx_bpf_kick_cpu(cpu, SCX_KICK_IDLE);
}

void bpf_rcu_read_lock(void) __ksym __weak;
void bpf_rcu_read_unlock(void) __ksym __weak;

/*
 * Gives what waits in a queue of the old policy to the new one. Before 7.1 ops.enqueue cannot be asked
 * again: the tasks go to the global queue, which every CPU looks into before it asks ops.dispatch.
 */
static void hand_over(u64 dsq_id)
{
	struct task_struct *p;

	if (bpf_ksym_exists(scx_bpf_dsq_reenq___new)) {
		scx_bpf_dsq_reenq(dsq_id, 0);
		return;
	}
	if (!can_walk_dsq()) /* host_dispatch takes them */
		return;
	bpf_rcu_read_lock();
	bpf_for_each(scx_dsq, p, dsq_id, 0)
		scx_bpf_dsq_move(&___it, p, SCX_DSQ_GLOBAL, 0);
	bpf_rcu_read_unlock();
}

/* The same for all queues of the policy in a slot; how many tasks waited there. */
static u32 hand_over_all(u32 index)
{
	struct slot *old = bpf_map_lookup_elem(&slots, &index);
	u32 n, sum = 0;
	u64 first;
	s32 queued;

	if (!old)
		return 0;
	first = (u64)old->generation << 32;
	bpf_for(n, 0, old->nr_dsqs) {
		queued = scx_bpf_dsq_nr_queued(first | n);
		if (queued <= 0)
			continue;
		sum += queued;
		hand_over(first | n);
	}
	if (sum)
		wake_idle_cpus();
	return sum;
}

/*
 * Makes a filled slot (or NO_SLOT) the current one; not while another one than that still drains.
 * A program, so that no kill can cut it in two.
 */
SEC("syscall") int host_switch(struct host_args *args)
{
	u32 old = current_slot;

	if (args->slot > NO_SLOT)
		return -22; /* EINVAL */
	if (args->slot == old)
		return 0;
	/* Nobody would look into its queues any more; on the way back to it, it does so itself. */
	if (draining_slot != NO_SLOT && draining_slot != args->slot)
		return -16;  /* EBUSY: host_drain() first */
	draining_slot = old; /* before the store, so that from it on every CPU also looks there */
	previous_slot = old;
	first_at = 0;
	switched_at = bpf_ktime_get_ns();
	current_slot = args->slot;
	nr_switches++;
	nr_left_over = hand_over_all(old);
	return 0;
}

/* Hands over what the old policy in a slot still has queued; ends draining when there is none. */
SEC("syscall") int host_drain(struct host_args *args)
{
	if (args->slot >= HOST_SLOTS)
		return -22; /* EINVAL */
	args->nr_queued = hand_over_all(args->slot);
	if (!args->nr_queued && draining_slot == args->slot)
		draining_slot = NO_SLOT;
	return 0;
}

/* Destroys the queues of a slot whose policy nobody calls any more. */
SEC("syscall") int host_retire(struct host_args *args)
{
	u32 slot = args->slot, n;
	struct slot *old = bpf_map_lookup_elem(&slots, &slot);
	u64 first;

	if (!old || slot == current_slot)
		return -22; /* EINVAL */
	first = (u64)old->generation << 32;
	bpf_for(n, 0, old->nr_dsqs)
		if (scx_bpf_dsq_nr_queued(first | n) > 0)
			return -16; /* EBUSY: destroying it would end the host */
	bpf_for(n, 0, old->nr_dsqs)
		scx_bpf_destroy_dsq(first | n);
	old->state = SLOT_FREE;
	old->nr_dsqs = 0;
	return 0;
}

#endif
