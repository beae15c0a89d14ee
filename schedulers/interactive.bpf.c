// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * interactive: whoever sleeps a lot runs at once, whoever computes shares what is left.
 *
 * The idea is a virtual deadline, made of two things that a task shows by itself:
 *  - its virtual time: the CPU time that it has had, divided by its weight (nice value). A task that
 *    slept is behind the others, by credit_us at most, and so comes before them;
 *  - its burst: how long it has computed since it last slept, up to burst_us.
 * The task with the earliest deadline runs. One that wakes takes the CPU from one that runs, if its
 * deadline is earlier by preempt_us: a key press, a frame or a sound buffer does not wait for the end
 * of a compiler's slice. A task that wakes and then computes loses both advantages while it does,
 * nanosecond by nanosecond, so there is nothing to be won by pretending: over time everyone gets the
 * share that the weights say. Two tasks that pass work to and fro (WAKE_SYNC) stay on one CPU.
 *
 * Tasks wait in one queue per last-level cache. Idle CPUs are the kernel's choice (it knows caches,
 * SMT and NUMA); one that finds its own queue empty takes from the others', and a task whose slice
 * ends moves now and then to a queue that is much shorter. Tasks that may run on one CPU only wait in
 * a queue of that CPU: nobody else has to look past them. Where cores differ in speed, idle fast ones
 * are taken first. Slices shrink as more tasks wait.
 *
 * Good for: desktops, games, sound, and terminals on a machine that also compiles; up to 512 CPUs, any
 * number of caches, one or more types of core.
 *
 * Where it fails: it knows tasks and no groups, so that a program of 40 busy threads gets 40 shares;
 * cpu.weight and cpu.max of cgroups are not honoured. A program that computes without a pause, a game
 * that uses a whole core for example, is no sleeper: it gets its fair share and no more, unless it is
 * given a nice value. Fairness is exact within a queue and approximate between them. Very light tasks
 * get more than their weight says among very heavy ones, since nobody may wait for long. The kernel
 * looks at slices on its tick only: where HZ=250, busy tasks take turns of 4 ms however short slices are.
 */
#include "policy.h"
#include "offline.h"
#include "input.h"

char _license[] SEC("license") = "GPL";

ABOUT("virtual deadlines from how tasks sleep and wake, one queue per last-level cache",
      "desktops, games and sound beside heavy work; everyday use");
IGNORES("cpu.weight, cpu.max, cpu.idle");
HOSTABLE(0, "select_cpu enqueue dispatch running stopping cpu_online cpu_offline");

#define MAX_CPUS 512

#define NSEC_PER_USEC 1000ULL
#define NSEC_PER_MSEC 1000000ULL

/* A waker is believed that it is about to sleep, if it has not computed for longer than this. */
#define SYNC_BURST_NS (500 * NSEC_PER_USEC)

KNOB(u64, slice_us, 6000, 100, 100000, "us",
     "time a task may run while nobody waits; less if many do");
KNOB(u64, slice_min_us, 1000, 100, 20000, "us", "what is left of it however many wait");
KNOB(u64, credit_us, 20000, 0, 30000, "us", "CPU time that a sleeper may save up");
KNOB(u64, burst_us, 10000, 0, 30000, "us", "time at a stretch after which a task counts as busy");
KNOB(u64, preempt_us, 8000, 0, 100000, "us",
     "how much earlier a deadline must be to interrupt a task");
KNOB(bool, fast_first, true, false, true, "", "take idle fast cores first, where cores differ");
KNOB(bool, input, true, false, true, "", "let tasks that input woke go first (scxhid input on)");
KNOB_AT_LOAD(u32, queue_cpus, 0, 0, MAX_CPUS, "",
	     "CPUs that share a queue; 0: those that share a last-level cache");
KNOB_AT_LOAD(u32, fast_cpus, 0, 0, MAX_CPUS, "",
	     "how many of the first CPUs are fast cores; 0: as the kernel says");

