// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * tasks: what `sched` has summed up of each task, as what is new since the last look.
 *
 * A walk over all tasks, run by reading from it. Tasks that slept all the time write nothing, so what user
 * space has to read depends on what goes on, and it need not remember whom it has seen: the sums that were
 * told stay with the task. Of a task that has ended meanwhile nothing is left to be told.
 */
#include "cpus.h"
#include "tasks.h"

char _license[] SEC("license") = "GPL";

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct thread_info {
	u32 cpu;
};

struct task_struct___walked {
	struct thread_info thread_info; /* where the processor keeps it with the task */
	unsigned int on_cpu;		/* a byte in 7.2: only what has no sign is fitted */
	int static_prio;		/* 120 and nice */
	char comm[16];
};

struct seq_file;

struct bpf_iter_meta {
	struct seq_file *seq;
};

struct bpf_iter__task {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
};

#pragma clang attribute pop

#define NICE_0_PRIO 120
#define MAX_RT_PRIO 100

/* The moment of the look, ns of the monotonic clock: the same for all, set before it. */
volatile u64 look_ns = 0;

enum state {
	STATE_SLEEPS,
	STATE_WAITS, /* for a CPU */
	STATE_RUNS,
};

/* pyloader/probes/tasks.py reads them. */
struct told {
	u64 ran_ns;
	u64 waited_ns;	/* of a wait that lasts as well */
	u64 ended_ns;	/* how long those waits were that ended */
	u64 longest_ns; /* the longest of them, or the one that lasts */
	u32 waits;	/* that ended */
	u32 wakeups;
	u32 switches;
	s32 pid;
	s32 tgid;
	s32 cpu;
	s16 priority; /* real-time: 1 to 99; deadline: 100; else 0 */
	s8 nice;
	u8 kind;
	u8 state;
	char comm[16];
};

/* What is new; a sum that was read while it was written may have been too large before. */
static __always_inline u64 since_told(u64 sum, u64 *told)
{
	u64 before = *told;

	if (sum <= before)
		return 0;
	*told = sum;
	return sum - before;
}

static __always_inline u64 lasts(u64 since)
{
	return since && since < look_ns ? look_ns - since : 0;
}

static __always_inline void describe(struct told *told, struct task_struct *p)
{
	struct task_struct___walked *walked = (void *)p;
	int prio = p->prio;

	told->pid = p->pid;
	told->tgid = p->tgid;
	told->cpu = -1;
	if (bpf_core_field_exists(walked->thread_info.cpu))
		told->cpu = walked->thread_info.cpu;
	told->kind = kind_of(p);
	told->nice = walked->static_prio - NICE_0_PRIO;
	told->priority = prio < MAX_RT_PRIO ? MAX_RT_PRIO - 1 - prio : 0;
	bpf_core_read(&told->comm, sizeof(told->comm), &walked->comm);
}

SEC("iter/task")
int walk(struct bpf_iter__task *ctx)
{
	struct task unknown = { .runs_since = look_ns };
	struct task_struct *p = ctx->task;
	u64 waits_ns = 0, runs_ns = 0;
	struct told told = {};
	struct task *t;
	bool on_cpu;

	if (!p)
		return 0;
	on_cpu = ((struct task_struct___walked *)p)->on_cpu;
	t = bpf_task_storage_get(&tasks, p, NULL, 0);
	if (!t) {
		/* It slept, or runs without a switch since before the probe was attached. */
		if (on_cpu)
			bpf_task_storage_get(&tasks, p, &unknown, BPF_LOCAL_STORAGE_GET_F_CREATE);
		return 0;
	}
	/* One that runs may have been woken as well. */
	if (on_cpu)
		runs_ns = lasts(t->runs_since);
	else
		waits_ns = lasts(t->since);
	told.state = on_cpu ? STATE_RUNS : t->since ? STATE_WAITS : STATE_SLEEPS;
	told.ran_ns = since_told(t->ran_ns + runs_ns, &t->told.ran_ns);
	told.waited_ns = since_told(t->waited_ns + waits_ns, &t->told.waited_ns);
	told.ended_ns = since_told(t->waited_ns, &t->told.ended_ns);
	told.longest_ns = t->longest_ns > waits_ns ? t->longest_ns : waits_ns;
	t->longest_ns = 0;
	told.waits = t->waits - t->told.waits;
	told.wakeups = t->wakeups - t->told.wakeups;
	told.switches = t->switches - t->told.switches;
	t->told.waits += told.waits;
	t->told.wakeups += told.wakeups;
	t->told.switches += told.switches;
	if (told.state == STATE_SLEEPS && !told.switches && !told.ran_ns)
		return 0;
	describe(&told, p);
	bpf_seq_write(ctx->meta->seq, &told, sizeof(told));
	return 0;
}
