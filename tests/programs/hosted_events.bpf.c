// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * hosted_events: a policy for the host that counts what it is told.
 *
 * First come, first served on one queue. It has every callback that the host passes on, each with a
 * counter, so a test sees which events reach the policy that is current.
 */
#include "policy.h"

char _license[] SEC("license") = "GPL";

ABOUT("a policy that counts what it is told", "seeing which events reach a hosted policy");
HOSTABLE(0, "select_cpu enqueue dispatch tick runnable running stopping quiescent enable disable "
	    "cpu_online cpu_offline cgroup_move cgroup_set_weight");

#define SHARED_DSQ POLICY_DSQ(0)

#define SLICE_NS 2000000 /* short: those who wait are the commands under test */

STAT(select_cpu, "tasks that woke");
STAT(enqueue, "tasks that queued");
STAT(dispatch, "times a CPU looked for work");
STAT(tick, "ticks");
STAT(runnable, "tasks that became runnable");
STAT(running, "times a task began to run");
STAT(stopping, "times a task stopped");
STAT(quiescent, "tasks that went to sleep");
STAT(enable, "tasks that came to sched_ext");
STAT(disable, "tasks that left sched_ext");
STAT(cpu_online, "CPUs that came");
STAT(cpu_offline, "CPUs that went");
STAT(cgroup_move, "tasks that moved to another cgroup");
STAT(cgroup_set_weight, "changes of cpu.weight");

s32 POLICY_OP(hosted_events_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	bool is_idle = false;
	s32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &is_idle);

	stat_inc(select_cpu);
	if (is_idle)
		scx_bpf_dsq_insert(p, SCX_DSQ_LOCAL, SLICE_NS, 0);
	return cpu;
}

void POLICY_OP(hosted_events_enqueue, struct task_struct *p, u64 enq_flags)
{
	stat_inc(enqueue);
	scx_bpf_dsq_insert(p, SHARED_DSQ, SLICE_NS, enq_flags);
}

void POLICY_OP(hosted_events_dispatch, s32 cpu, struct task_struct *prev)
{
	stat_inc(dispatch);
	scx_bpf_dsq_move_to_local(SHARED_DSQ);
}

void POLICY_OP(hosted_events_tick, struct task_struct *p)
{
	stat_inc(tick);
}

void POLICY_OP(hosted_events_runnable, struct task_struct *p, u64 enq_flags)
{
	stat_inc(runnable);
}

void POLICY_OP(hosted_events_running, struct task_struct *p)
{
	stat_inc(running);
}

void POLICY_OP(hosted_events_stopping, struct task_struct *p, bool runnable)
{
	stat_inc(stopping);
}

void POLICY_OP(hosted_events_quiescent, struct task_struct *p, u64 deq_flags)
{
	stat_inc(quiescent);
}

void POLICY_OP(hosted_events_enable, struct task_struct *p)
{
	stat_inc(enable);
}

void POLICY_OP(hosted_events_disable, struct task_struct *p)
{
	stat_inc(disable);
}

void POLICY_OP(hosted_events_cpu_online, s32 cpu)
{
	stat_inc(cpu_online);
}

void POLICY_OP(hosted_events_cpu_offline, s32 cpu)
{
	stat_inc(cpu_offline);
}

void POLICY_OP(hosted_events_cgroup_move, struct task_struct *p, struct cgroup *from,
	       struct cgroup *to)
{
	stat_inc(cgroup_move);
}

void POLICY_OP(hosted_events_cgroup_set_weight, struct cgroup *cgrp, u32 weight)
{
	stat_inc(cgroup_set_weight);
}

POLICY_INIT(hosted_events)
{
	return policy_create_dsq(0, -1);
}

POLICY_FINI(hosted_events)
{
}

SEC(".struct_ops.link")
struct sched_ext_ops hosted_events = {
	.select_cpu = (void *)hosted_events_select_cpu,
	.enqueue = (void *)hosted_events_enqueue,
	.dispatch = (void *)hosted_events_dispatch,
	.tick = (void *)hosted_events_tick,
	.runnable = (void *)hosted_events_runnable,
	.running = (void *)hosted_events_running,
	.stopping = (void *)hosted_events_stopping,
	.quiescent = (void *)hosted_events_quiescent,
	.enable = (void *)hosted_events_enable,
	.disable = (void *)hosted_events_disable,
	.cpu_online = (void *)hosted_events_cpu_online,
	.cpu_offline = (void *)hosted_events_cpu_offline,
	.cgroup_move = (void *)hosted_events_cgroup_move,
	.cgroup_set_weight = (void *)hosted_events_cgroup_set_weight,
	.init = (void *)hosted_events_init,
	.exit = (void *)hosted_events_exit,
	.timeout_ms = 3000,
	.name = "hosted_events",
};
