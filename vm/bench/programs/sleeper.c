// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * One interactive task: it sleeps for a few ms, works for a moment, and sleeps again, as a mouse
 * pointer, a sound server or a game's frame does. Run it among hogs.
 *
 *	sleeper WORK MS
 *
 * Sleeps of 2 to 6 ms, drawn anew each time, since a fixed period could keep step with the tick; WORK
 * thousand steps of arithmetic after each. Answers each line with what happened in MS ms: the number
 * of wake-ups, then their lateness, from the end of the sleep asked for until the task ran, in ns:
 * p50 p99 p99.9 max.
 */
#define _GNU_SOURCE
#include "measure.h"

#define SHORTEST_NS (2 * NSEC_PER_MSEC)
#define LONGEST_NS  (6 * NSEC_PER_MSEC)

static void run(long long *late, long work, long ms)
{
	unsigned long long random = 88172645463325252ull, sum = 0;
	long long due, end = now_ns() + ms * NSEC_PER_MSEC;
	long n = 0;

	while (now_ns() < end) {
		due = now_ns() + SHORTEST_NS + next_random(&random) % (LONGEST_NS - SHORTEST_NS);
		sleep_until_ns(due);
		late[n++] = now_ns() - due;
		sum = compute(sum, work * 1000);
		__asm__ volatile("" : : "r"(sum));
	}
	printf("%ld", n);
	print_quantiles(late, n);
	printf("\n");
	fflush(stdout);
}

int main(int argc, char **argv)
{
	long long *late;
	char line[64];
	long work, ms;

	if (argc != 3) {
		fprintf(stderr, "usage: sleeper WORK MS\n");
		return 2;
	}
	work = number(argv[1]);
	ms = number(argv[2]);
	late = calloc(ms / 2 + 1, sizeof(*late)); /* each sleep takes 2 ms or more */
	if (!late)
		fail("memory");
	while (fgets(line, sizeof(line), stdin))
		run(late, work, ms);
	return 0;
}
