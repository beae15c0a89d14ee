/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the measured programs share, workloads and those of `make bench`: the clock, the end on an
 * error, seeded random numbers, arithmetic and quantiles.
 */
#ifndef SCXHID_MEASURE_H
#define SCXHID_MEASURE_H

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define NSEC_PER_SEC  1000000000ll
#define NSEC_PER_MSEC 1000000ll
#define NSEC_PER_USEC 1000ll

static inline long long clock_ns(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return t.tv_sec * NSEC_PER_SEC + t.tv_nsec;
}

static inline long long now_ns(void)
{
	return clock_ns(CLOCK_MONOTONIC);
}

static inline void sleep_until_ns(long long at)
{
	struct timespec t = { .tv_sec = at / NSEC_PER_SEC, .tv_nsec = at % NSEC_PER_SEC };

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL) == EINTR)
		;
}

static inline void fail(const char *what)
{
	fprintf(stderr, "%s: %s: %s\n", program_invocation_short_name, what, strerror(errno));
	exit(1);
}

/* A whole number from the command line, at least 1. */
static inline long number(const char *text)
{
	char *end;
	long n = strtol(text, &end, 10);

	if (*end || n < 1) {
		fprintf(stderr, "%s: %s is not a whole number above 0\n",
			program_invocation_short_name, text);
		exit(2);
	}
	return n;
}

/* SplitMix64 (Steele, Lea, Flood 2014): the same numbers for the same state, which may be any. */
static inline unsigned long long next_random(unsigned long long *state)
{
	unsigned long long z = *state += 0x9e3779b97f4a7c15ull;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
	return z ^ (z >> 31);
}

/* Arithmetic that a compiler cannot leave out; returns what makes it so. */
static inline unsigned long long compute(unsigned long long seed, long rounds)
{
	for (long i = 0; i < rounds; i++)
		seed = seed * 6364136223846793005ull + 1442695040888963407ull;
	return seed;
}

static inline int by_size(const void *a, const void *b)
{
	long long x = *(const long long *)a, y = *(const long long *)b;

	return (x > y) - (x < y);
}

/* The smallest value that at least `per_mille` of the sorted ones do not exceed; 0 of none. */
static inline long long quantile(const long long *sorted, long n, int per_mille)
{
	long rank = (n * per_mille + 999) / 1000;

	return n ? sorted[rank ? rank - 1 : 0] : 0;
}

/* Sorts the values; writes " p50 p99 p99.9 max", all in what they are in. */
static inline void print_quantiles(long long *values, long n)
{
	qsort(values, n, sizeof(*values), by_size);
	printf(" %lld %lld %lld %lld", quantile(values, n, 500), quantile(values, n, 990),
	       quantile(values, n, 999), quantile(values, n, 1000));
}

#endif /* SCXHID_MEASURE_H */
