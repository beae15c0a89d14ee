/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What `interactive` does for a task for which no CPU is idle: whom it may interrupt, whom it may
 * follow, and in which queue it waits.
 */
#ifndef SCXHID_INTERACTIVE_PICK_H
#define SCXHID_INTERACTIVE_PICK_H

#include "input.h"
#include "interactive_deadline.h"

/* How many CPUs beside the one that it ran on are looked at for a task that is in a hurry. */
#define MAX_VICTIMS 4

/* More than a task can be behind its queue's clock, so that it comes before all of them. */
#define FRONT_NS (500 * NSEC_PER_MSEC)

/* The i-th CPU from prev_cpu on that shares queue n and that p may use; negative if that is none. */
static s32 victim_of(const struct task_struct *p, s32 prev_cpu, s32 i, u32 n)
{
	s32 cpu = prev_cpu + i;
	const struct cpu *c;

	if (i >= nr_cpus)
		return -1; /* once around */
	if (cpu >= nr_cpus)
		cpu -= nr_cpus;
	c = cpu_of(cpu);
	return c && c->is_online && c->cache == n && bpf_cpumask_test_cpu(cpu, p->cpus_ptr) ? cpu :
											      -1;
}

/* A CPU near prev_cpu whose task p, this far from the clock, may interrupt; negative if none is found. */
static s32 pick_victim(const struct task_struct *p, s32 prev_cpu, u32 n, s64 distance, u64 min_ns)
{
	u64 now = scx_bpf_now();
	const struct cpu *c;
	s32 cpu, i;

	bpf_for(i, 0, MAX_VICTIMS + 1) {
		cpu = victim_of(p, prev_cpu, i, n);
		c = cpu_of(cpu);
		if (c && may_preempt(c, n, distance, now, min_ns) && is_free_to_take(c, cpu))
			return cpu;
	}
	return -1;
}

/* Whether p may run after its waker on the waker's CPU: nobody who waits there comes before it. */
static bool may_follow(const struct task_struct *p, struct cpu *c, s32 cpu, s64 distance)
{
	u32 n = 0;

	return c->at && bpf_cpumask_test_cpu(cpu, p->cpus_ptr) &&
	       !scx_bpf_dsq_nr_queued(SCX_DSQ_LOCAL_ON | cpu) &&
	       distance <= first_waiting(c, nr_caches + cpu, &n, false);
}

/*
 * No CPU is idle for p: finds one that it may run on all the same, and at once, or lets it wait in the
 * queue for prev_cpu. Negative, and nothing done, where there is no memory for p.
 */
static s32 pick_busy(struct task_struct *p, s32 prev_cpu, bool is_sync, bool is_brief)
{
	s32 this_cpu = bpf_get_smp_processor_id(), cpu;
	struct cpu *here = cpu_of(this_cpu), *prev = cpu_of(prev_cpu);
	struct interactive_task *t = POLICY_TASK(p);
	struct queue *q = prev ? queue_of(prev->cache) : NULL;
	u64 deadline;
	s64 distance;
	u32 n;

	if (!t || !here || !q)
		return -1;
	n = prev->cache;
	place(t, q, n, p->scx.weight);
	deadline = deadline_of(t);
	distance = deadline - q->vtime;
	if (is_brief && here->cache == n && may_follow(p, here, this_cpu, distance)) {
		stat_inc(followed);
		scx_bpf_dsq_insert(p, SCX_DSQ_LOCAL, slice_of(n), 0);
		return this_cpu;
	}
	cpu = pick_victim(p, prev_cpu, n, distance, is_sync ? SYNC_RUN_NS : 0);
	if (cpu >= 0) {
		stat_inc(preempted);
		scx_bpf_dsq_insert(p, SCX_DSQ_LOCAL, slice_of(n), SCX_ENQ_PREEMPT);
		return cpu;
	}
	stat_inc(queued); /* here rather than in enqueue: that is one call less */
	scx_bpf_dsq_insert_vtime(p, POLICY_DSQ(n), slice_of(n), deadline, 0);
	return prev_cpu;
}

/* ---- tasks that input woke (input.h) ---- */

/* For how long p goes before others, ns; 0: it does not. */
static u64 first_for(struct task_struct *p, bool *preempts)
{
	*preempts = false;
	return input ? input_first_how(p, preempts) : 0;
}

