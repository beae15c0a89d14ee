// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * look: what runs on each CPU, for the records of `sched`, when that begins to look. A CPU may go on for
 * long without a switch. By itself, for there are kernels that do not tell a program where runqueues are.
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

/* To be run once. Whoever switches meanwhile comes first. */
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
			__sync_val_compare_and_swap(&cpu->runs, 0, RUNS(now, kind_of(curr)));
	}
	return 0;
}
