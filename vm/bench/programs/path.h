/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The processes that a report goes through (report_path.c): the first reads the input device, each
 * passes on to the next down a unix socket.
 */
#ifndef SCXHID_PATH_H
#define SCXHID_PATH_H

#include <linux/input.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include "uhid.h"

#define READERS_PRIO  50
#define MESSAGE_BYTES 64

/* Mice count reports by where they move to, keyboards by which of the digits is pressed. */
#define STEPS	     100
#define DIGITS	     10
#define USAGE_1	     0x1e /* HID usage tables, keyboard page: 1 to 9, 0 */
#define MOUSE_CYCLE  (STEPS * STEPS)
#define DIGITS_CYCLE (2 * DIGITS)

struct run {
	int device;
	char node[64], kind[16];
	long hz, ms, length, reader_us, others_us;
	int fifo;
	unsigned long long seed;
};

/* What all processes of the path see; of each report three stamps. */
struct path {
	_Atomic long nr_ready, nr_read, nr_ended;
	long most;
	struct stamps {
		long long sent, read, ended;
		bool is_lost;
	} of[];
};

struct stage {
	struct path *path;
	int in, out; /* out is -1 of the last */
	long steps;
};

static long steps_per_us;

/* ---- work ---- */

static inline void work(long steps)
{
	unsigned long long sum = compute(steps, steps);

	__asm__ volatile("" : : "r"(sum));
}

/* How much a CPU computes in a us: the most of several tries, since others may be in between. */
static inline void learn_speed(void)
{
	long long began, took, best = NSEC_PER_SEC;

	for (int n = 0; n < 8; n++) {
		began = now_ns();
		work(1000000);
		took = now_ns() - began;
		best = took < best ? took : best;
	}
	steps_per_us = 1000000 * NSEC_PER_USEC / best;
}

/* ---- the number in a report ---- */

static inline bool is_mouse(const struct run *run)
{
	return run->kind[0] == 'm';
}

static inline void number_report(const struct run *run, struct uhid_event *event, long n)
{
	unsigned char *data = event->u.input2.data;

	*event = (struct uhid_event){ .type = UHID_INPUT2 };
	if (is_mouse(run)) {
		event->u.input2.size = 4;
		data[1] = 1 + n % STEPS;
		data[2] = 1 + n / STEPS % STEPS;
	} else {
		event->u.input2.size = 8;
		data[2] = n % 2 ? 0 : USAGE_1 + n / 2 % DIGITS;
	}
}

/* Of the packet that it is in, as far as this event tells; -1 before it tells all. */
static inline long number_of(const struct input_event *event, long *x)
{
	if (event->type == EV_REL && event->code == REL_X)
		*x = event->value - 1;
	else if (event->type == EV_REL && event->code == REL_Y && *x >= 0)
		return *x + (event->value - 1) * STEPS;
	else if (event->type == EV_KEY && event->value != 2)
		return 2 * (event->code - KEY_1) + !event->value;
	return -1;
}

/* ---- the processes of the path ---- */

static inline int watched(int fd)
{
	struct epoll_event event = { .events = EPOLLIN };
	int epoll = epoll_create1(0);

	if (epoll < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event))
		fail("epoll");
	return epoll;
}

static inline void sleep_on(int epoll)
{
	struct epoll_event event;

	while (epoll_wait(epoll, &event, 1, -1) < 0)
		if (errno != EINTR)
			fail("epoll");
}

/* All reports before `next` have come as far as this process. */
static inline void pass_on(const struct stage *stage, long next)
{
	long message[MESSAGE_BYTES / sizeof(long)] = { next };
	struct path *path = stage->path;
	long long now;

	if (stage->out >= 0) {
		if (write(stage->out, message, sizeof(message)) < 0)
			fail("a socket");
		return;
	}
	now = now_ns();
	for (long n = path->nr_ended; n < next; n++)
		path->of[n].ended = now;
	path->nr_ended = next;
}

/* Takes what a read brought; how many reports came, those that were lost as well. */
static inline long take(struct path *path, const struct input_event *events, int nr, long cycle)
{
	static long number = -1, x = -1;
	static bool is_broken; /* the packet after SYN_DROPPED is not whole */
	long next = path->nr_read, first = next, seen;
	long long now = now_ns();

	for (int i = 0; i < nr; i++) {
		if (events[i].type != EV_SYN) {
			seen = number_of(&events[i], &x);
			number = seen >= 0 ? seen : number;
			continue;
		}
		if (events[i].code == SYN_DROPPED)
			is_broken = true;
		if (events[i].code == SYN_REPORT && number >= 0 && !is_broken) {
			seen = next + ((number - next) % cycle + cycle) % cycle;
			for (; next <= seen && next < path->most; next++) {
				path->of[next].read = now;
				path->of[next].is_lost = next < seen;
			}
		}
		if (events[i].code == SYN_REPORT)
			is_broken = false;
		number = x = -1;
	}
	path->nr_read = next;
	return next - first;
}

static inline void read_reports(const struct stage *stage, long cycle)
{
	struct input_event events[64];
	int epoll = watched(stage->in);
	ssize_t size;
	long came;

	stage->path->nr_ready++;
	for (;;) {
		sleep_on(epoll);
		size = read(stage->in, events, sizeof(events));
		if (size < 0 && errno != EAGAIN)
			fail("the input device");
		if (size < 0)
			continue;
		came = take(stage->path, events, size / sizeof(*events), cycle);
		if (!came)
			continue;
		work(came * stage->steps);
		pass_on(stage, stage->path->nr_read);
	}
}

static inline void pass_messages(const struct stage *stage)
{
	long message[MESSAGE_BYTES / sizeof(long)], next = 0;
	int epoll = watched(stage->in);

	stage->path->nr_ready++;
	for (;;) {
		sleep_on(epoll);
		while (read(stage->in, message, sizeof(message)) > 0)
			next = message[0];
		work(stage->steps);
		pass_on(stage, next);
	}
}

static inline void become(int policy, int prio)
{
	struct sched_param param = { .sched_priority = prio };

	if (sched_setscheduler(0, policy | SCHED_RESET_ON_FORK, &param))
		fail("SCHED_FIFO");
}

static inline pid_t start(const struct run *run, const struct stage *stage, bool is_reader)
{
	pid_t parent = getpid(), pid = fork();

	if (pid < 0)
		fail("fork");
	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(0);
	if (run->fifo)
		become(SCHED_FIFO, READERS_PRIO);
	if (is_reader)
		read_reports(stage, is_mouse(run) ? MOUSE_CYCLE : DIGITS_CYCLE);
	pass_messages(stage);
	_exit(0);
}

/* Starts all of them; the last first, so that each has to whom to pass on. */
static inline void start_all(const struct run *run, struct path *path, int node, pid_t *pids)
{
	struct stage stage = { .path = path, .out = -1, .steps = run->others_us * steps_per_us };
	int ends[2], out = -1;

	for (long n = run->length - 1; n > 0; n--) {
		if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends) ||
		    fcntl(ends[0], F_SETFL, O_NONBLOCK))
			fail("a socket");
		stage.in = ends[0];
		stage.out = out;
		pids[n] = start(run, &stage, false);
		close(ends[0]);
		if (out >= 0)
			close(out);
		out = ends[1];
	}
	stage.in = node;
	stage.out = out;
	stage.steps = run->reader_us * steps_per_us;
	pids[0] = start(run, &stage, true);
	if (out >= 0)
		close(out);
}

#endif /* SCXHID_PATH_H */
