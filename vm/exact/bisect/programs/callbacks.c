// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The workload "callbacks": a little of everything that makes a kernel call its scheduler, so that
 * every callback of one is called, and often. What is done is counted, not timed: a scheduler that
 * is a little slower is asked just as often for it.
 *
 *	callbacks HOGS ROUNDS SEED
 *
 * First among HOGS busy processes that are free to run on any CPU, then again without them:
 *	- two processes that wake each other up through pipes
 *	- one that sleeps, for a different time each time
 *	- one that forks children, which run for a moment and end
 *	- one that yields
 * and beside them one that changes another's nice value, affinity, scheduling class, and group, and
 * the weight of that group.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MAX_HOGS 64
#define GROUPS	 "/sys/fs/cgroup"

static uint64_t state;
static int failed_writes;

/* SplitMix64. */
static uint64_t next_random(void)
{
	uint64_t z = state += 0x9e3779b97f4a7c15ull;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
	return z ^ (z >> 31);
}

static void die(const char *what)
{
	perror(what);
	exit(1);
}

/* Runs so many instructions, roughly. */
static void spin(uint64_t instructions)
{
	uint64_t turns = instructions / 128 + 1;

	asm volatile("1: .rept 126\n\tnop\n\t.endr\n\tdec %0\n\tjnz 1b" : "+r"(turns) : : "cc");
}

static void sleep_us(long us)
{
	struct timespec t = { us / 1000000, us % 1000000 * 1000 };

	nanosleep(&t, NULL);
}

/* Starts a process that runs body and ends; each has chance of its own. */
static pid_t start(void (*body)(int), int rounds)
{
	uint64_t chance = next_random();
	pid_t pid = fork();

	if (pid < 0)
		die("fork");
	if (pid)
		return pid;
	state = chance;
	body(rounds);
	_exit(0);
}

static void hog(int rounds)
{
	(void)rounds;
	for (;;)
		spin(10000);
}

static void wake_each_other(int rounds)
{
	int there[2], back[2];
	char byte = 0;
	pid_t pid;

	if (pipe(there) || pipe(back))
		die("pipe");
	pid = fork();
	if (pid < 0)
		die("fork");
	for (int i = 0; i < rounds; i++) {
		if (pid && write(there[1], &byte, 1) != 1)
			die("write");
		if (read(pid ? back[0] : there[0], &byte, 1) != 1)
			die("read");
		spin(5000 + next_random() % 20000);
		if (!pid && write(back[1], &byte, 1) != 1)
			die("write");
	}
	if (!pid)
		_exit(0);
	waitpid(pid, NULL, 0);
}

static void sleep_often(int rounds)
{
	for (int i = 0; i < rounds; i++) {
		sleep_us(200 + next_random() % 1600);
		spin(5000);
	}
}

static void fork_often(int rounds)
{
	for (int i = 0; i < rounds / 4; i++) {
		uint64_t work = next_random() % 50000;
		pid_t pid = fork();

		if (pid < 0)
			die("fork");
		if (!pid) {
			spin(work);
			_exit(0);
		}
		waitpid(pid, NULL, 0);
		sleep_us(1000);
	}
}

static void yield_often(int rounds)
{
	for (int i = 0; i < rounds; i++) {
		spin(20000);
		sched_yield();
		if (i % 8 == 7)
			sleep_us(3000);
	}
}

/* Not every kernel has every file; it is the same for both that are compared. */
static void put(const char *file, const char *format, long value)
{
	char text[32];
	int fd = open(file, O_WRONLY), length = snprintf(text, sizeof(text), format, value);

	if (fd < 0)
		return;
	if (write(fd, text, length) != length)
		failed_writes++;
	close(fd);
}

/* What somebody at a shell may do to a process. */
static void change(pid_t pid, pid_t sleeper, int round, int nr_cpus)
{
	struct sched_param normal = { 0 }, real_time = { .sched_priority = 1 };
	cpu_set_t set;

	switch (round % 6) {
	case 0:
		setpriority(PRIO_PROCESS, pid, (int)(next_random() % 20));
		break;
	case 1:
		CPU_ZERO(&set);
		CPU_SET(next_random() % nr_cpus, &set);
		sched_setaffinity(pid, sizeof(set), &set);
		memset(&set, 0xff, sizeof(set));
		sched_setaffinity(pid, sizeof(set), &set);
		break;
	case 2:
		put(round / 6 % 2 ? GROUPS "/a/cgroup.procs" : GROUPS "/b/cgroup.procs", "%ld",
		    pid);
		break;
	case 3:
		put(GROUPS "/a/cpu.weight", "%ld", 50 + next_random() % 200);
		break;
	case 4:
		/* A busy one would hold up everybody. */
		sched_setscheduler(sleeper, SCHED_FIFO, &real_time);
		sleep_us(2000);
		sched_setscheduler(sleeper, SCHED_OTHER, &normal);
		break;
	case 5:
		if (!mkdir(GROUPS "/c", 0755))
			rmdir(GROUPS "/c");
		break;
	}
}

static void all_of_it(int hogs, int rounds)
{
	void (*const bodies[])(int) = { wake_each_other, sleep_often, fork_often, yield_often };
	int nr_cpus = sysconf(_SC_NPROCESSORS_ONLN);
	pid_t busy[MAX_HOGS], others[4];

	for (int i = 0; i < hogs; i++)
		busy[i] = start(hog, 0);
	for (int i = 0; i < 4; i++)
		others[i] = start(bodies[i], rounds);
	for (int i = 0; i < rounds / 4; i++) {
		sleep_us(500 + next_random() % 3000);
		change(hogs ? busy[i % hogs] : others[0], others[1], i, nr_cpus);
	}
	for (int i = 0; i < 4; i++) {
		int status = -1;

		waitpid(others[i], &status, 0);
		if (status) {
			fprintf(stderr, "one of the processes ended with status %d\n", status);
			exit(1);
		}
	}
	for (int i = 0; i < hogs; i++) {
		kill(busy[i], SIGKILL);
		waitpid(busy[i], NULL, 0);
	}
}

int main(int argc, char **argv)
{
	int hogs = argc == 4 ? atoi(argv[1]) : 0;
	int rounds = argc == 4 ? atoi(argv[2]) : 0;

	if (rounds < 1 || hogs < 0 || hogs > MAX_HOGS) {
		fprintf(stderr, "usage: callbacks HOGS ROUNDS SEED\n");
		return 2;
	}
	/* It mounts and makes groups: nothing for a machine that somebody uses. */
	if (getppid() != 1 || access("/plan", F_OK)) {
		fprintf(stderr, "callbacks runs in the machine of an exact run only\n");
		return 2;
	}
	state = strtoull(argv[3], NULL, 10);
	mount("cgroup2", GROUPS, "cgroup2", 0, NULL);
	put(GROUPS "/cgroup.subtree_control", "+cpu", 0);
	mkdir(GROUPS "/a", 0755);
	mkdir(GROUPS "/b", 0755);
	if (hogs)
		all_of_it(hogs, rounds);
	all_of_it(0, rounds);
	printf("%d files would not take what was written\n", failed_writes);
	return 0;
}
