// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A storm of short processes, as a shell script or make has it: parents that fork and let the child
 * become another program, one after the other, as fast as they can.
 *
 *	forks ms=1000 seed=1 a_cpu=0 duty=1000 [parents=2]
 *
 * So many parents a CPU. Prints how long it took from before the fork to the first instruction of the
 * child, and to the first of the program that it became; and how many there were in a second.
 */
#define _GNU_SOURCE
#include "tasks.h"

#define MOST_A_PARENT 20000
#define WARM_NS	      (50 * NSEC_PER_MSEC)

/* The word that tells the program that it is what a child became. */
#define CHILD "became"

struct parent {
	struct samples *forked, *became;
	s64 began, ended;
};

static s64 receive(int from)
{
	s64 at;

	if (read(from, &at, sizeof(at)) != sizeof(at))
		fail("a child");
	return at;
}

static void tell(int to)
{
	s64 now = now_ns();

	if (write(to, &now, sizeof(now)) != sizeof(now))
		_exit(1);
}

static void be_child(const char *self, int to)
{
	char number[16];

	tell(to);
	snprintf(number, sizeof(number), "%d", to);
	execl(self, self, CHILD, number, NULL);
	_exit(1);
}

static void be_parent(const char *self, struct parent *parent, s64 begins, s64 ends)
{
	int ends_of_pipe[2];
	s64 at = now_ns();

	if (pipe(ends_of_pipe))
		fail("pipe");
	while (at < ends) {
		s64 forked, became;
		pid_t pid;

		at = now_ns();
		pid = fork();
		if (pid < 0)
			fail("fork");
		if (!pid)
			be_child(self, ends_of_pipe[1]);
		forked = receive(ends_of_pipe[0]);
		became = receive(ends_of_pipe[0]);
		wait_for(pid, "a child");
		if (at < begins)
			continue;
		parent->began = parent->began ? parent->began : at;
		parent->ended = now_ns();
		if (!add_sample(parent->forked, forked - at) |
		    !add_sample(parent->became, became - at))
			break;
	}
	_exit(0);
}

int main(int argc, char **argv)
{
	struct parent *parents;
	double a_second = 0;
	struct load *load;
	pid_t *pids;
	s64 begins;
	long nr;

	if (argc == 3 && !strcmp(argv[1], CHILD)) {
		tell(number(argv[2]));
		return 0;
	}
	begin(argc, argv);
	nr = option("parents", 2) * nr_cpus();
	no_more_options();
	if (nr < 1 || nr > 1024)
		give_up("from 1 to 1024 parents in all");
	parents = shared(nr * sizeof(*parents));
	pids = calloc(nr, sizeof(*pids));
	if (!pids)
		fail("memory");
	become_fifo(2);
	load = start_load(false);
	begins = now_ns() + WARM_NS;
	for (long i = 0; i < nr; i++) {
		parents[i].forked = new_samples(MOST_A_PARENT);
		parents[i].became = new_samples(MOST_A_PARENT);
		pids[i] = start_process("parent");
		if (!pids[i])
			be_parent(argv[0], &parents[i], begins, begins + asked.ms * NSEC_PER_MSEC);
	}
	for (long i = 0; i < nr; i++)
		wait_for(pids[i], "a parent");
	stop_load(load);
	for (long i = 0; i < nr; i++)
		print_samples("fork", parents[i].forked);
	for (long i = 0; i < nr; i++) {
		print_samples("exec", parents[i].became);
		if (parents[i].ended > parents[i].began)
			a_second +=
				parents[i].became->nr * 1e9 / (parents[i].ended - parents[i].began);
	}
	print_metric("execs_per_s", a_second);
	return 0;
}
