/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The CPUs of `interactive`: which of them share a queue, which are fast, which are there.
 */
#ifndef SCXHID_INTERACTIVE_CPUS_H
#define SCXHID_INTERACTIVE_CPUS_H

#include "interactive_deadline.h"
#include "topology.h"

static s32 cache_ids[MAX_CACHES]; /* the kernel's numbers of the caches */
static s32 fast[MAX_CPUS];	  /* the fast cores, where cores differ */
static s32 nr_fast;
static u32 nr_orphaned; /* caches that lost their last CPU */

static void count_in(s32 cpu, struct cpu *c)
{
	struct queue *q = queue_of(c->cache), *own = queue_of(nr_caches + cpu);

	if (!q || !own || c->is_online)
		return;
	c->is_online = true;
	own->nr_cpus = 1;
	if (!__sync_fetch_and_add(&q->nr_cpus, 1) && nr_orphaned)
		__sync_fetch_and_add(&nr_orphaned, -1);
}

static void count_out(s32 cpu, struct cpu *c)
{
	struct queue *q = queue_of(c->cache);

	if (!q || !c->is_online)
		return;
	c->is_online = false;
	c->at = 0;
	if (__sync_fetch_and_add(&q->nr_cpus, -1) == 1)
		__sync_fetch_and_add(&nr_orphaned, 1);
}

static s32 cache_id_of(u32 cpu)
{
	return queue_cpus ? cpu / queue_cpus : topology_llc_of(cpu);
}

/* The number of the queue for a CPU; MAX_CACHES if its cache has none. */
static u32 cache_of(u32 cpu)
{
	s32 id = cache_id_of(cpu);
	u32 i;

	bpf_for(i, 0, nr_caches) {
		const s32 *known = ELEMENT_OF(cache_ids, MAX_CACHES, i);

		if (known && *known == id)
			return i;
	}
	return MAX_CACHES;
}

/* The same, for one that gets a queue now if there is room, or shares another's. */
static u32 add_cache_of(u32 cpu)
{
	u32 n = cache_of(cpu);
	struct queue *q;
	s32 *id;

	if (n < MAX_CACHES)
		return n;
	id = ELEMENT_OF(cache_ids, MAX_CACHES, nr_caches);
	q = queue_of(nr_caches);
	if (!id || !q)
		return cpu % MAX_CACHES;
	*id = cache_id_of(cpu);
	q->cpu = cpu;
	return nr_caches++;
}

/* Volatile, since the verifier follows a count in a register through every turn of the loop. */
static volatile s32 nr_found;

/* A CPU is fast that has at least 4/5 of the best one's speed. How many are is returned. */
static s32 find_fast(bool by_priority)
{
	u32 best = 0, speed;
	s32 cpu;

	nr_found = 0;
	bpf_for(cpu, 0, nr_cpus) {
		speed = by_priority ? topology_priority_of(cpu) : topology_capacity_of(cpu);
		best = speed > best ? speed : best;
	}
	bpf_for(cpu, 0, nr_cpus) {
		struct cpu *c = cpu_of(cpu);
		s32 *place;

		speed = by_priority ? topology_priority_of(cpu) : topology_capacity_of(cpu);
		place = ELEMENT_OF(fast, MAX_CPUS, nr_found);
		if (!c || !place)
			break;
		c->is_fast = fast_cpus ? cpu < (s32)fast_cpus : speed * 5 >= best * 4;
		if (c->is_fast) {
			*place = cpu;
			nr_found++;
		}
	}
	return nr_found;
}

/* Looks at the machine, once. Only CPUs that are online tell which cache they have. */
static s32 find_cpus(void)
{
	const struct cpumask *online;
	struct cpu *c;
	s32 cpu;

	nr_cpus = scx_bpf_nr_cpu_ids();
	if (nr_cpus > MAX_CPUS)
		return -7; /* E2BIG */
	nr_caches = 0;
	online = scx_bpf_get_online_cpumask();
	bpf_for(cpu, 0, nr_cpus) {
		c = cpu_of(cpu);
		if (!c || !bpf_cpumask_test_cpu(cpu, online))
			continue;
		c->was_online = true;
		c->cache = add_cache_of(cpu);
	}
	scx_bpf_put_cpumask(online);
	bpf_for(cpu, 0, nr_cpus) {
		c = cpu_of(cpu);
		if (c && c->was_online)
			count_in(cpu, c);
	}

	nr_fast = find_fast(false);
	if (nr_fast == nr_cpus)
		nr_fast = find_fast(true);
	if (nr_fast == nr_cpus)
		nr_fast = 0; /* all are alike: no preference */
	return 0;
}

static s32 fast_core(s32 i)
{
	const s32 *cpu = ELEMENT_OF(fast, MAX_CPUS, i);

	return cpu ? *cpu : 0;
}

/* Takes cpu for p if it is idle; with a mask also of whole cores, only if it is in that. */
static bool claim_idle(const struct task_struct *p, s32 cpu, const struct cpumask *idle)
{
	return (!idle || bpf_cpumask_test_cpu(cpu, idle)) &&
	       bpf_cpumask_test_cpu(cpu, p->cpus_ptr) && scx_bpf_test_and_clear_cpu_idle(cpu);
}

/*
 * A fast core for p that is idle as a whole, where the kernel tells that (Debian's 7.2.12 does not,
 * compat.h); negative if there is none, or if all are alike.
 */
static s32 pick_fast(const struct task_struct *p, s32 prev_cpu)
{
	const struct cpumask *idle = NULL;
	const struct cpu *prev = cpu_of(prev_cpu);
	s32 cpu = -1;
	s32 i;

	if (!nr_fast || !fast_first)
		return -1;
	if (can_see_idle())
		idle = scx_bpf_get_idle_smtmask(); /* without SMT that of all idle CPUs */
	if (prev && prev->is_fast && claim_idle(p, prev_cpu, idle)) {
		cpu = prev_cpu;
	} else {
		bpf_for(i, 0, nr_fast) {
			if (claim_idle(p, fast_core(i), idle)) {
				cpu = fast_core(i);
				break;
			}
		}
	}
	if (idle)
		scx_bpf_put_idle_cpumask(idle);
	return cpu;
}

#endif /* SCXHID_INTERACTIVE_CPUS_H */
