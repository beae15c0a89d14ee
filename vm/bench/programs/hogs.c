// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Equal processes that only compute, until standard input ends: the load beside other programs, and
 * by itself the question how evenly a scheduler divides the CPUs and how much work gets done.
 *
 *	hogs PROCESSES [forks]
 *
 * With `forks` each lets children of its own do the work, one after the other, which compute for a
 * moment and end: a fork storm, as make has it.
 *
 * Answers each line with the time now (ns), then for each process its CPU time so far (ns, without that
 * of children) and the pieces of work it has done; what a child does is one.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "measure.h"

#define PIECE	     2000 /* steps of arithmetic: 1 to 2 us on metal */
#define CHILDS_STEPS (100 * PIECE)

struct hog {
	pid_t pid;
	clockid_t clock;
	volatile long long pieces;
	volatile unsigned long long sum;
	char padding[32]; /* a cache line each */
};

static void have_child(void)
{
	pid_t pid = fork();

	if (pid < 0)
		fail("fork");
	if (!pid) {
		unsigned long long sum = compute(1, CHILDS_STEPS);

		__asm__ volatile("" : : "r"(sum));
		_exit(0);
	}
	waitpid(pid, NULL, 0);
}

static void start(struct hog *hog, bool forks)
{
	pid_t parent = getpid(), pid = fork();

	if (pid < 0)
		fail("fork");
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != parent)
			_exit(0);
		for (;;) {
			if (forks)
				have_child();
			else
				hog->sum = compute(hog->sum, PIECE);
			hog->pieces++;
		}
	}
	hog->pid = pid;
	if (clock_getcpuclockid(pid, &hog->clock))
		fail("clock_getcpuclockid");
}

int main(int argc, char **argv)
{
	struct hog *hogs;
	char line[64];
	long n;

	if (argc < 2 || argc > 3 || (argc == 3 && strcmp(argv[2], "forks"))) {
		fprintf(stderr, "usage: hogs PROCESSES [forks]\n");
		return 2;
	}
	n = number(argv[1]);
	hogs = mmap(NULL, n * sizeof(*hogs), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		    0);
	if (hogs == MAP_FAILED)
		fail("mmap");
	for (long i = 0; i < n; i++)
		start(&hogs[i], argc == 3);
	while (fgets(line, sizeof(line), stdin)) {
		printf("%lld", now_ns());
		for (long i = 0; i < n; i++)
			printf(" %lld %lld", clock_ns(hogs[i].clock), hogs[i].pieces);
		printf("\n");
		fflush(stdout);
	}
	for (long i = 0; i < n; i++)
		kill(hogs[i].pid, SIGKILL);
	while (wait(NULL) > 0)
		;
	return 0;
}
