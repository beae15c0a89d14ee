// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A mix of tasks that all have a fixed amount of work: some compute, some walk through memory, some
 * compute for a moment, sleep, and compute again.
 *
 *	mix ms=1000 seed=1
 *
 * First one of each kind does its work with nothing beside it; then two of each kind a CPU do it all at
 * once. Prints how long all of that took, how many times as long as alone each kind did, how evenly tasks
 * of one kind were treated (Jain's index, the least of the kinds), and how late the sleepers ran. `ms`
 * says how much work: about a fifth of it each on metal.
 */
#define _GNU_SOURCE
#include "tasks.h"

#define A_CPU	     2 /* of each kind */
#define MOST_SAMPLES 50000

/*
 * On metal a step takes about 1 ns, and one through this much memory, which is more than the first
 * cache and less than the second, a few. It is few pages: with more of them the emulator's own table
 * of pages decides, which it makes larger only when tasks take turns.
 */
#define STEPS_A_MS   200000
#define WALK_WORDS   (1 << 15)
#define WALK_DIVIDER 8
#define BURST_STEPS  100000
#define SLEEP_NS     NSEC_PER_MSEC

enum { COMPUTE, MEMORY, SLEEPER, NR_KINDS };

static const char *const names[NR_KINDS] = { "compute", "memory", "sleeper" };

struct task {
	int kind;
	s64 ended;
	struct samples *late;
};

static void arithmetic(long steps)
{
	unsigned long long sum = compute(steps, steps);

	__asm__ volatile("" : : "r"(sum));
}

/* Where each word leads to the next, by a step that visits all of them. */
static unsigned *new_walk(void)
{
	unsigned *words = malloc(WALK_WORDS * sizeof(*words));

	if (!words)
		fail("memory");
	for (unsigned i = 0; i < WALK_WORDS; i++)
		words[i] = (i * 5 + 40503) % WALK_WORDS; /* a full period: Hull and Dobell 1962 */
	return words;
}

static void walk(const unsigned *words, long steps)
{
	unsigned at = 0;

	while (steps--)
		at = words[at];
	__asm__ volatile("" : : "r"(at));
}

static void sleep_and_compute(struct task *task, long steps, u64 chance)
{
	for (; steps > 0; steps -= BURST_STEPS) {
		s64 due = now_ns() + dithered(SLEEP_NS, &chance);

		sleep_until_ns(due);
		add_sample(task->late, now_ns() - due);
		arithmetic(BURST_STEPS);
	}
}

static void work(struct task *task, u64 chance)
{
	long steps = asked.ms * STEPS_A_MS;

	if (task->kind == COMPUTE)
		arithmetic(steps);
	else if (task->kind == MEMORY)
		walk(new_walk(), steps / WALK_DIVIDER);
	else
		sleep_and_compute(task, steps / 4, chance);
	task->ended = now_ns();
	_exit(0);
}

/* Lets tasks do their work at once; `took` gets how long each had for it. */
static void run(struct task *tasks, long nr, s64 *took)
{
	s64 began = now_ns();
	pid_t pids[nr]; /* not in what is shared: a child's own is 0 */

	for (long i = 0; i < nr; i++) {
		pids[i] = start_process(names[tasks[i].kind]);
		if (!pids[i]) {
			become_normal();
			work(&tasks[i], chance_of(i));
		}
	}
	for (long i = 0; i < nr; i++) {
		wait_for(pids[i], names[tasks[i].kind]);
		took[i] = tasks[i].ended - began;
	}
}

/* Jain's index of how long tasks of one kind took, which have the same to do. */
static double fairness_of(int kind, const struct task *tasks, const s64 *took, long nr)
{
	double of_kind[nr];
	long n = 0;

	for (long i = 0; i < nr; i++)
		if (tasks[i].kind == kind)
			of_kind[n++] = took[i];
	return jain(of_kind, n);
}

int main(int argc, char **argv)
{
	long nr = NR_KINDS * A_CPU * nr_cpus();
	struct task *tasks = shared(nr * sizeof(*tasks));
	s64 alone[NR_KINDS], *took = calloc(nr, sizeof(*took)), makespan = 0;
	double slowdown[NR_KINDS] = { 0 }, fairness = 1;
	char name[32];

	begin(argc, argv);
	no_more_options();
	if (!took)
		fail("memory");
	become_fifo(2);
	for (long i = 0; i < nr; i++)
		tasks[i].late = new_samples(MOST_SAMPLES);
	for (int kind = 0; kind < NR_KINDS; kind++) {
		tasks[0].kind = kind;
		run(tasks, 1, &alone[kind]);
	}
	tasks[0].late->nr = 0;
	for (long i = 0; i < nr; i++)
		tasks[i].kind = i % NR_KINDS;
	run(tasks, nr, took);
	for (long i = 0; i < nr; i++) {
		double times = (double)took[i] / alone[tasks[i].kind];

		makespan = took[i] > makespan ? took[i] : makespan;
		slowdown[tasks[i].kind] += times * NR_KINDS / nr;
	}
	for (int kind = 0; kind < NR_KINDS; kind++) {
		double index = fairness_of(kind, tasks, took, nr);

		fairness = index < fairness ? index : fairness;
	}
	for (long i = 0; i < nr; i++)
		if (tasks[i].kind == SLEEPER)
			print_samples("late", tasks[i].late);
	print_metric("makespan_ns", makespan);
	print_metric("fairness", fairness);
	for (int kind = 0; kind < NR_KINDS; kind++) {
		snprintf(name, sizeof(name), "%s_slowdown", names[kind]);
		print_metric(name, slowdown[kind]);
	}
	return 0;
}
