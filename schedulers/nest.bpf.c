// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * nest: keep the work on few, warm CPUs.
 *
 * A core that has just worked runs at a higher frequency and holds something in its caches; a core
 * that has slept has to be woken and sped up first. Other schedulers spread tasks over all idle cores,
 * so that each is always a little cold. This one follows Nest (J. Lawall and others, "OS Scheduling with
 * Nest: Keeping Tasks Close Together on Warm Cores", EuroSys 2022).
 *
 * The CPUs in use form the primary nest. A task that wakes up goes to the CPU where it feels at home,
 * having run there twice in a row, if that is in the primary nest and idle; then to the one where it ran
 * last; then to any idle one of the primary nest; then to one of the reserve nest, which becomes primary
 * by that; and only when all of these are busy to a cold one, which joins the reserve. A CPU that works
 * on for some ms becomes primary. A primary one that was idle for cold_after_ms goes to the reserve, and
 * one on which a task ended goes at once. A task that found its last CPU busy for patience times in a
 * row does not look for a gap any more: the nest is too small, and the idle CPU that it gets joins the
 * primary nest at once.
 *
 * Who finds no idle CPU at all waits in one queue in the order of weighted virtual time.
 *
 * Good for: machines that are not busy, with fewer tasks than cores, on which the frequency of a core
 * follows its load: builds, shells, servers of moderate load. Saves power, too.
 *
 * Where it fails: with more tasks than CPUs it is as good or bad as simple: one queue, one lock. It looks
 * at CPUs one by one, in the order of their numbers, so it is not for hundreds of them, and it knows no
 * NUMA nodes. It does not know hyperthreads either: a nest of two CPUs may be one core. Left out of the
 * paper's design: its idle loop spins for a moment to keep the core warm; sched_ext has no place for
 * that. cpu.weight and cpu.max of cgroups are not honoured.
 */
#include "policy.h"
#include "nest_cpus.h"
#include "offline.h"
#include "slice.h"
#include "vtime_clock.h"

char _license[] SEC("license") = "GPL";

ABOUT("work kept on few, warm CPUs (Nest, EuroSys 2022)",
      "machines with fewer tasks than cores, where a busy core runs faster");
IGNORES("cpu.weight, cpu.max, cpu.idle");
HOSTABLE(0, "select_cpu enqueue dispatch tick running stopping cpu_online cpu_offline");

#define QUEUE POLICY_DSQ(0)

#define NSEC_PER_USEC 1000ULL
#define MAX_ROUND_NS  (1000 * NSEC_PER_MSEC) /* one round through the queue, at most */

/* The kernel looks at slices on its tick (every 4 ms where HZ=250): less acts like one tick. */
KNOB(u64, slice_us, 5000, 100, 100000, "us", "time a task may run while others wait");
KNOB(u32, patience, 2, 1, 1000, "",
     "times a task finds its last CPU busy before the nest must grow");

STAT(placed_home, "tasks placed on the CPU where they ran twice in a row");
STAT(placed_last, "tasks placed on the primary CPU where they ran last");
STAT(placed_primary, "tasks placed on another CPU of the primary nest");
STAT(placed_reserve, "tasks placed on a CPU of the reserve nest");
STAT(placed_cold, "tasks placed on a CPU of neither nest");
STAT(impatient, "tasks that made the primary nest grow");
STAT(dispatched_queue, "tasks placed in the queue, since no CPU was idle or it used up its slice");
STAT(dispatched_kthread, "kernel threads of one CPU placed there, ahead of the queue");
STAT(idle_kicked, "idle CPUs woken for a task that was not placed on one");

struct task {
	u64 vtime;
	u64 place;	/* the virtual time under which it queued last, or passed the queue by */
	u64 charged_ns; /* of its CPU time, what has been charged or was none of our business */
	s32 last;	/* the CPU where it ran last */
	s32 home;	/* the one where it ran twice in a row; -1: none yet */
	u32 found_busy; /* how often in a row it woke up while the last one was busy */
};

static void task_start(struct task_struct *p, struct task *t)
{
	t->vtime = t->place = vtime_now;
	t->charged_ns = p->se.sum_exec_runtime;
	t->last = t->home = -1;
}

POLICY_TASK_STATE(struct task, task_start);

static u64 slice_ns(void)
{
	u64 slice = slice_us * NSEC_PER_USEC;
	s32 waiting = scx_bpf_dsq_nr_queued(QUEUE);
	u64 longest = MAX_ROUND_NS / (waiting > 0 ? waiting + 1 : 1);

	return slice < longest ? slice : longest;
}

static void charge(struct task_struct *p, struct task *t)
{
	u64 used = p->se.sum_exec_runtime - t->charged_ns;

	t->charged_ns += used;
	t->vtime += used * 100 / p->scx.weight;
}

/* ---- Finding a CPU ---- */

/* Takes a CPU for p if it is in that nest, idle and allowed: from then on it counts as busy. */
static bool take(struct task_struct *p, s32 cpu, u32 nest)
{
	struct cpu *c = cpu_at(cpu);

	return c->nest == nest && bpf_cpumask_test_cpu(cpu, p->cpus_ptr) &&
	       scx_bpf_test_and_clear_cpu_idle(cpu);
}

/* The first idle CPU of a nest that p may use, or -1. */
static s32 take_any(struct task_struct *p, u32 nest, u32 size)
{
	struct cpu *c;
	s32 cpu;

	bpf_for(cpu, 0, (s32)scx_bpf_nr_cpu_ids()) {
		c = cpu_at(cpu);
		if (!size)
			break;
		if (c->nest != nest)
			continue;
		size--;
		if (take(p, cpu, nest))
			return cpu;
	}
	return -1;
}

/* An idle CPU for p, or -1. */
static s32 find_cpu(struct task_struct *p, struct task *t, s32 prev_cpu, u64 wake_flags)
{
	bool impatient, is_idle = false;
	struct cpu *c;
	s32 cpu;

	if (t->home >= 0 && take(p, t->home, PRIMARY)) {
		stat_inc(placed_home);
		t->found_busy = 0;
		return t->home;
	}
	if (take(p, prev_cpu, PRIMARY)) {
		stat_inc(placed_last);
		t->found_busy = 0;
		return prev_cpu;
	}
	c = cpu_at(prev_cpu);
	if (c->began_at)
		t->found_busy++;
	impatient = t->found_busy >= patience;
	if (impatient) {
		stat_inc(impatient);
		t->found_busy = 0;
	} else {
		cpu = take_any(p, PRIMARY, nr_primary);
		if (cpu >= 0) {
			stat_inc(placed_primary);
			return cpu;
		}
	}
	cpu = take(p, prev_cpu, RESERVE) ? prev_cpu : take_any(p, RESERVE, nr_reserve);
	if (cpu >= 0) {
		stat_inc(placed_reserve);
		move_cpu(cpu_at(cpu), PRIMARY);
		return cpu;
	}
	cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &is_idle);
	if (!is_idle)
		return -1;
	stat_inc(placed_cold);
	c = cpu_at(cpu);
	if (impatient)
		move_cpu(c, PRIMARY);
	else if (c->nest == COLD)
		reserve_cpu(c);
	return cpu;
}

