/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whose the time of CPUs is: one record a CPU.
 */
#ifndef SCXHID_CPUS_H
#define SCXHID_CPUS_H

#include "types.h"
#include "histogram.h"

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct task_struct {
	int pid;
	int tgid;
	int prio; /* below 0: deadline; below 100: real-time */
	unsigned int policy;
};

#pragma clang attribute pop

#define FIRST_FAIR_PRIO 100
#define SCHED_EXT	7 /* include/uapi/linux/sched.h */

/* Who a CPU's time goes to. */
enum kind {
	KIND_IDLE,
	KIND_FAIR, /* the kernel's own scheduler, for all that are not below */
	KIND_EXT,  /* sched_ext */
	KIND_RT,   /* real-time and deadline, and the kernel's stopper */
	NR_KINDS,
};

/* How far sched_ext reaches, as user space reads it in sysfs: no task says which class it is in. */
enum reach {
	REACH_NONE,
	REACH_POLICY, /* only tasks with that policy (SCX_OPS_SWITCH_PARTIAL) */
	REACH_ALL,    /* and all that would be fair */
};

volatile u32 reach = REACH_NONE;

/* One word, since it is written in two places. Times are ns of the monotonic clock. */
#define KIND_BITS	  2
#define RUNS(since, kind) ((since) << KIND_BITS | (kind))
#define RUNS_SINCE(runs)  ((runs) >> KIND_BITS)
#define RUNS_KIND(runs)	  ((runs) & ((1 << KIND_BITS) - 1))

struct cpu {
	u64 runs; /* RUNS(): what does, and since when; 0: not known yet */
	u64 ns[NR_KINDS];
	u64 split_ns[NR_KINDS]; /* what `look` split off: it must not write where the CPU does */
	u64 switches;
	u64 migrations; /* of tasks to this CPU */
	u64 waited_ns;	/* of all that began to run here, while ready */
	u64 latency[NR_BUCKETS];
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct cpu);
} cpus SEC(".maps");

static __always_inline u32 kind_of(struct task_struct *p)
{
	if (!p->pid)
		return KIND_IDLE;
	if (p->prio < FIRST_FAIR_PRIO)
		return KIND_RT;
	if (reach == REACH_ALL || (reach == REACH_POLICY && p->policy == SCHED_EXT))
		return KIND_EXT;
	return KIND_FAIR;
}

#endif /* SCXHID_CPUS_H */
