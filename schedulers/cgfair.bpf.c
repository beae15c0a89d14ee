// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * cgfair: the weights of control groups, honoured at every level, on one queue.
 *
 * A group's share of the machine is its cpu.weight divided by that of all who are active beside it,
 * times the share of its parent; its runnable tasks divide it by their nice values. In the groups
 *
 *	root +- A (100) +- B (100)
 *	     |          +- C (300)
 *	     +- D (100)
 *
 * with hogs in B, C and D, B gets 1/8 of the machine, C 3/8, D 1/2, however many hogs each has; when
 * those of C sleep, B gets 1/2.
 *
 * The idea: nobody walks the tree to find the next task. The hierarchy is folded into one number for
 * each task, its share of the whole machine, and the time that it ran is charged divided by it. All
 * tasks then wait in one queue in the order of that virtual time. Since the shares of all who can run
 * add up to one, it passes as fast as the machine works: by one second per busy CPU and second,
 * whatever the groups and weights are.
 *
 * What an event costs does not depend on how many groups and tasks there are. A wake-up changes two
 * sums; the groups above are touched only when one gets its first runnable task or loses its last. A
 * share is remembered until something beside it changes, and then computed anew by one step per level.
 *
 * A group also has a virtual time of its own, and a task that wakes up does not start far before it:
 * a hundred tasks that take turns to sleep do not get more than one that never does.
 *
 * Good for: containers and services with cpu.weight set, on machines with one last-level cache.
 *
 * Where it fails: one queue means one lock, as in simple, so it does not scale to several sockets.
 * Nobody is preempted: a task of a heavy group waits for the end of somebody's slice like any other.
 * Tasks that are bound to a few CPUs share these, but their groups are measured by the whole machine.
 * A group that cannot use its share, since it has fewer tasks than that has CPUs, gets nothing for it
 * later. Who is due less than about 3 % of a CPU gets that: nobody may wait for long. Tasks of the
 * root compete with the groups beside them one by one, as they do under the kernel's own scheduler.
 * cpu.max is not honoured.
 */
#include "policy.h"
#include "cgfair_shares.h"
#include "offline.h"
#include "slice.h"

char _license[] SEC("license") = "GPL";

ABOUT("cgroup weights at every level, folded into one virtual time per task",
      "containers and services with cpu.weight; one-socket machines");
IGNORES("cpu.max");
HOSTABLE(0, "select_cpu enqueue dispatch tick runnable running stopping quiescent cpu_online "
	    "cpu_offline cgroup_move cgroup_set_weight cgroup_set_idle");

#define QUEUE POLICY_DSQ(0)

#define NSEC_PER_USEC 1000ULL

/* More than this is not charged at once: it keeps the products below within 64 bits. */
#define MAX_CHARGE_NS (4000 * NSEC_PER_MSEC)

#define MAX_ROUND_NS (1000 * NSEC_PER_MSEC) /* one round through the queue, at most */

/* The kernel looks at slices on its tick (every 4 ms where HZ=250): less acts like one tick. */
KNOB(u64, slice_us, 5000, 100, 100000, "us", "time a task may run while others wait");

STAT(dispatched_local, "tasks placed straight on an idle CPU");
STAT(dispatched_queue, "tasks placed in the queue that all CPUs share");
STAT(dispatched_kthread, "kernel threads of one CPU placed there, ahead of the queue");
STAT(kept, "tasks that went on after their slice, since they still came first");
STAT(idle_kicked, "idle CPUs woken for a task that was not placed on one");
STAT(weights_changed, "changes of cpu.weight or cpu.idle");
STAT(moves, "tasks that changed their group");
STAT(held_to_group, "tasks back from a sleep, brought up to what their group has had");
STAT(run_ns, "time that tasks ran, ns");

struct task {
	u64 vtime;
	u64 place;	/* the virtual time under which it queued last, or passed the queue by */
	u64 charged_ns; /* of its CPU time, what has been charged or was none of our business */
	u64 share;	/* of the machine, when it was charged last; WHOLE is all of it */
	u32 counted;	/* the weight with which its group counts it as runnable; 0: it does not */
};

