// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * elsewhere_whole: a scheduler in the shape of the sched-ext project's, with no user-space half but
 * its loader. What it was given it shows in variables: constants from the kernel's enums, the number
 * of CPUs, an array of that size, the dump. It counts per CPU, in a map named by an enum and in one
 * of a structure; has a section that nobody can map (a lock); fills callbacks that only newer kernels
 * have; and leaves hotplug to the kernel, which ends it then with a code that asks for a restart.
 */
#include "elsewhere.h"

char _license[] SEC("license") = "GPL";

KERNEL_CONSTANT(u64, SCX_SLICE_DFL);
KERNEL_CONSTANT(u64, SCX_DSQ_GLOBAL);
KERNEL_CONSTANT(u64, SCX_DSQ_LOCAL_ON);
KERNEL_CONSTANT(u32, SCX_KICK_IDLE);
KERNEL_CONSTANT(u64, SCX_ENQ_HEAD);
KERNEL_CONSTANT(u64, SCX_ENQ_FROM_THE_FUTURE);

const volatile u32 nr_cpu_ids = 1; /* never 0, or the verifier sees only dead code */
const volatile u64 slice_ns;
const volatile bool fail; /* end with an error, for the dump */

EXIT_VARIABLE(uei);
u64 SIZED_BY_LOADER(data, cpu_enqueued);

u64 seen_slice, seen_global, seen_local_on, seen_head, seen_future, seen_cpus;
u32 seen_kick;

static struct bpf_spin_lock lock SEC(".data.LOCK");
static u64 under_lock SEC(".data.LOCK");

enum whole_stat { WHOLE_STAT_LOCAL, WHOLE_STAT_GLOBAL, WHOLE_NR_STATS };
const volatile enum whole_stat last_stat = WHOLE_NR_STATS;

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, WHOLE_NR_STATS);
	__type(key, u32);
	__type(value, u64);
} stats SEC(".maps");

struct cpu_counts {
	u64 enqueued;
	u64 ran;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct cpu_counts);
} counts SEC(".maps");

static void count(u32 which)
{
	u64 *n = bpf_map_lookup_elem(&stats, &which);

	if (n)
		++*n;
}

s32 BPF_STRUCT_OPS(whole_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	bool is_idle = false;
	s32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &is_idle);

	if (is_idle) {
		count(WHOLE_STAT_LOCAL);
		scx_bpf_dsq_insert(p, SCX_DSQ_LOCAL, slice_ns, 0);
	}
	return cpu;
}

void BPF_STRUCT_OPS(whole_enqueue, struct task_struct *p, u64 enq_flags)
{
	u32 key = 0, cpu = bpf_get_smp_processor_id();
	struct cpu_counts *c = bpf_map_lookup_elem(&counts, &key);
	u64 *of_cpu = cpu_enqueued;

	asm volatile("" : "+r"(of_cpu)); /* or clang knows that it has but one element */
	if (cpu < nr_cpu_ids)
		of_cpu[cpu]++;
	if (c)
		c->enqueued++;
	count(WHOLE_STAT_GLOBAL);
	if (fail)
		scx_bpf_error("told to fail");
	bpf_spin_lock(&lock);
	under_lock++;
	bpf_spin_unlock(&lock);
	scx_bpf_dsq_insert(p, __SCX_DSQ_GLOBAL, slice_ns, enq_flags);
}

void BPF_STRUCT_OPS(whole_running, struct task_struct *p)
{
	u32 key = 0;
	struct cpu_counts *c = bpf_map_lookup_elem(&counts, &key);

	if (c)
		c->ran++;
}

/* 6.17 has the first, 6.19 the second. */
void BPF_STRUCT_OPS(whole_cgroup_set_bandwidth, struct cgroup *cgrp, u64 period_us, u64 quota_us,
		    u64 burst_us)
{
}

void BPF_STRUCT_OPS(whole_cgroup_set_idle, struct cgroup *cgrp, bool idle)
{
}

s32 BPF_STRUCT_OPS_SLEEPABLE(whole_init)
{
	seen_slice = __SCX_SLICE_DFL;
	seen_global = __SCX_DSQ_GLOBAL;
	seen_local_on = __SCX_DSQ_LOCAL_ON;
	seen_kick = __SCX_KICK_IDLE;
	seen_head = __SCX_ENQ_HEAD;
	seen_future = __SCX_ENQ_FROM_THE_FUTURE;
	seen_cpus = nr_cpu_ids;
	return 0;
}

void BPF_STRUCT_OPS(whole_exit, struct scx_exit_info *ei)
{
	EXIT_VARIABLE_WRITE(uei, ei);
}

SEC(".struct_ops.link")
struct sched_ext_ops whole_ops = {
	.select_cpu = (void *)whole_select_cpu,
	.enqueue = (void *)whole_enqueue,
	.running = (void *)whole_running,
	.cgroup_set_bandwidth = (void *)whole_cgroup_set_bandwidth,
	.cgroup_set_idle = (void *)whole_cgroup_set_idle,
	.init = (void *)whole_init,
	.exit = (void *)whole_exit,
	.timeout_ms = 5000,
	.exit_dump_len = 16384,
	.name = "whole",
};
