/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which CPUs are in the nests of `nest`, and how they come and go.
 *
 * A CPU is in the primary nest (warm), in the reserve (was warm, or is being tried), or in none (cold).
 * All that is written here without a lock: two CPUs that decide at the same moment may disagree on where
 * a third one belongs, and the next wake-up puts it right.
 */
#ifndef SCXHID_NEST_CPUS_H
#define SCXHID_NEST_CPUS_H

#include "policy.h"

#define NSEC_PER_MSEC 1000000ULL

#define MAX_CPUS 1024 /* those with higher numbers share a place with lower ones */

/* A CPU of the reserve that nobody needed for so many times the primary nest's idle time is cold. */
#define RESERVE_PATIENCE 50

#define WARM_NS (4 * NSEC_PER_MSEC)
#define TIDY_NS (2 * NSEC_PER_MSEC) /* between two looks at who has been idle for long */

KNOB(u64, cold_after_ms, 8, 1, 10000, "ms", "idle time after which a CPU leaves the primary nest");
KNOB(u32, reserve_max, 5, 0, 1024, "", "CPUs that the reserve nest holds");

STAT(primary_joined, "CPUs that joined the primary nest");
STAT(primary_left, "CPUs that left it: joined - left is its size now");
STAT(reserve_joined, "CPUs that joined the reserve nest");
STAT(reserve_left, "CPUs that left it");
STAT(tidied, "times the nests were looked through for CPUs that are idle for too long");
STAT(primary_sum, "sizes of the primary nest at these times: divided by their number, the average");

enum nest {
	COLD,
	RESERVE,
	PRIMARY,
};

struct cpu {
	u64 began_at; /* ns, since when a task of ours runs here; 0: none does */
	u64 used_at;  /* ns, end of the last run of one */
	u32 nest;     /* enum nest */
};

static struct cpu cpus[MAX_CPUS];
static u32 nr_primary, nr_reserve;
static u64 tidied_at;

/* A mask, and no comparison: clang would move the addition above that, and the verifier refuse it. */
static __always_inline struct cpu *cpu_at(u32 cpu)
{
	return &cpus[cpu & (MAX_CPUS - 1)];
}

/* Moves a CPU to a nest, or out of both. */
static void move_cpu(struct cpu *c, u32 to)
{
	u32 from = c->nest;

	if (from == to || __sync_val_compare_and_swap(&c->nest, from, to) != from)
		return;
	if (from == PRIMARY) {
		stat_inc(primary_left);
		__sync_fetch_and_add(&nr_primary, -1);
	} else if (from == RESERVE) {
		stat_inc(reserve_left);
		__sync_fetch_and_add(&nr_reserve, -1);
	}
	if (to == PRIMARY) {
		stat_inc(primary_joined);
		__sync_fetch_and_add(&nr_primary, 1);
	} else if (to == RESERVE) {
		stat_inc(reserve_joined);
		__sync_fetch_and_add(&nr_reserve, 1);
	}
}

/* A CPU that works for so long at a stretch is warm, whichever nest it came from. */
static void warm_up(struct cpu *c)
{
	if (c->nest != PRIMARY && c->began_at && scx_bpf_now() - c->began_at > WARM_NS)
		move_cpu(c, PRIMARY);
}

/* Into the reserve, if it has room. */
static void reserve_cpu(struct cpu *c)
{
	move_cpu(c, nr_reserve < reserve_max ? RESERVE : COLD);
}

/*
 * Compaction: takes CPUs that have been idle for long out of their nest. Done in passing, by ticks and
 * wake-ups, since without these nobody needs a nest.
 */
static void tidy(void)
{
	u64 now = scx_bpf_now(), last = tidied_at, idle, limit = cold_after_ms * NSEC_PER_MSEC;
	struct cpu *c;
	u32 cpu;

	if ((s64)(now - last) < (s64)TIDY_NS ||
	    __sync_val_compare_and_swap(&tidied_at, last, now) != last)
		return;
	stat_inc(tidied);
	stat_add(primary_sum, nr_primary);
	bpf_for(cpu, 0, scx_bpf_nr_cpu_ids()) {
		c = cpu_at(cpu);
		if (c->nest == COLD || c->began_at)
			continue;
		idle = now - c->used_at;
		if ((s64)idle < 0)
			continue;
		if (c->nest == PRIMARY && idle > limit)
			reserve_cpu(c);
		else if (c->nest == RESERVE && idle > limit * RESERVE_PATIENCE)
			move_cpu(c, COLD);
	}
}

#endif /* SCXHID_NEST_CPUS_H */
