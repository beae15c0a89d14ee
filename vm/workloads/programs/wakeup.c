// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * How late a task that sleeps for a moment, again and again, runs when its time has come: idle, beside
 * the load, and beside the same load under SCHED_FIFO, which is the floor: what no scheduler of the
 * normal class can better.
 *
 *	wakeup ms=1000 seed=1 a_cpu=1 duty=1000 [period_us=2000]
 *
 * The sleeper and each task of the load stay on one CPU each, the sleeper on the last. It sets each of
 * its alarms from when it really woke up, so that every sample is a sleep. What each task of the load
 * had of its CPU, over a fair part of it, is looked at every second.
 */
#define _GNU_SOURCE
#include "tasks.h"

#define MOST_SAMPLES 100000
#define WARM_NS	     (100 * NSEC_PER_MSEC)
#define WINDOW_NS    NSEC_PER_SEC
#define PRIORITY     2 /* of this program; the floor's sleeper has 1 */

static s64 period_ns;
static double least = 1e9, most;

static void sleep_again_and_again(struct samples *late, s64 begins, s64 ends, u64 chance)
{
	s64 due = begins + dithered(period_ns, &chance);

	while (due < ends) {
		sleep_until_ns(due);
		if (!add_sample(late, now_ns() - due))
			break;
		due = now_ns() + dithered(period_ns, &chance);
	}
	_exit(0);
}

static void look(const struct load *load, s64 *ran)
{
	for (long i = 0; i < load->nr; i++)
		ran[i] = cpu_time_ns(load->pids[i]);
}

/* What each had of what all of its CPU had: 1 is its fair part. */
static void compare(const struct load *load, const s64 *before, const s64 *after, int cpus)
{
	for (long i = 0; i < load->nr; i++) {
		double all = 0, share;

		for (long n = i % cpus; n < load->nr; n += cpus)
			all += after[n] - before[n];
		share = all > 0 ? (after[i] - before[i]) * (load->nr / cpus) / all : 1;
		least = share < least ? share : least;
		most = share > most ? share : most;
	}
}

static void watch(const struct load *load, s64 begins, s64 ends)
{
	static s64 before[MOST_TASKS], after[MOST_TASKS];

	for (s64 at = begins; at < ends; at += WINDOW_NS) {
		look(load, before);
		sleep_until_ns(at + WINDOW_NS < ends ? at + WINDOW_NS : ends);
		look(load, after);
		compare(load, before, after, nr_cpus());
	}
}

static void phase(const char *name, u64 number, long ms, bool is_loaded, bool is_floor)
{
	struct samples *late = new_samples(MOST_SAMPLES);
	struct load *load = is_loaded ? start_load(true) : NULL;
	s64 begins = now_ns() + WARM_NS, ends = begins + ms * NSEC_PER_MSEC;
	pid_t pid = start_process("sleeper");
	s64 switched;

	if (!pid) {
		pin_to(nr_cpus() - 1);
		if (is_floor)
			become_fifo(1);
		else
			become_normal();
		sleep_again_and_again(late, begins, ends, chance_of(number));
	}
	sleep_until_ns(begins);
	switched = nr_switches();
	if (load && !is_floor)
		watch(load, begins, ends);
	/* The load goes on until then: the last alarm might be the latest. */
	wait_for(pid, "the sleeper");
	if (load && !is_floor)
		print_switches(switched, begins);
	if (load)
		stop_load(load);
	print_samples(name, late);
	munmap(late, sizeof(*late) + MOST_SAMPLES * sizeof(*late->ns));
}

int main(int argc, char **argv)
{
	long aside;

	begin(argc, argv);
	period_ns = option("period_us", 2000) * NSEC_PER_USEC;
	no_more_options();
	aside = asked.ms / 4 > 200 ? asked.ms / 4 : 200;
	become_fifo(PRIORITY);
	phase("idle", 1, aside, false, false);
	phase("loaded", 2, asked.ms, true, false);
	phase("floor", 3, aside, true, true);
	print_metric("hog_share_least", asked.a_cpu ? least : 1);
	print_metric("hog_share_most", asked.a_cpu ? most : 1);
	return 0;
}
