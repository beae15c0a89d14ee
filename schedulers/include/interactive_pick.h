/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What `interactive` does for a task for which no CPU is idle: whom it may interrupt, whom it may
 * follow, and in which queue it waits.
 */
#ifndef SCXHID_INTERACTIVE_PICK_H
#define SCXHID_INTERACTIVE_PICK_H

#include "interactive_deadline.h"

/* How many CPUs beside the one that it ran on are looked at for a task that is in a hurry. */
#define MAX_VICTIMS 4

/* A CPU near prev_cpu whose task p, this far from the clock, may interrupt; negative if none is found. */
static s32 pick_victim(const struct task_struct *p, s32 prev_cpu, u32 n, s64 distance, u64 min_ns)
{
	u64 now = scx_bpf_now();
	const struct cpu *c;
	s32 cpu, i;

	bpf_for(i, 0, MAX_VICTIMS + 1) {
		cpu = prev_cpu + i < nr_cpus ? prev_cpu + i : prev_cpu + i - nr_cpus;
		c = cpu_of(cpu);
		if (c && c->cache == n && may_preempt(c, n, distance, now, min_ns) &&
		    bpf_cpumask_test_cpu(cpu, p->cpus_ptr) &&
		    !scx_bpf_dsq_nr_queued(SCX_DSQ_LOCAL_ON | cpu))
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