/* ---- The callbacks, in the order in which a task meets them ---- */

/* p wakes up: on which CPU? An idle one that is found is p's now: nobody else will use it. */
s32 POLICY_OP(nest_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	struct task *t = POLICY_TASK(p);
	s32 cpu;

	tidy();
	if (!t)
		return prev_cpu;
	cpu = find_cpu(p, t, prev_cpu, wake_flags);
	if (cpu < 0)
		return prev_cpu;
	t->place = vtime_now;
	scx_bpf_dsq_insert(p, SCX_DSQ_LOCAL, slice_ns(), 0);
	return cpu;
}

/* p is runnable and select_cpu found it no idle CPU, or was not asked. */
void POLICY_OP(nest_enqueue, struct task_struct *p, u64 enq_flags)
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
	stat_inc(dispatched_queue);
	t->vtime = vtime_within(t->vtime, vtime_earliest());
	t->place = vtime_place(t->vtime);
	scx_bpf_dsq_insert_vtime(p, QUEUE, slice_ns(), t->place, enq_flags);

	/* A CPU that went idle a moment ago does not look at the queue again by itself. */
	if ((enq_flags & SCX_ENQ_CPU_SELECTED) || !can_kick_cpu())
		return;
	cpu = take_any(p, PRIMARY, nr_primary);
	if (cpu < 0)
		cpu = scx_bpf_pick_idle_cpu(p->cpus_ptr, 0);
	if (cpu >= 0) {
		stat_inc(idle_kicked);
		scx_bpf_kick_cpu(cpu, SCX_KICK_IDLE);
	}
}