static void task_start(struct task_struct *p, struct task *t)
{
	t->vtime = t->place = vtime_now;
	t->charged_ns = p->se.sum_exec_runtime;
	t->share = WHOLE;
}

POLICY_TASK_STATE(struct task, task_start);

/* p can run, with that weight, or cannot any more: 0. */
static void count_task(struct task_struct *p, struct task *t, u32 weight)
{
	u64 change = (u64)weight - t->counted, before;
	struct cgroup *cgrp;
	struct group *g;

	if (!change)
		return;
	cgrp = scx_bpf_task_cgroup(p);
	g = group_of(cgrp);
	if (g) {
		t->counted = weight;
		before = __sync_fetch_and_add(&g->task_weight, change);
		if (!before || !(before + change))
			count_groups(cgrp);
		if (g->child_weight)
			__sync_fetch_and_add(&shares_generation, 1);
	}
	bpf_cgroup_release(cgrp);
}

/* So much virtual time is a run of that length, by the rate at which p was charged last. */
static u64 vtime_of(const struct task *t, u64 used_ns)
{
	if (used_ns > MAX_CHARGE_NS)
		used_ns = MAX_CHARGE_NS;
	return used_ns * WHOLE / (t->share ?: 1);
}

/*
 * Charges p for what it ran since it was charged last, and its group with it. Only in a callback that
 * is about p: in no other does the kernel tell a task's group.
 */
static void charge(struct task_struct *p, struct task *t)
{
	u64 used = p->se.sum_exec_runtime - t->charged_ns, weight = p->scx.weight;
	u64 least = vtime_earliest(), most = vtime_now + vtime_in(MAX_DEBT_MS);
	u64 share, among, tasks, vtime;
	struct cgroup *cgrp;
	struct group *g;

	t->charged_ns += used;
	stat_add(run_ns, used);
	if (used > MAX_CHARGE_NS)
		used = MAX_CHARGE_NS;
	cgrp = scx_bpf_task_cgroup(p);
	g = group_of(cgrp);
	if (!g) {
		t->vtime += used;
		goto release;
	}
	share = group_share(cgrp, g);
	tasks = g->task_weight;
	if (tasks < weight)
		tasks = weight;
	among = tasks + g->child_weight;
	t->share = share * weight / among ?: 1;
	t->vtime += vtime_of(t, used);

	vtime = vtime_before(g->vtime, least) ? least : g->vtime;
	vtime += used * WHOLE / (share * tasks / among ?: 1);
	g->vtime = vtime_before(most, vtime) ? most : vtime;
release:
	bpf_cgroup_release(cgrp);
}

/* The virtual time under which p may queue. */
static u64 queue_vtime(struct task_struct *p, struct task *t, bool wakes_up)
{
	u64 least = wakes_up ? vtime_earliest() : vtime_now - vtime_in(MAX_AHEAD_MS), of_group;
	struct cgroup *cgrp;
	struct group *g;

	/*
	 * Who had to wait for others loses little by it, who slept more. The tasks of the root have
	 * nothing in common: to each its own sleep.
	 */
	if (wakes_up) {
		cgrp = scx_bpf_task_cgroup(p);
		g = cgrp->level ? group_of(cgrp) : NULL;
		of_group = g ? g->vtime - vtime_in(MAX_BEHIND_MS) : least;
		bpf_cgroup_release(cgrp);
		if (vtime_before(least, of_group) && vtime_before(t->vtime, of_group)) {
			stat_inc(held_to_group);
			t->vtime = of_group;
		}
	}
	t->vtime = vtime_within(t->vtime, least);
	return vtime_place(t->vtime);
}

static u64 slice_ns(void)
{
	u64 slice = slice_us * NSEC_PER_USEC;
	s32 waiting = scx_bpf_dsq_nr_queued(QUEUE);
	u64 longest = MAX_ROUND_NS / (waiting > 0 ? waiting + 1 : 1);

	return slice < longest ? slice : longest;
}

