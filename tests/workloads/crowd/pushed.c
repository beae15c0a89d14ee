// SPDX-License-Identifier: GPL-2.0-or-later
/* Kinds of tasks whose place, weight, group or class changes while they run, by themselves or others. */
#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include "crowd.h"

#define CGROUPS	  "/sys/fs/cgroup"
#define SCHED_EXT 7 /* linux/sched.h, 6.12 */

static bool is_pinned_to(int cpu)
{
	cpu_set_t set;

	/* Its processor went away: the kernel let it run anywhere. */
	return !sched_getaffinity(0, sizeof(set), &set) && CPU_COUNT(&set) == 1 &&
	       CPU_ISSET(cpu, &set);
}

/* Walks from processor to processor, and looks whether it is where it may be. */
static void run_affinity(void)
{
	for (;;) {
		int cpu = any_below(nr_cpus);

		if (pin_to(0, cpu)) {
			bool wrong;

			burn(NSEC_PER_MSEC / 5);
			wrong = is_pinned_to(cpu) && sched_getcpu() != cpu;
			if (wrong && is_pinned_to(cpu))
				self->errors++;
		}
		step();
		if (any_below(8) == 0) {
			pin_to(0, -1);
			burn(NSEC_PER_MSEC / 5);
			step();
		}
	}
}

/* Changes where others may run, be they running, waiting or asleep. */
static void run_shove(void)
{
	for (;;) {
		pid_t pid = somebody();

		if (pid && pin_to(pid, any_below(nr_cpus))) {
			sleep_ns(2 * NSEC_PER_MSEC);
			pin_to(pid, -1);
		}
		step();
		sleep_ns(NSEC_PER_MSEC);
		step_from_now();
	}
}

/* Changes how important others are. */
static void run_renice(void)
{
	for (;;) {
		pid_t pid = somebody();

		if (pid) {
			setpriority(PRIO_PROCESS, pid, (int)any_below(40) - 20);
			sleep_ns(2 * NSEC_PER_MSEC);
			setpriority(PRIO_PROCESS, pid, 0);
		}
		step();
		sleep_ns(NSEC_PER_MSEC);
		step_from_now();
	}
}

/* Leaves sched_ext for the real-time class and comes back, in each of the ways back. */
static void run_class(void)
{
	const int policies[] = { SCHED_OTHER, SCHED_BATCH, SCHED_IDLE, SCHED_EXT };
	struct sched_param urgent = { .sched_priority = 1 }, normal = { 0 };

	for (int i = 0;; i++) {
		if (sched_setscheduler(0, SCHED_FIFO, &urgent))
			give_up("SCHED_FIFO");
		burn(NSEC_PER_MSEC / 10);
		if (sched_setscheduler(0, policies[i % 4], &normal))
			give_up("back from SCHED_FIFO");
		burn(NSEC_PER_MSEC / 10);
		step();
	}
}

static void set_group(pid_t owner, int group, const char *file, const char *text)
{
	char path[128];

	snprintf(path, sizeof(path), CGROUPS "/crowd-%d-%d/%s", owner, group, file);
	/* A hog that was killed is no longer there to be moved. */
	if (!write_text(path, text) && errno != ESRCH)
		give_up(path);
	step();
}

/*
 * Moves itself and two hogs between groups of changing weight, some throttled, all made and removed
 * again. Returns once the crowd is over and the groups are gone.
 */
static void run_cgroup(void)
{
	pid_t owner = getpid(), moved[3] = { owner };
	char path[64], text[32];

	write_text(CGROUPS "/cgroup.subtree_control", "+cpu");
	for (int i = 1; i < 3; i++) {
		moved[i] = fork();
		if (moved[i] == 0) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			for (;;)
				burn(NSEC_PER_SEC);
		}
	}
	for (int round = 0; !crowd->over; round++) {
		int group = round % 3;

		snprintf(path, sizeof(path), CGROUPS "/crowd-%d-%d", owner, group);
		if (mkdir(path, 0755) && errno != EEXIST)
			give_up(path);
		snprintf(text, sizeof(text), "%u", 1 + any_below(10000));
		set_group(owner, group, "cpu.weight", text);
		for (int i = 0; i < 3; i++) {
			snprintf(text, sizeof(text), "%d", moved[i]);
			set_group(owner, group, "cgroup.procs", text);
		}
		set_group(owner, group, "cpu.max", "50000 100000");
		burn(NSEC_PER_MSEC);
		set_group(owner, group, "cpu.max", "max 100000");
		snprintf(path, sizeof(path), CGROUPS "/crowd-%d-%d", owner, (round + 2) % 3);
		rmdir(path);
	}
	for (int i = 1; i < 3; i++)
		kill(moved[i], SIGKILL);
	write_text(CGROUPS "/cgroup.procs", "0");
	for (int group = 0; group < 3; group++) {
		snprintf(path, sizeof(path), CGROUPS "/crowd-%d-%d", owner, group);
		/* The hogs leave when their death is complete, not when they are killed. */
		for (int tries = 0; rmdir(path) && errno == EBUSY && tries < 100; tries++)
			sleep_ns(20 * NSEC_PER_MSEC);
	}
}

const struct kind pushed_kinds[] = {
	{ "affinity", run_affinity }, { "shove", run_shove },	      { "renice", run_renice },
	{ "class", run_class },	      { "cgroup", run_cgroup, true }, { 0 },
};
