// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Two processes on one CPU that hand a byte to and fro through pipes: each byte is one wake-up and
 * one context switch, and nothing else happens. What a scheduler's callbacks cost shows here at its
 * largest.
 *
 *	pingpong ROUNDS
 *
 * A round is two switches. Answers each line with the ns of ROUNDS rounds.
 */
#define _GNU_SOURCE
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include "measure.h"

static void pass_on(int from, int to, long rounds, int first)
{
	char byte = 0;

	for (long i = 0; i < rounds; i++) {
		if (first && write(to, &byte, 1) != 1)
			fail("write");
		if (read(from, &byte, 1) != 1)
			fail("read");
		if (!first && write(to, &byte, 1) != 1)
			fail("write");
	}
}

static long long run(long rounds)
{
	long long started;
	int there[2], back[2];
	pid_t pid;

	if (pipe(there) || pipe(back))
		fail("pipe");
	pid = fork();
	if (pid < 0)
		fail("fork");
	if (!pid) {
		pass_on(there[0], back[1], rounds + 1, 0);
		_exit(0);
	}
	pass_on(back[0], there[1], 1, 1); /* both are there now */
	started = now_ns();
	pass_on(back[0], there[1], rounds, 1);
	started = now_ns() - started;
	if (waitpid(pid, NULL, 0) < 0)
		fail("wait");
	for (int i = 0; i < 2; i++) {
		close(there[i]);
		close(back[i]);
	}
	return started;
}

int main(int argc, char **argv)
{
	cpu_set_t last;
	char line[64];

	if (argc != 2) {
		fprintf(stderr, "usage: pingpong ROUNDS\n");
		return 2;
	}
	CPU_ZERO(&last);
	CPU_SET(sysconf(_SC_NPROCESSORS_ONLN) - 1, &last);
	if (sched_setaffinity(0, sizeof(last), &last))
		fail("sched_setaffinity");
	while (fgets(line, sizeof(line), stdin)) {
		printf("%lld\n", run(number(argv[1])));
		fflush(stdout);
	}
	return 0;
}
