// SPDX-License-Identifier: GPL-2.0-or-later
/* Kinds of tasks that compute, sleep, yield, talk to each other, and multiply. */
#define _GNU_SOURCE
#include <sched.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <signal.h>
#include <unistd.h>
#include "crowd.h"

/* Computes and never sleeps. */
static void run_hog(void)
{
	for (;;) {
		for (volatile int i = 0; i < 2000; i++)
			;
		step();
	}
}

/* Sleeps 5 ms, computes for a moment. */
static void run_sleep(void)
{
	for (;;) {
		int64_t due_ns = now_ns() + 5 * NSEC_PER_MSEC;

		sleep_ns(5 * NSEC_PER_MSEC);
		step_due(due_ns);
		burn(NSEC_PER_MSEC / 5);
	}
}

/* Sleeps for most of a second: one that a scheduler may have forgotten meanwhile. */
static void run_rare(void)
{
	for (;;) {
		int64_t due_ns = now_ns() + 700 * NSEC_PER_MSEC;

		sleep_ns(700 * NSEC_PER_MSEC);
		step_due(due_ns);
	}
}

static void run_yield(void)
{
	for (;;) {
		sched_yield();
		step();
	}
}

/* Two that wake each other all the time: neither may keep others out by that, nor be kept out. */
static void run_pair(void)
{
	int there[2], back[2];
	char byte = 0;

	if (pipe(there) || pipe(back))
		give_up("pipe");
	if (fork() == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		while (read(there[0], &byte, 1) == 1 && write(back[1], &byte, 1) == 1)
			;
		_exit(0);
	}
	while (write(there[1], &byte, 1) == 1 && read(back[0], &byte, 1) == 1)
		step();
}

/* Processes without end, some at once, each short. */
static void run_fork(void)
{
	for (;;) {
		for (int i = 0; i < 8; i++) {
			if (fork() == 0) {
				burn(NSEC_PER_MSEC / 2);
				_exit(0);
			}
			step();
		}
		while (wait(NULL) > 0)
			step();
	}
}

static void run_exec(void)
{
	for (;;) {
		if (vfork() == 0) {
			execl("/proc/self/exe", "crowd", "exit", NULL);
			_exit(1);
		}
		wait(NULL);
		step();
	}
}

/* No task of sched_ext: shows how late the machine itself is. */
static void run_floor(void)
{
	struct sched_param urgent = { .sched_priority = 50 };

	if (sched_setscheduler(0, SCHED_FIFO, &urgent))
		give_up("SCHED_FIFO");
	for (;;) {
		int64_t due_ns = now_ns() + 10 * NSEC_PER_MSEC;

		sleep_ns(10 * NSEC_PER_MSEC);
		step_due(due_ns);
	}
}

const struct kind busy_kinds[] = {
	{ "hog", run_hog },	{ "sleep", run_sleep }, { "rare", run_rare },
	{ "yield", run_yield }, { "pair", run_pair },	{ "fork", run_fork },
	{ "exec", run_exec },	{ "floor", run_floor }, { 0 },
};
