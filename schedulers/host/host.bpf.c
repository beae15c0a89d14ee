// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The resident host: a scheduler that only passes on what the kernel asks.
 *
 * Each callback tail-calls into the program of the current slot. Filling a slot and storing its
 * index changes the policy on all CPUs while sched_ext stays enabled: nothing falls back to the
 * kernel's own scheduler in between. What a policy has to keep to stands in include/policy.h.
 *
 * A slot has one entry in each array below. Where the policy has no such callback, the entry is
 * empty, the tail call falls through, and what follows it is the kernel's own default. The same
 * happens with no policy at all (NO_SLOT): then this is a plain global queue.
 *
 * Callbacks that change the kernel's behaviour by being there are left out: update_idle (turns the
 * kernel's idle masks off), cpu_acquire and cpu_release, core_sched_before, yield.
 *
 * The host is attached with no policy, since queues can be made only while a scheduler is attached,
 * and a host that may sleep in init cannot tail-call before 7.3.
 *
 * Order of a change: fill every array of a slot, host_switch(), wait until no CPU can still be in
 * a callback of the old policy, host_drain() until nothing is queued. The old policy then stays in
 * its slot, for the way back. Before a slot is used again: clear its arrays, wait once more,
 * host_retire().
 */
#include "scx.h"
#include "declare.h"
#include "exit_record.h"

char _license[] SEC("license") = "GPL";

#define HOST_SLOTS 4 /* the current one, the previous one, the next one, and one to spare */
#define NO_SLOT	   HOST_SLOTS

/* A loader that has not drained the old policy by then does not do it any more. */
#define LOADER_LOST_NS (500 * 1000 * 1000ULL)

enum slot_state {
	SLOT_FREE,
	SLOT_FILLED, /* has a policy, which is current, previous or next */
};

struct slot {
	u32 generation; /* of the ids of its queues the upper half */
	u32 state;	/* enum slot_state */
	u32 nr_dsqs;	/* its queues are generation << 32 | 0 .. nr_dsqs - 1 */
	u32 policy_id;	/* of its struct_ops map, as the kernel numbers maps */
	char name[128];
};

/* Written by the loader; what is in which slot, for everybody to read. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, HOST_SLOTS);
	__type(key, u32);
	__type(value, struct slot);
} slots SEC(".maps");

/* An element of this is replaced to wait for a grace period: the kernel returns after one. */
struct grace_inner {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, u32);
} grace_a SEC(".maps"), grace_b SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 1);
	__type(key, u32);
	__array(values, struct grace_inner);
} grace SEC(".maps") = {
	.values = { [0] = &grace_a },
};

/* The state of the host. All of it is read by the loader; host_switch() is what writes it. */
volatile u32 current_slot SEC(".data") = NO_SLOT;
volatile u32 previous_slot SEC(".data") = NO_SLOT;
volatile u32 draining_slot SEC(".data") = NO_SLOT;
volatile u64 nr_switches SEC(".data") = 0;
volatile u64 switched_at SEC(".data") = 0;  /* ns, CLOCK_MONOTONIC */
volatile u64 first_at SEC(".data") = 0;	    /* first task given to the policy since, ns */
volatile u64 nr_left_over SEC(".data") = 0; /* tasks that the old policy had queued then */

#define ON(callback)                                                                               \
	struct {                                                                                   \
		__uint(type, BPF_MAP_TYPE_PROG_ARRAY);                                             \
		__uint(max_entries, HOST_SLOTS);                                                   \
		__type(key, u32);                                                                  \
		__type(value, u32);                                                                \
	} on_##callback SEC(".maps")

/* Calls the policy's callback and does not come back; falls through where it has none. */
#define PASS_ON(callback) bpf_tail_call(ctx, &on_##callback, current_slot)

ON(select_cpu);
ON(enqueue);
ON(dispatch);
ON(tick);
ON(runnable);
ON(running);
ON(stopping);
ON(quiescent);
ON(enable);
ON(disable);
ON(cpu_online);
ON(cpu_offline);
ON(cgroup_move);
ON(cgroup_set_weight);
ON(cgroup_set_bandwidth);
ON(cgroup_set_idle);

static __always_inline void note_first(void)
{
	if (!first_at)
		first_at = bpf_ktime_get_ns();
}

/* ---- The callbacks ---- */

s32 BPF_STRUCT_OPS(host_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	bool is_idle = false;
	s32 cpu;

	note_first();
	PASS_ON(select_cpu);
	cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &is_idle);
	if (is_idle)
		scx_bpf_dsq_insert(p, SCX_DSQ_LOCAL, SCX_SLICE_DFL, 0);
	return cpu;
}

/*
 * Somebody is removing all pins, and the policy's enqueue is gone. The kernel takes from the global queue
 * before it asks ops.dispatch: who waits in the policy's queues would never run beside others who always
 * want to, so they are asked to come here as well. Before 7.1 that cannot be done.
 */
static void fetch_queued_by(u32 index)
{
	struct slot *slot = bpf_map_lookup_elem(&slots, &index);
	u64 first;
	u32 n;

	if (!slot || !bpf_ksym_exists(scx_bpf_dsq_reenq___new))
		return;
	first = (u64)slot->generation << 32;
	bpf_for(n, 0, slot->nr_dsqs)
		if (scx_bpf_dsq_nr_queued(first | n) > 0)
			scx_bpf_dsq_reenq(first | n, 0);
}

