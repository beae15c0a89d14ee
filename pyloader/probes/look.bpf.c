// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * look: what runs on each CPU, for the records of `sched`, when that begins to look, and when sched_ext comes
 * or goes: a CPU may go on for long without a switch, and the task that it runs then is of another class
 * from now on. By itself, for there are kernels that do not tell a program where runqueues are.
 */
#include "cpus.h"

char _license[] SEC("license") = "GPL";

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct rq {
	struct task_struct *curr;
};

#pragma clang attribute pop

extern struct rq runqueues __ksym; /* one a CPU */

#define MOST_CPUS 8192

/* What a CPU has done since its last switch is split where it becomes something else. */
static __always_inline void split(struct cpu *cpu, struct task_struct *curr, u64 now)
{
	u64 runs = cpu->runs, since = RUNS_SINCE(runs);
	u32 kind = kind_of(curr);

	if (runs && (RUNS_KIND(runs) == kind || since >= now))
		return;
	/* If the CPU switches meanwhile it has told that itself. */
	if (__sync_val_compare_and_swap(&cpu->runs, runs, RUNS(now, kind)) == runs && runs)
		cpu->split_ns[RUNS_KIND(runs)] += now - since;
}

SEC("syscall")
int look(void *ctx)
{
	u64 now = bpf_ktime_get_ns();
	struct task_struct *curr;
	struct cpu *cpu;
	struct rq *rq;
	u32 key = 0, n;

	bpf_for(n, 0, MOST_CPUS) {
		cpu = bpf_map_lookup_percpu_elem(&cpus, &key, n);
		rq = bpf_per_cpu_ptr(&runqueues, n);
		if (!cpu || !rq)
			break;
		curr = rq->curr;
		if (curr)
			split(cpu, curr, now);
	}
	return 0;
}
