// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Wake-up latency after schbench's method (messages.h).
 *
 *	messages THREADS WORKERS WORK MS
 *
 * THREADS message threads with WORKERS workers each, WORK thousand steps of arithmetic a request.
 * Answers each line with what happened in MS ms: the number of requests, then the wake-up latency in
 * ns: p50 p99 p99.9 max.
 */
#define _GNU_SOURCE
#include "messages.h"

static void run(long threads, long workers, long work, long ms)
{
	struct worker *worker = exchange(threads, workers, work * 1000, ms);
	long long *late;
	long n = 0;

	for (long i = 0; i < threads * workers; i++)
		n += worker[i].nr;
	late = calloc(n + 1, sizeof(*late));
	if (!late)
		fail("memory");
	n = 0;
	for (long i = 0; i < threads * workers; i++) {
		memcpy(late + n, worker[i].late, worker[i].nr * sizeof(*late));
		n += worker[i].nr;
	}
	printf("%ld", n);
	print_quantiles(late, n);
	printf("\n");
	fflush(stdout);
	free(late);
	free(worker);
}

int main(int argc, char **argv)
{
	char line[64];

	if (argc != 5) {
		fprintf(stderr, "usage: messages THREADS WORKERS WORK MS\n");
		return 2;
	}
	while (fgets(line, sizeof(line), stdin))
		run(number(argv[1]), number(argv[2]), number(argv[3]), number(argv[4]));
	return 0;
}
