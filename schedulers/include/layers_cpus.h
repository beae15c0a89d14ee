/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The CPUs of layers: which serve which queue, and where a task may go.
 *
 * A layer's set of CPUs is honoured as far as it can be. Where all of the set are offline, or a task
 * may run on none of them, the task runs anywhere.
 */
#ifndef SCXHID_LAYERS_CPUS_H
#define SCXHID_LAYERS_CPUS_H

#include "layers_state.h"

/* How often the CPUs that are online are looked up, besides at each hotplug. */
#define LOOK_UP_NS (100 * NSEC_PER_MSEC)

/* After a CPU went offline, every CPU serves every layer for so long: see serves(). */
#define SWEEP_NS (1000 * NSEC_PER_MSEC)

static u64 usable[CPU_WORDS];	     /* CPUs that are online and not about to leave */
static u64 going_offline[CPU_WORDS]; /* CPUs that the kernel said are going offline */
static u64 deserted;		     /* bit n: no CPU of layer n is usable */
static u64 looked_up_at;	     /* when both were found, ns */
static u64 looked_up_version;	     /* for which rules */
static u64 looked_up_epoch;
static u64 swept_until; /* ns */

static void look_up_cpus(struct rule_table *table, u64 now)
{
	const struct cpumask *online;
	u32 layer, word, nr = nr_cpus();
	u64 none = 0;

	looked_up_at = now;
	looked_up_version = rules_version;
	if (looked_up_epoch != policy_epoch) { /* what happened before nobody told */
		looked_up_epoch = policy_epoch;
		__builtin_memset(going_offline, 0, sizeof(going_offline));
	}
	online = scx_bpf_get_online_cpumask();
	bpf_probe_read_kernel(usable, sizeof(usable), online);
	scx_bpf_put_cpumask(online);
	bpf_for(word, 0, CPU_WORDS) {
		u64 real = word * 64 + 64 <= nr ? ~0ULL :
			   word * 64 < nr	? (1ULL << (nr & 63)) - 1 :
						  0;

		usable[word & (CPU_WORDS - 1)] &= real & ~going_offline[word & (CPU_WORDS - 1)];
	}
	bpf_for(layer, 0, MAX_LAYERS) {
		struct layer *l = &table->layers[layer & (MAX_LAYERS - 1)];
		u64 found = 0;

		if (!l->has_cpus)
			continue;
		bpf_for(word, 0, CPU_WORDS)
			found |= l->cpus[word & (CPU_WORDS - 1)] & usable[word & (CPU_WORDS - 1)];
		if (!found)
			none |= 1ULL << layer;
	}
	deserted = none;
}

static void look_up_if_due(struct rule_table *table, u64 now)
{
	if (now - looked_up_at > LOOK_UP_NS || looked_up_version != rules_version ||
	    looked_up_epoch != policy_epoch)
		look_up_cpus(table, now);
}

static bool has_own_cpus(const struct layer *layer, u32 index)
{
	return layer->has_cpus && !(deserted >> index & 1);
}

/*
 * Whether a CPU takes from a queue. For a while after a CPU went offline all take from all: a task
 * may wait in the queue of its layer of which that was the only CPU where it may run.
 */
static bool serves(struct rule_table *table, u32 queue, s32 cpu, u64 now)
{
	struct layer *layer = layer_at(table, queue);

	return queue == ANYWHERE || !has_own_cpus(layer, queue) || is_in(layer->cpus, cpu) ||
	       vtime_before(now, swept_until);
}

/* The queue for p of that layer: ANYWHERE if it may run on none of the layer's CPUs. */
static u32 queue_for(struct task_struct *p, const struct layer *layer, u32 index)
{
	u32 cpu, nr = nr_cpus();

	if (!has_own_cpus(layer, index) || (u32)p->nr_cpus_allowed >= nr)
		return index;
	bpf_for(cpu, 0, nr) {
		if (is_in(layer->cpus, cpu) && is_in(usable, cpu) &&
		    bpf_cpumask_test_cpu(cpu, p->cpus_ptr))
			return index;
	}
	return ANYWHERE;
}

/* An idle CPU of the layer for p, which is marked as busy now; -1 if there is none. */
static s32 claim_idle(struct task_struct *p, const struct layer *layer, s32 prev_cpu)
{
	u32 cpu, nr = nr_cpus();

	if (is_in(layer->cpus, prev_cpu) && bpf_cpumask_test_cpu(prev_cpu, p->cpus_ptr) &&
	    scx_bpf_test_and_clear_cpu_idle(prev_cpu))
		return prev_cpu;
	bpf_for(cpu, 0, nr) {
		if (is_in(layer->cpus, cpu) && bpf_cpumask_test_cpu(cpu, p->cpus_ptr) &&
		    scx_bpf_test_and_clear_cpu_idle(cpu))
			return cpu;
	}
	return -1;
}

#endif /* SCXHID_LAYERS_CPUS_H */