STAT(woken_idle, "tasks that woke straight onto an idle CPU");
STAT(woken_fast, "of these, onto a fast core by preference");
STAT(preempted, "tasks that took the CPU from a running one as they woke");
STAT(followed, "tasks that woke to run after their waker on its CPU");
STAT(queued, "tasks placed in the queue of a cache");
STAT(queued_pinned, "tasks placed in the queue of the only CPU they may use");
STAT(continued, "times a task at the end of its slice was still first");
STAT(stolen, "tasks taken from the queue of another cache");
STAT(rebalanced, "tasks moved to a shorter queue at the end of a slice");
STAT(raised, "tasks back from sleep, brought up to the credit they may have");
STAT(lowered, "tasks far ahead of the others, brought back to them");
STAT(input_preempted, "tasks that took the CPU from a running one since input woke them");
STAT(input_waited, "tasks that input woke and that came next, or to the front of a queue");

#include "interactive_deadline.h" /* uses the above */
#include "interactive_cpus.h"
#include "interactive_pick.h"

/* ---- The callbacks, in the order in which a task meets them ---- */

/* p wakes up, and may use more than one CPU: on which does it run, or wait? */
s32 POLICY_OP(interactive_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	const struct cpu *here = cpu_of(bpf_get_smp_processor_id());
	bool is_sync = wake_flags & SCX_WAKE_SYNC, is_brief, is_idle = false;
	s32 cpu, busy;

	/*
	 * To the kernel's search, SYNC may mean the waker's own CPU though others are idle, and there p
	 * waits until the waker sleeps. One that has computed for long will perhaps go on.
	 */
	is_brief = is_sync && here && here->at &&
		   here->run_burst_ns + scx_bpf_now() - here->at < SYNC_BURST_NS;
	if (!is_brief)
		wake_flags &= ~SCX_WAKE_SYNC;

	cpu = pick_fast(p, prev_cpu);
	if (cpu >= 0) {
		stat_inc(woken_fast);
		is_idle = true;
	} else {
		cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &is_idle);
	}
	if (is_idle) {
		stat_inc(woken_idle);
		/* By now it may have begun with a task from a queue, whose whole slice p would wait for. */
		scx_bpf_dsq_insert(p, SCX_DSQ_LOCAL, slice_us * NSEC_PER_USEC, SCX_ENQ_PREEMPT);
		return cpu;
	}
	busy = pick_first(p, prev_cpu, is_sync && is_brief);
	if (busy >= 0)
		return busy;
	busy = cpu == prev_cpu ? pick_busy(p, prev_cpu, is_sync, is_brief) : -1;
	return busy >= 0 ? busy : cpu;
}

/* p has to wait: nothing idle was found for it, or it may use one CPU only, or its slice ended. */
void POLICY_OP(interactive_enqueue, struct task_struct *p, u64 enq_flags)
{
	struct interactive_task *t = POLICY_TASK(p);
	s32 cpu = scx_bpf_task_cpu(p), idle;
	struct cpu *c = cpu_of(cpu);
	bool is_pinned = p->nr_cpus_allowed == 1, preempts;
	u64 deadline, now = scx_bpf_now(), min_ns, first_ns;
	struct queue *q;
	u32 n;

	if (!t || !c) {
		scx_bpf_dsq_insert(p, SCX_DSQ_GLOBAL, slice_us * NSEC_PER_USEC, enq_flags);
		return;
	}
	n = is_pinned ? nr_caches + cpu : c->cache;
	if (!is_pinned && !(enq_flags & SCX_ENQ_WAKEUP))
		n = pick_queue(p, n);
	q = queue_of(n);
	if (!q)
		return;
	min_ns = bpf_get_smp_processor_id() == (u32)cpu ? min_run_ns(t, now) : 0;
	place(t, q, n, p->scx.weight);
	deadline = deadline_of(t);
	first_ns = first_for(p, &preempts);
	if (first_ns && is_pinned && (enq_flags & SCX_ENQ_WAKEUP)) {
		if (preempts && !runs_first(c, now))
			take_first(p, c, first_ns, enq_flags);
		else
			come_next(p, first_ns, enq_flags);
		return;
	}
	if (first_ns)
		deadline = front_of(q);

	/* select_cpu is not asked for pinned tasks. A wakeup comes with the CPU's lock: no need to kick. */
	if (is_pinned && (enq_flags & SCX_ENQ_WAKEUP) &&
	    may_preempt(c, n, deadline - q->vtime, now, min_ns) && is_free_to_take(c, cpu)) {
		stat_inc(preempted);
		scx_bpf_dsq_insert(p, SCX_DSQ_LOCAL, slice_of(n), enq_flags | SCX_ENQ_PREEMPT);
		return;
	}
	scx_bpf_dsq_insert_vtime(p, POLICY_DSQ(n), first_ns ?: slice_of(n), deadline, enq_flags);
	if (is_pinned) {
		stat_inc(queued_pinned);
		c->has_pinned = true;
		return;
	}
	stat_inc(queued);

	/* A CPU that went idle a moment ago does not look at the queue again by itself. */
	if ((enq_flags & SCX_ENQ_CPU_SELECTED) || !can_kick_cpu())
		return;
	idle = scx_bpf_pick_idle_cpu(p->cpus_ptr, 0);
	if (idle >= 0)
		scx_bpf_kick_cpu(idle, SCX_KICK_IDLE);
}

