// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * report_latency UHID NODE COUNT GAP-US HEX HEX: how long reports of a HID device take until a reader
 * has them.
 *
 * UHID is the descriptor of an open /dev/uhid whose device there is already, NODE the path of its input
 * device; each of the two reports, in base 16, is one packet of events there. COUNT of them are sent in
 * turns, each when the gap is over and the one before has been read.
 *
 * A line for each has two times in ns: from right before write() to right after read() has returned,
 * and what a write() takes, some time before, that uhid refuses when it has copied the event: a call
 * of the kernel in which nothing else happens.
 *
 * CPU 0 writes, the last one reads, and sleeps in read() until there is something: between the stamps
 * is nothing but the two system calls.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/input.h>
#include <linux/uhid.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#define WAIT_NS (5 * 1000000000ll)
#define AT_ONCE 64 /* events */
#define LOOK_NS (1000 * 1000)

struct heard {
	_Atomic long is_open;
	_Atomic long reads;
	long long stamps[];
};

static long long now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ll + t.tv_nsec;
}

static void sleep_ns(long long ns)
{
	struct timespec t = { .tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000 };

	nanosleep(&t, NULL);
}

static _Noreturn void fail(const char *what)
{
	fprintf(stderr, "report_latency: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void run_on(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		fail("a CPU of its own");
}

static size_t make_report(struct uhid_event *event, const char *hex)
{
	unsigned int n = 0, byte;

	event->type = UHID_INPUT2;
	for (; n < UHID_DATA_MAX && sscanf(hex + 2 * n, "%2x", &byte) == 1; n++)
		event->u.input2.data[n] = byte;
	event->u.input2.size = n;
	return offsetof(struct uhid_event, u.input2.data) + n;
}

static void listen_to(const char *node, struct heard *heard, long count)
{
	struct input_event events[AT_ONCE];
	int fd = open(node, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		fail(node);
	heard->is_open = 1;
	for (long n = 0; n < count; n++) {
		if (read(fd, events, sizeof(events)) <= 0)
			fail(node);
		heard->stamps[n] = now_ns();
		heard->reads = n + 1;
	}
}

static long long refused_write(int uhid, size_t size)
{
	static struct uhid_event refused = { .type = ~0u };
	long long began = now_ns();

	if (write(uhid, &refused, size) >= 0 || errno != EOPNOTSUPP)
		fail("uhid did not refuse it");
	return now_ns() - began;
}

static void wait_for(_Atomic long *what, long value, const char *words)
{
	long long until = now_ns() + WAIT_NS;

	while (*what < value) {
		if (now_ns() > until) {
			fprintf(stderr, "report_latency: %s\n", words);
			exit(1);
		}
		sleep_ns(LOOK_NS);
	}
}

int main(int argc, char **argv)
{
	static struct uhid_event reports[2];
	size_t sizes[2], room;
	long count, gap_us;
	struct heard *heard;
	long long *sent, *calls;
	pid_t parent = getpid();
	int uhid;

	if (argc != 7) {
		fprintf(stderr, "usage: report_latency UHID NODE COUNT GAP-US HEX HEX\n");
		return 2;
	}
	uhid = atoi(argv[1]);
	count = atol(argv[3]);
	gap_us = atol(argv[4]);
	for (int n = 0; n < 2; n++)
		sizes[n] = make_report(&reports[n], argv[5 + n]);
	room = sizeof(*heard) + count * sizeof(*heard->stamps);
	heard = mmap(NULL, room, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE,
		     -1, 0);
	sent = calloc(count, sizeof(*sent));
	calls = calloc(count, sizeof(*calls));
	if (heard == MAP_FAILED || !sent || !calls)
		fail("memory");
	switch (fork()) {
	case -1:
		fail("a reader");
	case 0:
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != parent)
			return 1;
		run_on(sysconf(_SC_NPROCESSORS_ONLN) - 1);
		listen_to(argv[2], heard, count);
		return 0;
	}
	wait_for(&heard->is_open, 1, "the input device was not opened");
	for (long n = 0; n < count; n++) {
		sleep_ns(gap_us * 500);
		calls[n] = refused_write(uhid, sizes[n % 2]);
		sleep_ns(gap_us * 500);
		sent[n] = now_ns();
		if (write(uhid, &reports[n % 2], sizes[n % 2]) < 0)
			fail("uhid");
		wait_for(&heard->reads, n + 1, "a report was not read");
	}
	for (long n = 0; n < count; n++)
		printf("%lld %lld\n", heard->stamps[n] - sent[n], calls[n]);
	return 0;
}
