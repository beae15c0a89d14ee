/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a workload's program is asked for (words KEY=NUMBER) and what it prints (vm/workloads/
 * protocol.py): one static program is a whole workload, in any machine. Whatever it does by chance
 * follows from the seed; where instructions are the clock, the same seed prints the same.
 */
#ifndef SCXHID_WORKLOAD_H
#define SCXHID_WORKLOAD_H

#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/time.h>
#include <unistd.h>

#include "measure.h"

typedef long long s64;
typedef unsigned long long u64;

/* What every workload understands. */
static struct asked {
	long ms;      /* how long it measures */
	u64 seed;     /* of all its chance */
	long a_cpu;   /* tasks of the load beside it for each CPU */
	long duty;    /* per mille of its time that each of them computes */
	int nr_words; /* of the command line, as main() has them */
	char **words;
	u64 taken; /* words that were understood, a bit each */
} asked;

static inline void give_up(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

static inline void give_up(const char *format, ...)
{
	va_list args;

	fprintf(stderr, "%s: ", program_invocation_short_name);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	exit(1);
}

static inline void refuse(const char *word)
{
	fprintf(stderr, "%s: %s is no word KEY=NUMBER that it understands\n",
		program_invocation_short_name, word);
	exit(2);
}

/* The number of the word KEY=NUMBER, or what is meant without it. */
static inline s64 option(const char *key, s64 otherwise)
{
	size_t length = strlen(key);

	for (int i = 1; i < asked.nr_words; i++) {
		char *word = asked.words[i], *end;
		s64 value;

		if (strncmp(word, key, length) || word[length] != '=')
			continue;
		errno = 0;
		value = strtoll(word + length + 1, &end, 10);
		if (errno || *end || end == word + length + 1 || value < 0)
			refuse(word);
		asked.taken |= 1ull << i;
		otherwise = value;
	}
	return otherwise;
}

/* After the last option(): a word that nobody took is a mistake. */
static inline void no_more_options(void)
{
	for (int i = 1; i < asked.nr_words; i++)
		if (!(asked.taken & 1ull << i))
			refuse(asked.words[i]);
}

static inline void too_long(int signal)
{
	static const char text[] =
		": it did not end in time; something in it was not run for long\n";
	const char *name = program_invocation_short_name;

	(void)signal;
	if (write(STDERR_FILENO, name, strlen(name)) < 0 ||
	    write(STDERR_FILENO, text, sizeof(text) - 1) < 0)
		_exit(1);
	_exit(1);
}

/* Reads the words that all workloads have; whatever happens, the program ends. */
static inline void begin(int nr_words, char **words)
{
	struct itimerval limit = { 0 };

	asked.nr_words = nr_words;
	asked.words = words;
	if (nr_words > 60)
		refuse(words[60]);
	asked.ms = option("ms", 1000);
	asked.seed = option("seed", 1);
	asked.a_cpu = option("a_cpu", 0);
	asked.duty = option("duty", 1000);
	if (asked.ms < 1 || asked.ms > 3600000 || asked.a_cpu > 64 || asked.duty > 1000)
		give_up("ms is from 1 to 3600000, a_cpu at most 64, duty at most 1000");
	/* The 50 us that the kernel may put a timer off are no scheduler's. */
	prctl(PR_SET_TIMERSLACK, 1);
	signal(SIGALRM, too_long);
	limit.it_value.tv_sec = 30 + asked.ms / 100;
	setitimer(ITIMER_REAL, &limit, NULL);
}

/* A generator of its own for the n-th of those that draw. */
static inline u64 chance_of(u64 n)
{
	u64 state = asked.seed * 0x100000001b3ull + n;

	return next_random(&state);
}

/* From a half to three halves of a period: what has a fixed one may keep step with the tick. */
static inline s64 dithered(s64 period_ns, u64 *chance)
{
	return period_ns / 2 + (s64)(next_random(chance) % (u64)(period_ns + 1));
}

/* Memory that processes share, all of it there already. */
static inline void *shared(size_t size)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

	if (memory == MAP_FAILED)
		fail("memory");
	return memory;
}

/* ---- samples, and what is printed ---- */

/* In ns, in the order in which they came; one process adds at a time. */
struct samples {
	long nr, most;
	s64 ns[];
};

static inline struct samples *new_samples(long most)
{
	struct samples *samples = shared(sizeof(*samples) + most * sizeof(*samples->ns));

	samples->most = most;
	return samples;
}

static inline bool add_sample(struct samples *samples, s64 ns)
{
	if (samples->nr == samples->most)
		return false;
	samples->ns[samples->nr++] = ns < 0 ? 0 : ns;
	return samples->nr < samples->most;
}

#define A_LINE 40

static inline void print_samples(const char *name, const struct samples *samples)
{
	printf("samples %s", name);
	for (long i = 0; i < samples->nr; i++) {
		if (i && i % A_LINE == 0)
			printf("\nsamples %s", name);
		printf(" %lld", samples->ns[i]);
	}
	putchar('\n');
}

static inline void print_metric(const char *name, double value)
{
	printf("metric %s %.9g\n", name, value);
}

/* Context switches of the whole machine since it was started. */
static inline s64 nr_switches(void)
{
	FILE *stat = fopen("/proc/stat", "r");
	char line[8192];
	s64 n = -1;

	while (stat && fgets(line, sizeof(line), stat))
		if (sscanf(line, "ctxt %lld", &n) == 1)
			break;
	if (n < 0)
		fail("/proc/stat");
	fclose(stat);
	return n;
}

static inline void print_switches(s64 since, s64 began)
{
	print_metric("switches_per_s", (nr_switches() - since) * 1e9 / (now_ns() - began));
}

/* Jain's index (DEC-TR-301, 1984) of n amounts: 1 if all are the same, 1/n if one has all. */
static inline double jain(const double *amounts, long n)
{
	double sum = 0, squares = 0;

	for (long i = 0; i < n; i++) {
		sum += amounts[i];
		squares += amounts[i] * amounts[i];
	}
	return squares > 0 ? sum * sum / (n * squares) : 0;
}

#endif /* SCXHID_WORKLOAD_H */