void BPF_STRUCT_OPS(host_enqueue, struct task_struct *p, u64 enq_flags)
{
	note_first();
	PASS_ON(enqueue);
	if (current_slot < HOST_SLOTS)
		fetch_queued_by(current_slot);
	scx_bpf_dsq_insert(p, SCX_DSQ_GLOBAL, SCX_SLICE_DFL, enq_flags);
}

/* Whether a task that the policy in a slot had queued was put on this CPU. */
static bool run_queued_by(u32 index)
{
	struct slot *slot = bpf_map_lookup_elem(&slots, &index);
	u64 first;
	u32 n;

	if (!slot)
		return false;
	first = (u64)slot->generation << 32;
	bpf_for(n, 0, slot->nr_dsqs)
		if (scx_bpf_dsq_nr_queued(first | n) > 0 && scx_bpf_dsq_move_to_local(first | n)) {
			return true;
		}
	return false;
}

/*
 * Whether the old policy's queues are to be looked into here. Where their tasks can be given to the
 * new policy, host_switch() and host_drain() do that, and it decides on their order: so only when
 * the loader has not come back for long, since it was killed.
 */
static bool is_left_over(void)
{
	return !bpf_ksym_exists(scx_bpf_dsq_reenq___new) ||
	       bpf_ktime_get_ns() - switched_at > LOADER_LOST_NS;
}

void BPF_STRUCT_OPS(host_dispatch, s32 cpu, struct task_struct *prev)
{
	if (draining_slot < HOST_SLOTS && is_left_over() && run_queued_by(draining_slot))
		return;
	PASS_ON(dispatch);
	/* Somebody is removing all pins, those of the arrays first: what is queued runs meanwhile. */
	run_queued_by(current_slot);
}

void BPF_STRUCT_OPS(host_tick, struct task_struct *p)
{
	PASS_ON(tick);
}

void BPF_STRUCT_OPS(host_runnable, struct task_struct *p, u64 enq_flags)
{
	PASS_ON(runnable);
}

void BPF_STRUCT_OPS(host_running, struct task_struct *p)
{
	PASS_ON(running);
}

void BPF_STRUCT_OPS(host_stopping, struct task_struct *p, bool runnable)
{
	PASS_ON(stopping);
}

void BPF_STRUCT_OPS(host_quiescent, struct task_struct *p, u64 deq_flags)
{
	PASS_ON(quiescent);
}

void BPF_STRUCT_OPS(host_enable, struct task_struct *p)
{
	PASS_ON(enable);
}

void BPF_STRUCT_OPS(host_disable, struct task_struct *p)
{
	PASS_ON(disable);
}

/* Must be there, or the kernel ends the host at each hotplug, and so at each suspend. */
void BPF_STRUCT_OPS(host_cpu_online, s32 cpu)
{
	PASS_ON(cpu_online);
}

void BPF_STRUCT_OPS(host_cpu_offline, s32 cpu)
{
	PASS_ON(cpu_offline);
}

void BPF_STRUCT_OPS(host_cgroup_move, struct task_struct *p, struct cgroup *from, struct cgroup *to)
{
	PASS_ON(cgroup_move);
}

void BPF_STRUCT_OPS(host_cgroup_set_weight, struct cgroup *cgrp, u32 weight)
{
	PASS_ON(cgroup_set_weight);
}

void BPF_STRUCT_OPS(host_cgroup_set_bandwidth, struct cgroup *cgrp, u64 period_us, u64 quota_us,
		    u64 burst_us)
{
	PASS_ON(cgroup_set_bandwidth);
}

void BPF_STRUCT_OPS(host_cgroup_set_idle, struct cgroup *cgrp, bool idle)
{
	PASS_ON(cgroup_set_idle);
}

void BPF_STRUCT_OPS(host_exit, struct scx_exit_info *ei)
{
	EXIT_RECORD(ei);
}

/* ---- What the loader runs ---- */

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

SEC(".struct_ops.link")
struct sched_ext_ops scxhid_host = {
	.select_cpu = (void *)host_select_cpu,
	.enqueue = (void *)host_enqueue,
	.dispatch = (void *)host_dispatch,
	.tick = (void *)host_tick,
	.runnable = (void *)host_runnable,
	.running = (void *)host_running,
	.stopping = (void *)host_stopping,
	.quiescent = (void *)host_quiescent,
	.enable = (void *)host_enable,
	.disable = (void *)host_disable,
	.cpu_online = (void *)host_cpu_online,
	.cpu_offline = (void *)host_cpu_offline,
	.cgroup_move = (void *)host_cgroup_move,
	.cgroup_set_weight = (void *)host_cgroup_set_weight,
	.cgroup_set_bandwidth = (void *)host_cgroup_set_bandwidth,
	.cgroup_set_idle = (void *)host_cgroup_set_idle,
	.exit = (void *)host_exit,
	.timeout_ms = 3000,
	.name = "scxhid_host",
};
