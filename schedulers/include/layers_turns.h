/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whose turn it is on a CPU: the shares of layers.
 *
 * Each CPU keeps for each layer a virtual time: what it gave the layer, divided by the layer's
 * weight. The layer with the least has its turn.
 */
#ifndef SCXHID_LAYERS_TURNS_H
#define SCXHID_LAYERS_TURNS_H

#include "layers_cpus.h"

/* How far a layer that had nothing to run may stand behind the others on a CPU. */
#define LAYER_BEHIND_NS (20 * NSEC_PER_MSEC)

/* One round through the queue of a layer should not take longer than this. */
#define MAX_ROUND_NS (400 * NSEC_PER_MSEC)

/* The virtual time of a layer on a CPU, brought up to the others if it had nothing to run. */
static u64 layer_vtime(const struct cpu_state *cs, u32 queue)
{
	u64 vtime, least = cs->vtime_now - LAYER_BEHIND_NS;

	if (queue >= NR_QUEUES)
		return least;
	vtime = cs->vtime[queue];
	return vtime_before(vtime, least) ? least : vtime;
}

/* The same as it counts for whose turn it is. */
static u64 turn_of(const struct cpu_state *cs, const struct layer *layer, u32 queue)
{
	u64 bonus = latency_bonus_us * NSEC_PER_USEC, vtime = layer_vtime(cs, queue);

	if (layer->latency == LATENCY_INTERACTIVE)
		return vtime - bonus;
	return layer->latency == LATENCY_BATCH ? vtime + bonus : vtime;
}

/* A task of that queue begins to run on the CPU, or goes on. */
static void give_turn(struct cpu_state *cs, u32 queue, u64 now)
{
	if (queue >= NR_QUEUES)
		return;
	cs->vtime[queue] = layer_vtime(cs, queue);
	if (vtime_before(cs->vtime_now, cs->vtime[queue]))
		cs->vtime_now = cs->vtime[queue];
	cs->served_at[queue] = now;
}

/* Accounts for what p has run since the last time. */
static void charge(struct task_struct *p, struct layers_task *t, struct cpu_state *cs,
		   struct rule_table *table)
{
	u64 total = p->se.sum_exec_runtime, used = total - t->charged;
	struct layer_count *count = count_of(t->layer);
	u32 queue = t->queue;

	t->charged = total;
	t->vtime += used * 100 / (p->scx.weight ?: 1);
	t->home_vtime += used * 100 / (p->scx.weight ?: 1); /* of no meaning while it is at home */
	if (count)
		count->run_ns += used;
	if (queue < NR_QUEUES)
		cs->vtime[queue] += used * 100 / weight_of(layer_at(table, queue));
}

static u64 slice_of(const struct layers_task *t, const struct layer *layer, u32 queue)
{
	s32 waiting = scx_bpf_dsq_nr_queued(POLICY_DSQ(queue));
	u64 longest = MAX_ROUND_NS / ((waiting > 0 ? waiting : 0) / nr_cpus() + 1);
	u64 slice = layer->slice_ns < longest ? layer->slice_ns : longest;

	if (t->input_ns && t->input_ns < slice)
		slice = t->input_ns;
	return slice > 100 * NSEC_PER_USEC ? slice : 100 * NSEC_PER_USEC;
}

/* How a queue stands to a CPU. */
enum claim { CLAIM_NONE, CLAIM_SHARE, CLAIM_OVERDUE };

/*
 * Whether the CPU should take from that queue, and whether for more than its share. Since when the
 * queue has waited is in served_at. A function of its own to the verifier: that of 6.18 loses its
 * way ("backtracking call unexpected regs") if it meets this inside the loop below.
 */
__noinline u32 claim_of(s32 cpu, u32 queue, u64 now)
{
	struct cpu_state *cs = cpu_state_of(cpu);
	struct rule_table *table = table_of(rules_version);
	u32 nr = nr_cpus();
	s32 waiting;
	u64 longest;

	if (!cs || !table || !nr || queue >= NR_QUEUES)
		return CLAIM_NONE;
	waiting = scx_bpf_dsq_nr_queued(POLICY_DSQ(queue));
	if (waiting <= 0 || !serves(table, queue, cpu, now)) {
		cs->served_at[queue] = now;
		return CLAIM_NONE;
	}
	if (!cs->served_at[queue])
		cs->served_at[queue] = now;
	longest = longest_wait_ms * NSEC_PER_MSEC /
		  (1 + (u32)waiting / nr + (u32)cs->nr_pinned[queue]);
	return now - cs->served_at[queue] > longest ? CLAIM_OVERDUE : CLAIM_SHARE;
}

/*
 * The queue that a CPU should take from now, of those whose bit in passed is not set; NOTHING if
 * all that it serves are empty. Sets is_overdue if that is not a matter of shares.
 */
__noinline u32 queue_to_serve(s32 cpu, u64 now, u64 passed)
{
	struct cpu_state *cs = cpu_state_of(cpu);
	struct rule_table *table = table_of(rules_version);
	u32 q, best = NOTHING, late = NOTHING;
	u64 best_turn = 0, late_since = 0;

	if (!cs || !table)
		return NOTHING;
	bpf_for(q, 0, NR_QUEUES) {
		u64 turn;
		u32 claim;

		if (q >= NR_QUEUES || !((used_queues & ~passed) >> q & 1))
			continue;
		claim = claim_of(cpu, q, now);
		if (claim == CLAIM_NONE)
			continue;
		if (claim == CLAIM_OVERDUE && (late == NOTHING || cs->served_at[q] < late_since)) {
			late = q;
			late_since = cs->served_at[q];
		}
		turn = turn_of(cs, layer_at(table, q), q);
		if (best == NOTHING || vtime_before(turn, best_turn)) {
			best = q;
			best_turn = turn;
		}
	}
	cs->is_overdue = late != NOTHING;
	return late != NOTHING ? late : best;
}

/* The queue of the task that has a CPU, or will have it again when another class leaves it. */
static u32 holder_of(const struct cpu_state *cs)
{
	return cs->running != NOTHING ? cs->running : cs->cut;
}

/* Whether a task of that queue, which wakes, may go before the one that has a CPU. */
static bool may_preempt(struct rule_table *table, struct layer *layer, u32 queue, s32 cpu)
{
	struct cpu_state *cs = cpu_state_of(cpu);
	struct layer *other;
	u32 holder;

	if (!cs)
		return false;
	holder = holder_of(cs);
	if (holder >= NR_QUEUES)
		return false;
	other = layer_at(table, holder);
	/* Not for a layer that has had its share of this CPU: it would take it from the others. */
	return !other->preempt &&
	       vtime_before(turn_of(cs, layer, queue), turn_of(cs, other, holder));
}

#endif /* SCXHID_LAYERS_TURNS_H */