/* Takes a task from the queue of another cache: of one without CPUs if only_orphans, or of any. */
__noinline int steal(const struct cpu *c __arg_nonnull, bool only_orphans)
{
	struct queue *q;
	u32 i, n;

	bpf_for(i, 1, nr_caches) {
		n = c->cache + i < nr_caches ? c->cache + i : c->cache + i - nr_caches;
		q = queue_of(n);
		if (!q || (only_orphans && q->nr_cpus))
			continue;
		if (scx_bpf_dsq_move_to_local(POLICY_DSQ(n))) {
			stat_inc(stolen);
			return true;
		}
	}
	return false;
}

/* Who waits in the CPU's own queue waits for this CPU alone; in the cache's, perhaps. */
static void leave(s32 cpu)
{
	const struct cpu *c = cpu_of(cpu);

	if (!c)
		return;
	leave_cpu(POLICY_DSQ(nr_caches + cpu), cpu);
	leave_cpu(POLICY_DSQ(c->cache), cpu);
}

/* Whether prev, whose slice ended, comes before all that wait for the CPU; if so it goes on. */
static bool goes_on(struct cpu *c, u32 own, struct task_struct *prev, s64 first, u64 now)
{
	struct interactive_task *t = POLICY_TASK(prev);
	struct queue *q = queue_of(c->run_queue);
	s64 distance;

	if (!t || !q || !runs_known(c))
		return false;
	charge(c, own, prev, t);
	place(t, q, c->run_queue, prev->scx.weight);
	distance = deadline_of(t) - q->vtime;
	if (c->run_queue != c->cache)
		distance -= c->debt_ns;
	if (distance > first)
		return false;
	if (first == MAX_DISTANCE) /* nobody competes, and it owes nobody for running on */
		clock_advance(q, t->vtime);
	else
		stat_inc(continued);
	begin(c, prev, t, now);
	scx_bpf_task_set_slice(prev, slice_of(c->run_queue));
	return true;
}

/* The CPU has nothing more to run, but prev if that is runnable. */
void POLICY_OP(interactive_dispatch, s32 cpu, struct task_struct *prev)
{
	bool is_runnable = prev && (prev->scx.flags & SCX_TASK_QUEUED);
	u32 own = nr_caches + cpu, n;
	struct cpu *c = cpu_of(cpu);
	struct queue *shared, *pinned = queue_of(own);
	s32 leaving = take_leaving();
	u64 now;
	s64 first;

	if (!c || !pinned)
		return;
	if (leaving != NO_CPU)
		leave(leaving);
	n = c->cache;
	shared = queue_of(n);
	if (!shared || (nr_orphaned && steal(c, true)))
		return;
	if (is_runnable || c->has_pinned) {
		now = scx_bpf_now();
		clock_tick(shared, n, now);
		clock_tick(pinned, own, now);
		first = first_waiting(c, own, &n, true);
		if (is_runnable && goes_on(c, own, prev, first, now))
			return;
	}
	if (scx_bpf_dsq_move_to_local(POLICY_DSQ(n)))
		return;
	if (c->has_pinned && scx_bpf_dsq_move_to_local(POLICY_DSQ(n == own ? c->cache : own)))
		return;
	if (is_runnable) /* nobody else may run here; the kernel would give it 20 ms */
		scx_bpf_task_set_slice(prev, slice_of(c->cache));
	else
		steal(c, false);
}