/* ---- The callbacks, in the order in which a task meets them ---- */

/* p wakes up: on which CPU? If the kernel finds an idle one, it is p's now. */
s32 POLICY_OP(cgfair_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	bool is_idle = false;
	s32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &is_idle);

	if (is_idle) {
		struct task *t = POLICY_TASK(p);

		if (t)
			t->place = vtime_now;
		stat_inc(dispatched_local);
		scx_bpf_dsq_insert(p, SCX_DSQ_LOCAL, slice_ns(), 0);
	}
	return cpu;
}

void POLICY_OP(cgfair_runnable, struct task_struct *p, u64 enq_flags)
{
	struct task *t = POLICY_TASK(p);

	if (t)
		count_task(p, t, p->scx.weight);
}

/* p is runnable and select_cpu found it no idle CPU, or was not asked. */
void POLICY_OP(cgfair_enqueue, struct task_struct *p, u64 enq_flags)
{
	struct task *t = POLICY_TASK(p);
	s32 cpu;

	/* They serve everybody on their CPU, and are brief; but only when they wake. */
	if ((p->flags & PF_KTHREAD) && p->nr_cpus_allowed == 1 && (enq_flags & SCX_ENQ_WAKEUP)) {
		if (t)
			t->place = vtime_now;
		stat_inc(dispatched_kthread);
		scx_bpf_dsq_insert(p, SCX_DSQ_LOCAL, slice_ns(), enq_flags);
		return;
	}
	if (!t) {
		scx_bpf_dsq_insert(p, SCX_DSQ_GLOBAL, slice_ns(), enq_flags);
		return;
	}
	if (!t->counted) /* it became runnable under another policy */
		count_task(p, t, p->scx.weight);
	stat_inc(dispatched_queue);
	t->place = queue_vtime(p, t, enq_flags & SCX_ENQ_WAKEUP);
	scx_bpf_dsq_insert_vtime(p, QUEUE, slice_ns(), t->place, enq_flags);

	/* A CPU that went idle a moment ago does not look at the queue again by itself. */
	if ((enq_flags & SCX_ENQ_CPU_SELECTED) || !can_kick_cpu())
		return;
	cpu = scx_bpf_pick_idle_cpu(p->cpus_ptr, 0);
	if (cpu >= 0) {
		stat_inc(idle_kicked);
		scx_bpf_kick_cpu(cpu, SCX_KICK_IDLE);
	}
}

/*
 * A CPU has nothing left in its local DSQ. The kernel asks before it puts prev, whose slice is used up,
 * back into the queue: so nobody could ever run twice in a row, and a task that is due more than half
 * of a CPU would not get it. prev goes on if it comes before the first in the queue.
 */
void POLICY_OP(cgfair_dispatch, s32 cpu, struct task_struct *prev)
{
	s32 leaving = take_leaving();
	struct task *t = NULL;
	u64 first, vtime, most;

	if (leaving != NO_CPU)
		leave_cpu(QUEUE, leaving);
	if (prev && (prev->scx.flags & SCX_TASK_QUEUED))
		t = POLICY_TASK(prev);
	if (t && scx_dsq_first_vtime(QUEUE, &first)) {
		vtime = t->vtime + vtime_of(t, prev->se.sum_exec_runtime - t->charged_ns);
		most = vtime_now + vtime_in(MAX_AHEAD_MS);
		if (vtime_before(most, vtime)) /* there it would queue: see vtime_place() */
			vtime = most;
		if (vtime_before(vtime, first)) {
			stat_inc(kept);
			scx_bpf_task_set_slice(prev, slice_ns());
			advance(vtime);
			return;
		}
	}
	if (!scx_bpf_dsq_move_to_local(QUEUE))
		renew_slice(prev, slice_ns());
}