/*
 * A CPU has nothing left in its local DSQ. The kernel asks before it puts prev, whose slice is used up,
 * back into the queue: prev goes on if it would come before the first there.
 */
void POLICY_OP(nest_dispatch, s32 cpu, struct task_struct *prev)
{
	s32 leaving = take_leaving();
	struct task *t = NULL;
	u64 first;

	if (leaving != NO_CPU)
		leave_cpu(QUEUE, leaving);
	if (prev && (prev->scx.flags & SCX_TASK_QUEUED))
		t = POLICY_TASK(prev);
	if (t && scx_dsq_first_vtime(QUEUE, &first)) {
		charge(prev, t);
		t->vtime = vtime_within(t->vtime, vtime_earliest());
		if (vtime_before(t->vtime, first)) {
			scx_bpf_task_set_slice(prev, slice_ns());
			advance(t->vtime);
			return;
		}
	}
	if (!scx_bpf_dsq_move_to_local(QUEUE))
		renew_slice(prev, slice_ns());
}

void POLICY_OP(nest_running, struct task_struct *p)
{
	s32 cpu = scx_bpf_task_cpu(p);
	struct task *t = POLICY_TASK(p);
	struct cpu *c = cpu_at(cpu);

	c->began_at = scx_bpf_now() ?: 1;
	if (!t)
		return;
	if (t->last == cpu)
		t->home = cpu;
	t->last = cpu;
	t->charged_ns = p->se.sum_exec_runtime;
	advance(t->place);
}

/*
 * While nobody waits, the queue's virtual time keeps up with whoever runs, or one that had a CPU for
 * itself for a minute would owe that minute to the next that comes.
 */
void POLICY_OP(nest_tick, struct task_struct *p)
{
	struct cpu *c = cpu_at(scx_bpf_task_cpu(p));
	struct task *t = POLICY_TASK(p);

	tidy();
	if (p->nr_cpus_allowed > 1)
		warm_up(c);
	if (!t)
		return;
	charge(p, t);
	if (scx_bpf_dsq_nr_queued(QUEUE) <= 0)
		advance(t->vtime);
}

void POLICY_OP(nest_stopping, struct task_struct *p, bool runnable)
{
	struct task *t = POLICY_TASK(p);
	struct cpu *c = cpu_at(scx_bpf_task_cpu(p));

	c->began_at = 0;
	c->used_at = scx_bpf_now();
	/* The work is done: nothing will come back to where it was. */
	if (!runnable && (p->flags & PF_EXITING) && c->nest == PRIMARY && p->nr_cpus_allowed > 1)
		reserve_cpu(c);
	if (t)
		charge(p, t);
	if (!runnable)
		note_leaving(p);
}

/* Without these two the kernel ends the scheduler at each hotplug, and so at each suspend. */
void POLICY_OP(nest_cpu_online, s32 cpu)
{
}

void POLICY_OP(nest_cpu_offline, s32 cpu)
{
	move_cpu(cpu_at(cpu), COLD);
	leave_cpu(QUEUE, cpu);
}

POLICY_INIT(nest)
{
	clock_start(RATE_ONE / 8, false);
	return policy_create_dsq(0, -1); /* -1: memory from any NUMA node */
}

POLICY_FINI(nest)
{
}

SEC(".struct_ops.link")
struct sched_ext_ops nest = {
	.select_cpu = (void *)nest_select_cpu,
	.enqueue = (void *)nest_enqueue,
	.dispatch = (void *)nest_dispatch,
	.tick = (void *)nest_tick,
	.running = (void *)nest_running,
	.stopping = (void *)nest_stopping,
	.cpu_online = (void *)nest_cpu_online,
	.cpu_offline = (void *)nest_cpu_offline,
	.init = (void *)nest_init,
	.exit = (void *)nest_exit,
	.timeout_ms = 3000,
	.name = "nest",
};
