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
 * host_retire(). These three are in change.h, what they and the callbacks share in slots.h.
 */
#include "scx.h"
#include "declare.h"
#include "exit_record.h"
#include "slots.h"
#include "change.h"

char _license[] SEC("license") = "GPL";

/* A loader that has not drained the old policy by then does not do it any more. */
#define LOADER_LOST_NS (500 * 1000 * 1000ULL)

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
