// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * flood UHID NODE PER-SECOND SPIN-US SECONDS HEX HEX: reports of a HID device without end, and a reader
 * that makes the most of each.
 *
 * UHID is the descriptor of an open /dev/uhid whose device there is already, NODE the path of its input
 * device; the two reports, in base 16, are sent in turns. On each CPU a reader sleeps until there is
 * something, reads all of it, and computes for SPIN-US. With a PER-SECOND of 0 there are only readers.
 *
 * One line at the end: how many reports were sent, and how often a reader woke.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/uhid.h>
#include <poll.h>
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

static _Atomic long *wakes;

static long long now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ll + t.tv_nsec;
}

static _Noreturn void fail(const char *what)
{
	fprintf(stderr, "flood: %s: %s\n", what, strerror(errno));
	exit(1);
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

static _Noreturn void read_and_spin(const char *node, long long spin_ns)
{
	int fd = open(node, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	struct pollfd wanted = { .fd = fd, .events = POLLIN };
	char events[4096];
	long long until;

	if (fd < 0)
		fail(node);
	for (;;) {
		if (poll(&wanted, 1, -1) < 0)
			fail("poll");
		++*wakes;
		while (read(fd, events, sizeof(events)) > 0)
			;
		for (until = now_ns() + spin_ns; now_ns() < until;)
			;
	}
}

int main(int argc, char **argv)
{
	static struct uhid_event reports[2];
	size_t sizes[2];
	long long per_second, spin_ns, began, sent = 0, due;
	double seconds;
	int uhid;

	if (argc != 8) {
		fprintf(stderr, "usage: flood UHID NODE PER-SECOND SPIN-US SECONDS HEX HEX\n");
		return 2;
	}
	uhid = atoi(argv[1]);
	per_second = atoll(argv[3]);
	spin_ns = atoll(argv[4]) * 1000;
	seconds = atof(argv[5]);
	for (int n = 0; n < 2; n++)
		sizes[n] = make_report(&reports[n], argv[6 + n]);
	wakes = mmap(NULL, sizeof(*wakes), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		     0);
	if (wakes == MAP_FAILED)
		fail("memory");
	for (long n = sysconf(_SC_NPROCESSORS_ONLN); n > 0; n--) {
		if (fork())
			continue;
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		read_and_spin(argv[2], spin_ns);
	}
	for (began = now_ns(); now_ns() - began < seconds * 1e9;) {
		/* What it was too late for, it makes up for. */
		due = (now_ns() - began) * per_second / 1000000000;
		for (; sent < due; sent++)
			if (write(uhid, &reports[sent % 2], sizes[sent % 2]) < 0)
				fail("uhid");
		usleep(per_second ? 100 : 10000);
	}
	printf("%lld %ld\n", sent, *wakes);
	return 0;
}
