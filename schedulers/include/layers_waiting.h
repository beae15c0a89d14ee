/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tasks of `layers` that wait: the clock of their queue, how long they do, and who is told of them.
 */
#ifndef SCXHID_LAYERS_WAITING_H
#define SCXHID_LAYERS_WAITING_H

#include "layers_turns.h"

/*
 * Moves a queue's virtual time to that of a task that begins to run. It also moves with real time, a
 * little: after SLOWEST_RATE * (MAX_BEHIND_NS + MAX_AHEAD_NS) all that newly queue do so behind one
 * that has waited since.
 */
static void advance(struct queue *q, u64 vtime, u64 now)
{
	u64 to = q->vtime_now;

	if (vtime_before(q->advanced_at, now))
		to += (now - q->advanced_at) / SLOWEST_RATE;
	if (vtime_before(to, vtime))
		to = vtime;
	q->advanced_at = now;
	q->vtime_now = to;
}

static void begin_wait(struct task_struct *p, struct layers_task *t)
{
	struct layer_count *count = count_of(t->layer);

	if (t->input_ns)
		stat_inc(for_input);
	t->queued_at = scx_bpf_now();
	if (count)
		count->enqueued++;
}

static void end_wait(struct layers_task *t, u64 now)
{
	struct layer_count *count = count_of(t->layer);
	u64 waited = vtime_before(t->queued_at, now) ? now - t->queued_at : 0;
	u32 bucket = log2_of(waited >> 10);

	if (count && t->queued_at) {
		count->wait_ns += waited;
		count->waits[bucket < WAIT_BUCKETS ? bucket : WAIT_BUCKETS - 1]++;
	}
	t->queued_at = 0;
}

/* p waits and may run on one CPU only: its layer's turn comes sooner there. */
static void begin_pinned_wait(struct task_struct *p, struct layers_task *t)
{
	s32 cpu = scx_bpf_task_cpu(p);
	struct cpu_state *cs = cpu_state_of(cpu);

	if (!cs || t->pinned_cpu_1 || t->queue >= NR_QUEUES)
		return;
	__sync_fetch_and_add(&cs->nr_pinned[t->queue], 1);
	t->pinned_cpu_1 = cpu + 1;
	t->pinned_queue = t->queue;
}

static void end_pinned_wait(struct layers_task *t)
{
	struct cpu_state *cs;
	u32 queue = t->pinned_queue;

	if (!t->pinned_cpu_1)
		return;
	cs = cpu_state_of(t->pinned_cpu_1 - 1);
	if (cs && queue < NR_QUEUES && cs->nr_pinned[queue])
		__sync_fetch_and_add(&cs->nr_pinned[queue], -1);
	t->pinned_cpu_1 = 0;
}

/* Lets a CPU that is idle look at the queues: it does not by itself. */
static void wake_idle_cpu(struct task_struct *p, const struct layer *layer, u32 queue)
{
	s32 cpu;

	if (!can_kick_cpu())
		return;
	if (queue != ANYWHERE && has_own_cpus(layer, queue))
		cpu = claim_idle(p, layer, scx_bpf_task_cpu(p));
	else
		cpu = scx_bpf_pick_idle_cpu(p->cpus_ptr, 0);
	if (cpu >= 0) {
		stat_inc(idle_kicked);
		scx_bpf_kick_cpu(cpu, SCX_KICK_IDLE);
	}
}

#endif /* SCXHID_LAYERS_WAITING_H */
