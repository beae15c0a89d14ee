/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How `central` decides: who wants work, who waits for it, and whose slice has to end for that.
 */
#ifndef SCXHID_CENTRAL_DECIDE_H
#define SCXHID_CENTRAL_DECIDE_H

#include "policy.h"
#include "vtime_clock.h"

#define QUEUE 0

#define NSEC_PER_USEC 1000ULL
#define MAX_CPUS      1024
#define MAX_LOOKED_AT 128 /* tasks at the head of the queue, for each CPU that wants one */
#define LATE_NS	      (20 * NSEC_PER_MSEC)

KNOB(u64, slice_us, 20000, 1000, 100000, "us", "time a task may run while others wait");

STAT(decisions, "tasks given to a CPU, counted on the CPU that decided");
STAT(preempted, "times a CPU was interrupted since its task's slice was over");

struct cpu {
	u64 began_at; /* ns: when the slice of the task on it began; 0: none of ours runs */
	u32 wants;    /* it has no work and waits to be given some */
	u32 told;     /* to end the slice of the task on it */
	u32 online;
};

static struct cpu cpus[MAX_CPUS];
static volatile s32 decider;  /* the central CPU of now */
static volatile u64 asked_at; /* ns: the first request that it has not looked at yet; 0: none */

/* A mask, and no comparison: clang would move the addition above that, and the verifier refuse it. */
static __always_inline struct cpu *cpu_at(u32 cpu)
{
	return &cpus[cpu & (MAX_CPUS - 1)];
}

static u64 slice_ns(void)
{
	return slice_us * NSEC_PER_USEC;
}

/* Whether p may run there: its mask may not yet say that it must not leave its CPU at the moment. */
static bool allowed(struct task_struct *p, s32 cpu)
{
	return bpf_cpumask_test_cpu(cpu, p->cpus_ptr) &&
	       (!p->migration_disabled || scx_bpf_task_cpu(p) == cpu);
}

/* Makes the central CPU decide. */
static void ask(void)
{
	if (!asked_at)
		asked_at = scx_bpf_now() ?: 1;
	scx_bpf_kick_cpu(decider, SCX_KICK_PREEMPT);
}

/* Whether the central CPU does not answer. */
static bool is_late(void)
{
	u64 since = asked_at;

	return since && (s64)(scx_bpf_now() - since) > (s64)LATE_NS;
}

static bool slice_over(struct cpu *c, u64 now)
{
	u64 began_at = c->began_at;

	return began_at && (s64)(now - began_at) >= (s64)slice_ns();
}

/*
 * How far a search through the queue has come. Volatile and not on the stack, or the verifier would
 * follow each count through the loop, for seconds. Two searches at once may both look too far: it is
 * only there to bound what a very long queue costs.
 */
static volatile u32 looked_at;

/* Gives a CPU that wants work the first waiting task that may run there. */
static __noinline bool give(s32 cpu)
{
	struct task_struct *p;

	looked_at = 0;
	bpf_for_each(scx_dsq, p, QUEUE, 0) {
		if (++looked_at > MAX_LOOKED_AT)
			break;
		if (allowed(p, cpu) && scx_bpf_dsq_move(&___it, p, SCX_DSQ_LOCAL_ON | cpu, 0)) {
			stat_inc(decisions);
			return true;
		}
	}
	return false;
}

/* Whether one of those that wait may run there. */
static __noinline bool awaited(s32 cpu)
{
	struct task_struct *p;

	looked_at = 0;
	bpf_for_each(scx_dsq, p, QUEUE, 0) {
		if (++looked_at > MAX_LOOKED_AT)
			break;
		if (allowed(p, cpu))
			return true;
	}
	return false;
}

/*
 * Gives work to all who want some. Where tasks wait for longer, ends slices that are over: of no more
 * CPUs than there are tasks for, of which the central one takes one itself if it is free.
 */
static void decide(s32 self, bool is_free)
{
	s32 cpu, left = scx_bpf_dsq_nr_queued(QUEUE);
	u64 now = scx_bpf_now();
	struct cpu *c;

	asked_at = 0;
	if (left > 0 && is_free && awaited(self))
		left--;
	bpf_for(cpu, 0, (s32)scx_bpf_nr_cpu_ids()) {
		c = cpu_at(cpu);
		if (cpu == self || !c->online)
			continue;
		/* Taken back first: it may have run the task and want the next one before we are done. */
		if (c->wants && __sync_lock_test_and_set(&c->wants, 0)) {
			if (give(cpu)) {
				left--;
				scx_bpf_kick_cpu(cpu, SCX_KICK_IDLE);
			} else {
				c->wants = 1;
			}
		} else if (c->told) {
			left--;
		} else if (slice_over(c, now) &&
			   (scx_bpf_dsq_nr_queued(SCX_DSQ_LOCAL_ON | cpu) > 0 ||
			    (left > 0 && awaited(cpu)))) {
			left--;
			c->told = 1;
			stat_inc(preempted);
			scx_bpf_kick_cpu(cpu, SCX_KICK_PREEMPT);
		}
	}
}

#endif /* SCXHID_CENTRAL_DECIDE_H */
