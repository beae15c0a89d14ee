// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Equal processes that only compute, until standard input ends: the load beside other programs, and
 * by itself the question how evenly a scheduler divides the CPUs and how much work gets done.
 *
 *	hogs PROCESSES
 *
 * Answers each line with the time now (ns), then for each process its CPU time so far (ns) and the
 * pieces of work it has done.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "measure.h"

#define PIECE 2000 /* steps of arithmetic: 1 to 2 us on metal */

struct hog {
	pid_t pid;
	clockid_t clock;
	volatile long long pieces;
	volatile unsigned long long sum;
	char padding[32]; /* a cache line each */
};

static void start(struct hog *hog)
{
	pid_t parent = getpid(), pid = fork();

	if (pid < 0)
		fail("fork");
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != parent)
			_exit(0);
		for (;;) {
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

	if (argc != 2) {
		fprintf(stderr, "usage: hogs PROCESSES\n");
		return 2;
	}
	n = number(argv[1]);
	hogs = mmap(NULL, n * sizeof(*hogs), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		    0);
	if (hogs == MAP_FAILED)
		fail("mmap");
	for (long i = 0; i < n; i++)
		start(&hogs[i]);
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
