// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * hosted_stall: a policy for the host, first come, first served, that forgets some of its tasks.
 *
 * A forgotten task is put into a queue that nobody looks into; the watchdog then ends the host, and
 * the dump names that queue. When it forgets is a matter of the knobs: when told, some time after it
 * became current, or only in its first moments, while the queues of the one before are drained.
 * With `init_error` it does not start at all. Only CPU-bound tasks with a nice value above 0 are
 * forgotten, so the commands under test live through it.
 */
#include "policy.h"

char _license[] SEC("license") = "GPL";

ABOUT("a policy with a bug: it forgets tasks, and the watchdog ends its host",
      "seeing what the loader does about it");
HOSTABLE(0, "select_cpu enqueue dispatch cpu_online cpu_offline");

#define SHARED_DSQ    POLICY_DSQ(0)
#define FORGOTTEN_DSQ POLICY_DSQ(1)

#define SLICE_NS 2000000 /* short: those who wait are the commands under test */

#define NSEC_PER_MSEC 1000000ULL

KNOB(bool, forget, false, false, true, "", "forget tasks from now on");
KNOB_AT_LOAD(u32, after_ms, 0, 0, 3600000, "ms", "forget tasks from this long after the start on");
KNOB_AT_LOAD(u32, first_ms, 0, 0, 3600000, "ms", "forget tasks for this long after the start");
KNOB_AT_LOAD(u32, at_most, 2, 1, 1000, "", "forget this many tasks");
KNOB_AT_LOAD(u32, init_error, 0, 0, 4095, "", "fail to start, with this error number");

STAT(dispatched_local, "tasks placed straight on an idle CPU");
STAT(dispatched_global, "tasks placed in the queue that all CPUs share");
STAT(forgotten, "tasks placed where nobody looks");

static u64 epoch_seen;
static u64 started_at; /* ns */
static u32 nr_forgotten;

static bool is_time_to_forget(void)
{
	u64 for_ms;

	if (epoch_seen != policy_epoch) { /* current again, or for the first time */
		epoch_seen = policy_epoch;
		started_at = bpf_ktime_get_ns();
	}
	for_ms = (bpf_ktime_get_ns() - started_at) / NSEC_PER_MSEC;
	return forget || (after_ms && for_ms >= after_ms) || for_ms < first_ms;
}

static bool forgets(const struct task_struct *p, u64 enq_flags)
{
	if (!is_time_to_forget())
		return false;
	if ((enq_flags & SCX_ENQ_WAKEUP) || p->scx.weight >= 100)
		return false;
	if (nr_forgotten >= at_most)
		return false;
	return __sync_fetch_and_add(&nr_forgotten, 1) < at_most;
}

s32 POLICY_OP(hosted_stall_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	bool is_idle = false;
	s32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &is_idle);

	if (is_idle) {
		stat_inc(dispatched_local);
		scx_bpf_dsq_insert(p, SCX_DSQ_LOCAL, SLICE_NS, 0);
	}
	return cpu;
}

void POLICY_OP(hosted_stall_enqueue, struct task_struct *p, u64 enq_flags)
{
	if (forgets(p, enq_flags)) {
		stat_inc(forgotten);
		scx_bpf_dsq_insert(p, FORGOTTEN_DSQ, SLICE_NS, enq_flags);
		return;
	}
	stat_inc(dispatched_global);
	scx_bpf_dsq_insert(p, SHARED_DSQ, SLICE_NS, enq_flags);
}

void POLICY_OP(hosted_stall_dispatch, s32 cpu, struct task_struct *prev)
{
	scx_bpf_dsq_move_to_local(SHARED_DSQ);
}

void POLICY_OP(hosted_stall_cpu_online, s32 cpu)
{
}

void POLICY_OP(hosted_stall_cpu_offline, s32 cpu)
{
}

POLICY_INIT(hosted_stall)
{
	s32 err = policy_create_dsq(0, -1);

	if (init_error) /* half-way, so that there is something to clear away */
		return -(s32)init_error;
	return err ?: policy_create_dsq(1, -1);
}

POLICY_FINI(hosted_stall)
{
}

SEC(".struct_ops.link")
struct sched_ext_ops hosted_stall = {
	.select_cpu = (void *)hosted_stall_select_cpu,
	.enqueue = (void *)hosted_stall_enqueue,
	.dispatch = (void *)hosted_stall_dispatch,
	.cpu_online = (void *)hosted_stall_cpu_online,
	.cpu_offline = (void *)hosted_stall_cpu_offline,
	.init = (void *)hosted_stall_init,
	.exit = (void *)hosted_stall_exit,
	.timeout_ms = 3000,
	.name = "hosted_stall",
};