/*
 * Lets p take the CPU c before all that wait there. Where another class runs (a thread that serves an
 * interrupt, and has woken p) it comes next, before the task that was interrupted.
 */
static void take_first(struct task_struct *p, struct cpu *c, u64 first_ns, u64 flags)
{
	stat_inc(input_preempted);
	c->first_until = scx_bpf_now() + first_ns;
	scx_bpf_dsq_insert(p, SCX_DSQ_LOCAL, first_ns, flags | SCX_ENQ_PREEMPT);
}

/* Lets it come next, when the task that runs there has to stop. */
static void come_next(struct task_struct *p, u64 first_ns, u64 flags)
{
	stat_inc(input_waited);
	scx_bpf_dsq_insert(p, SCX_DSQ_LOCAL, first_ns, flags | SCX_ENQ_HEAD);
}

/* A deadline before that of every task in the queue that input did not wake. */
static u64 front_of(const struct queue *q)
{
	return q->vtime - FRONT_NS;
}

/*
 * No CPU is idle for p. If input woke it, it takes one of those near prev_cpu, or else goes to the front
 * of the queue; who wakes it and is about to sleep is waited for. Negative, and nothing done, if it is
 * like any other.
 */
static s32 pick_first(struct task_struct *p, s32 prev_cpu, bool is_brief)
{
	s32 this_cpu = bpf_get_smp_processor_id(), cpu, i;
	u64 now = scx_bpf_now(), first_ns;
	const struct cpu *here = cpu_of(this_cpu);
	struct interactive_task *t;
	struct cpu *prev, *c;
	struct queue *q;
	bool preempts;

	first_ns = first_for(p, &preempts);
	if (!first_ns || p->nr_cpus_allowed == 1)
		return -1;
	t = POLICY_TASK(p);
	prev = cpu_of(prev_cpu);
	q = prev ? queue_of(prev->cache) : NULL;
	if (!t || !q)
		return -1;
	place(t, q, prev->cache, p->scx.weight);
	if (is_brief && here && here->at && here->cache == prev->cache &&
	    bpf_cpumask_test_cpu(this_cpu, p->cpus_ptr)) {
		stat_inc(followed);
		come_next(p, first_ns, 0);
		return this_cpu;
	}
	bpf_for(i, 0, preempts ? MAX_VICTIMS + 1 : 0) {
		cpu = victim_of(p, prev_cpu, i, prev->cache);
		c = cpu_of(cpu);
		if (c && c->at && !runs_first(c, now)) {
			take_first(p, c, first_ns, 0);
			return cpu;
		}
	}
	if (preempts &&
	    !runs_first(prev, now)) { /* another class has all of them, this one as well */
		take_first(p, prev, first_ns, 0);
		return prev_cpu;
	}
	/* What waits on the CPU itself is not in the queue, and would come before its front. */
	if (scx_bpf_dsq_nr_queued(SCX_DSQ_LOCAL_ON | prev_cpu)) {
		come_next(p, first_ns, 0);
		return prev_cpu;
	}
	stat_inc(input_waited);
	scx_bpf_dsq_insert_vtime(p, POLICY_DSQ(prev->cache), first_ns, front_of(q), 0);
	return prev_cpu;
}

/* For a task whose slice ended: another queue in which it waits much less, now and then; or its own. */
static u32 pick_queue(const struct task_struct *p, u32 n)
{
	u32 other, waiting, there;
	struct queue *q, *o;

	if (nr_caches < 2 || bpf_get_prandom_u32() % 8)
		return n;
	other = bpf_get_prandom_u32() % nr_caches;
	q = queue_of(n);
	o = queue_of(other);
	if (!q || !o || !o->nr_cpus || other == n || !bpf_cpumask_test_cpu(o->cpu, p->cpus_ptr))
		return n;
	waiting = scx_bpf_dsq_nr_queued(POLICY_DSQ(n));
	there = scx_bpf_dsq_nr_queued(POLICY_DSQ(other));
	if (waiting * o->nr_cpus <= (there + 2) * q->nr_cpus)
		return n;
	stat_inc(rebalanced);
	return other;
}

#endif /* SCXHID_INTERACTIVE_PICK_H */
