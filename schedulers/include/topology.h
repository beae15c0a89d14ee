/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which CPUs share a last-level cache and how fast each is, as the kernel has it: no user-space half
 * needs to tell. To be called where a scheduler starts, for CPUs below scx_bpf_nr_cpu_ids().
 */
#ifndef SCXHID_TOPOLOGY_H
#define SCXHID_TOPOLOGY_H

#include "scx.h"

/* Variables that the kernel has one of per CPU. */
extern const int sd_llc_id __ksym __weak;
extern const int sched_core_priority __ksym __weak; /* x86, where cores of one package differ */

u32 scx_bpf_cpuperf_cap(s32 cpu) __ksym __weak;

/*
 * A number that CPUs with a common last-level cache share. Up to 7.2 that is the lowest CPU of them,
 * later a running number, and -1 for a CPU that was never online. Always 0 where it is not known.
 */
static __always_inline s32 topology_llc_of(s32 cpu)
{
	const int *id;

	if (!bpf_ksym_exists(&sd_llc_id))
		return 0;
	id = bpf_per_cpu_ptr(&sd_llc_id, cpu);
	return id ? *id : 0;
}

/* Of 1024, the CPU's capacity: how much work it does in the time that the fastest needs for 1024. */
static __always_inline u32 topology_capacity_of(s32 cpu)
{
	return bpf_ksym_exists(scx_bpf_cpuperf_cap) ? scx_bpf_cpuperf_cap(cpu) : 1024;
}

/*
 * What the firmware thinks of the core, higher is faster, in no unit; 0 where it does not say. On
 * Intel's hybrid processors with SMT this is all there is: their capacities read as equal.
 */
static __always_inline u32 topology_priority_of(s32 cpu)
{
	const int *priority;

	if (!bpf_ksym_exists(&sched_core_priority))
		return 0;
	priority = bpf_per_cpu_ptr(&sched_core_priority, cpu);
	return priority && *priority > 0 ? *priority : 0;
}

#endif /* SCXHID_TOPOLOGY_H */