/* p gets a CPU. */
void POLICY_OP(interactive_running, struct task_struct *p)
{
	struct interactive_task *t = POLICY_TASK(p);
	s32 cpu = scx_bpf_task_cpu(p);
	struct cpu *c = cpu_of(cpu);
	struct queue *q;
	u64 now = scx_bpf_now(), first_ns;
	bool preempts;
	u32 n;

	if (!t || !c)
		return;
	if (!c->is_online)
		count_in(cpu, c); /* hosted, it came while another scheduler was current */
	n = p->nr_cpus_allowed == 1 ? nr_caches + cpu : c->cache;
	q = queue_of(n);
	if (!q)
		return;
	clock_tick(q, n, now);
	if (t->slept_at || t->queue != n)
		place(t, q, n, p->scx.weight); /* it met no queue, or was stolen from another */
	clock_advance(q, t->vtime);
	begin(c, p, t, now);
	first_ns = first_for(p, &preempts);
	c->first_until = first_ns ? now + first_ns : 0;
	c->is_cut = false;
}

/* p leaves the CPU. */
void POLICY_OP(interactive_stopping, struct task_struct *p, bool runnable)
{
	struct interactive_task *t = POLICY_TASK(p);
	s32 cpu = scx_bpf_task_cpu(p);
	struct cpu *c = cpu_of(cpu);

	if (!t || !c)
		return;
	c->at = 0;
	c->epoch = policy_epoch;
	charge(c, nr_caches + cpu, p, t);
	c->is_cut = runnable && p->scx.slice;
	if (runnable) {
		c->run_vtime = t->vtime;
		c->run_burst_ns = t->burst_ns;
		return;
	}
	t->slept_at = scx_bpf_now();
	note_leaving(p);
}

/* A CPU that was not there at the start shares the queue of those with the same cache. */
void POLICY_OP(interactive_cpu_online, s32 cpu)
{
	struct cpu *c = cpu_of(cpu);
	u32 n;

	if (!c)
		return;
	if (!c->was_online) {
		n = cache_of(cpu);
		c->cache =
			n < nr_caches ? n : 0; /* a new cache has no queue: none is made any more */
	}
	c->was_online = true;
	count_in(cpu, c);
}

void POLICY_OP(interactive_cpu_offline, s32 cpu)
{
	struct cpu *c = cpu_of(cpu);

	if (!c)
		return;
	count_out(cpu, c);
	leave(cpu);
}

POLICY_INIT(interactive)
{
	s32 err;
	u32 n;

	err = find_cpus();
	if (err)
		return err;
	bpf_for(n, 0, nr_caches + nr_cpus) {
		err = policy_create_dsq(n, -1); /* -1: memory from any NUMA node */
		if (err)
			return err;
	}
	return 0;
}

POLICY_FINI(interactive)
{
}

SEC(".struct_ops.link")
struct sched_ext_ops interactive = {
	.select_cpu = (void *)interactive_select_cpu,
	.enqueue = (void *)interactive_enqueue,
	.dispatch = (void *)interactive_dispatch,
	.running = (void *)interactive_running,
	.stopping = (void *)interactive_stopping,
	.cpu_online = (void *)interactive_cpu_online,
	.cpu_offline = (void *)interactive_cpu_offline,
	.init = (void *)interactive_init,
	.exit = (void *)interactive_exit,
	.timeout_ms = 3000,
	.name = "interactive",
};