void POLICY_OP(cgfair_running, struct task_struct *p)
{
	struct task *t = POLICY_TASK(p);

	if (!t)
		return;
	if (!t->counted)
		count_task(p, t, p->scx.weight);
	t->charged_ns = p->se.sum_exec_runtime;
	advance(t->place);
}

/*
 * While nobody waits, nobody pays for running: the queue's virtual time keeps up with whoever runs, or
 * one that had the machine for itself for a minute would owe that minute to the next that comes.
 */
void POLICY_OP(cgfair_tick, struct task_struct *p)
{
	struct task *t = POLICY_TASK(p);

	if (!t)
		return;
	charge(p, t);
	if (scx_bpf_dsq_nr_queued(QUEUE) <= 0)
		advance(t->vtime);
}

void POLICY_OP(cgfair_stopping, struct task_struct *p, bool runnable)
{
	struct task *t = POLICY_TASK(p);

	if (t)
		charge(p, t);
	if (!runnable)
		note_leaving(p);
}

void POLICY_OP(cgfair_quiescent, struct task_struct *p, u64 deq_flags)
{
	struct task *t = POLICY_TASK(p);

	if (t)
		count_task(p, t, 0);
}

/*
 * p has changed its group. The kernel takes it out of the old one before and puts it into the new one
 * after this (quiescent, runnable), so only what it had in terms of the old one's share is left.
 */
void POLICY_OP(cgfair_cgroup_move, struct task_struct *p, struct cgroup *from, struct cgroup *to)
{
	struct task *t = POLICY_TASK(p);

	stat_inc(moves);
	if (t)
		t->vtime = vtime_now;
}

static void set_weight(struct cgroup *cgrp, u32 weight)
{
	struct group *g = group_of(cgrp);

	if (!g)
		return;
	stat_inc(weights_changed);
	bpf_spin_lock(&g->lock);
	g->weight = weight;
	bpf_spin_unlock(&g->lock);
	count_groups(cgrp);
}

void POLICY_OP(cgfair_cgroup_set_weight, struct cgroup *cgrp, u32 weight)
{
	set_weight(cgrp, weight);
}

/* From 6.19 on; before, cpu.idle is seen when a group is seen first. */
void POLICY_OP(cgfair_cgroup_set_idle, struct cgroup *cgrp, bool idle)
{
	set_weight(cgrp, idle ? CGROUP_WEIGHT_IDLE : cgroup_weight(cgrp));
}

/* Little to do, but without them the kernel ends the scheduler at each hotplug and suspend. */
void POLICY_OP(cgfair_cpu_online, s32 cpu)
{
}

void POLICY_OP(cgfair_cpu_offline, s32 cpu)
{
	leave_cpu(QUEUE, cpu);
}

POLICY_INIT(cgfair)
{
	clock_start(RATE_ONE * scx_bpf_nr_cpu_ids(), true);
	return policy_create_dsq(0, -1); /* -1: memory from any NUMA node */
}

POLICY_FINI(cgfair)
{
}

SEC(".struct_ops.link")
struct sched_ext_ops cgfair = {
	.select_cpu = (void *)cgfair_select_cpu,
	.enqueue = (void *)cgfair_enqueue,
	.dispatch = (void *)cgfair_dispatch,
	.tick = (void *)cgfair_tick,
	.runnable = (void *)cgfair_runnable,
	.running = (void *)cgfair_running,
	.stopping = (void *)cgfair_stopping,
	.quiescent = (void *)cgfair_quiescent,
	.cgroup_move = (void *)cgfair_cgroup_move,
	.cgroup_set_weight = (void *)cgfair_cgroup_set_weight,
	.cgroup_set_idle = (void *)cgfair_cgroup_set_idle,
	.cpu_online = (void *)cgfair_cpu_online,
	.cpu_offline = (void *)cgfair_cpu_offline,
	.init = (void *)cgfair_init,
	.exit = (void *)cgfair_exit,
	.timeout_ms = 3000,
	.name = "cgfair",
};
