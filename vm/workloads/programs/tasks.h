/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Processes that end with whoever started them, what they do with their time, and the load beside a
 * workload: LOADS in vm/workloads/model.py says what there is of it.
 */
#ifndef SCXHID_TASKS_H
#define SCXHID_TASKS_H

#include <sched.h>
#include <sys/wait.h>

#include "workload.h"

#define MOST_TASKS 4096

/* Of a task that is busy for a part of its time: how long it computes and sleeps, on average. */
#define LOADS_CYCLE_NS (4 * NSEC_PER_MSEC)

/* ---- processes ---- */

/* Returns 0 in the new process, which is killed when the old one ends. */
static inline pid_t start_process(const char *name)
{
	pid_t parent = getpid(), pid;

	fflush(stdout);
	pid = fork();
	if (pid < 0)
		fail("fork");
	if (pid)
		return pid;
	prctl(PR_SET_NAME, name);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(0);
	return 0;
}

/* Waits for the end of a process, which has to be a good one. */
static inline void wait_for(pid_t pid, const char *what)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			fail(what);
	if (WIFSIGNALED(status))
		give_up("%s was ended by signal %d", what, WTERMSIG(status));
	if (WEXITSTATUS(status))
		give_up("%s ended with status %d", what, WEXITSTATUS(status));
}

static inline void end_process(pid_t pid)
{
	kill(pid, SIGKILL);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
}

/* The n-th CPU of those that this program may run on, and how many these are. */
static inline int nth_cpu(int n, int *count)
{
	static cpu_set_t allowed;
	int found = -1;

	if (!CPU_COUNT(&allowed) && sched_getaffinity(0, sizeof(allowed), &allowed))
		fail("sched_getaffinity");
	*count = CPU_COUNT(&allowed);
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
		if (CPU_ISSET(cpu, &allowed) && n-- == 0)
			found = cpu;
	return found;
}

static inline int nr_cpus(void)
{
	int count;

	nth_cpu(0, &count);
	return count;
}

/* Keeps the caller on one of the CPUs, which are numbered from 0. */
static inline void pin_to(int n)
{
	int count, cpu = nth_cpu(n, &count);
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (cpu < 0 || sched_setaffinity(0, sizeof(set), &set))
		fail("sched_setaffinity");
}

/* Above all that is measured, and what it starts is not. */
static inline void become_fifo(int priority)
{
	struct sched_param param = { .sched_priority = priority };

	if (sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &param))
		fail("SCHED_FIFO, which takes root,");
}

static inline void become_normal(void)
{
	struct sched_param param = { 0 };

	if (sched_setscheduler(0, SCHED_OTHER | SCHED_RESET_ON_FORK, &param))
		fail("SCHED_OTHER");
}

static inline s64 cpu_time_ns(pid_t pid)
{
	clockid_t clock;

	if (clock_getcpuclockid(pid, &clock))
		fail("clock_getcpuclockid");
	return clock_ns(clock);
}

/* ---- computing ---- */

#define NOPS 128

/*
 * Runs about so many instructions. Most do nothing: an emulator counts them all the same, and its
 * host hardly works for them.
 */
static inline void spin(u64 instructions)
{
	u64 turns = instructions / NOPS + 1;

#if defined(__x86_64__) || defined(__i386__)
	__asm__ volatile("1: .rept %c1\n\tnop\n\t.endr\n\tdec %0\n\tjnz 1b"
			 : "+r"(turns)
			 : "i"(NOPS - 2)
			 : "cc");
#else
	for (turns *= NOPS / 2; turns; turns--)
		__asm__ volatile("" : : : "memory");
#endif
}

#define LOOK_AT_CLOCK_NS (50 * NSEC_PER_USEC)

/* Computes until it has had so much CPU time, however often others were in between. */
static inline void burn_ns(s64 wanted)
{
	static __thread u64 chunk = 1024; /* instructions between two looks at the clock */
	s64 began = clock_ns(CLOCK_THREAD_CPUTIME_ID), had = 0, before;

	while (had < wanted) {
		s64 left = wanted - had;
		u64 now = left < LOOK_AT_CLOCK_NS ? chunk * left / LOOK_AT_CLOCK_NS + 1 : chunk;

		before = had;
		spin(now);
		had = clock_ns(CLOCK_THREAD_CPUTIME_ID) - began;
		if (now < chunk)
			continue;
		if (had - before < LOOK_AT_CLOCK_NS / 2)
			chunk *= 2;
		else if (had - before > LOOK_AT_CLOCK_NS * 2 && chunk > 1024)
			chunk /= 2;
	}
}

/* ---- the load ---- */

struct load {
	long nr;
	pid_t pids[MOST_TASKS];
};

static inline void be_busy(u64 chance)
{
	for (;;) {
		s64 cycle = dithered(LOADS_CYCLE_NS, &chance);

		if (asked.duty == 1000) {
			spin(1000000);
			continue;
		}
		burn_ns(cycle * asked.duty / 1000);
		sleep_until_ns(now_ns() + cycle * (1000 - asked.duty) / 1000);
	}
}

/* Starts what was asked for; `pinned`: each stays on its CPU, so that all are loaded alike. */
static inline struct load *start_load(bool pinned)
{
	struct load *load = calloc(1, sizeof(*load));
	int cpus = nr_cpus();

	if (!load)
		fail("memory");
	if (asked.a_cpu * cpus > MOST_TASKS)
		give_up("a load of more than %d tasks", MOST_TASKS);
	for (; load->nr < asked.a_cpu * cpus; load->nr++) {
		load->pids[load->nr] = start_process("busy");
		if (load->pids[load->nr])
			continue;
		become_normal();
		if (pinned)
			pin_to(load->nr % cpus);
		be_busy(chance_of(1000 + load->nr));
	}
	return load;
}

static inline void stop_load(struct load *load)
{
	for (long i = 0; i < load->nr; i++)
		kill(load->pids[i], SIGKILL);
	for (long i = 0; i < load->nr; i++)
		end_process(load->pids[i]);
	free(load);
}

#endif /* SCXHID_TASKS_H */
