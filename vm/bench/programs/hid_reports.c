// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * HID devices, made through uhid, that send reports; and what comes of these out of input devices.
 *
 *	hid_reports NAME:VENDOR:PRODUCT:DESCRIPTOR ...
 *
 * VENDOR, PRODUCT and DESCRIPTOR are in base 16; the devices are numbered from 0. NODE below is what
 * is listened to: of the device itself, or of whoever passes on what it says. It answers the lines
 *
 *	type DEVICE NODE CODE N GAP-US REPORT REPORT
 *		sends the two reports in turns, N in all, a random half to one and a half of the gap
 *		apart, each of which presses or releases the key CODE; answers with the ns from before each
 *		write to after the read of the key, and ends if it did not come out N times
 *	pace DEVICE NODE N HZ EVERY REPORT REPORT
 *		sends N reports, evenly, EVERY of the first, then as many of the second, and so on, with
 *		some to and fro at each change, as a switch bounces; answers with the ns that all took, how
 *		many were sent later than the next one was due, and of what came out: packets with a
 *		movement, the sum of the movements along x, and how often the kernel says that some were lost
 *	until DEVICE NODE CODE GAP-US MS REPORT REPORT
 *		sends the two in turns until the key CODE is pressed; answers with the monotonic ns then, 0
 *		if it was not in MS ms
 *
 * The reader is a thread of its own that sleeps until there is something, as a compositor does. That of
 * `pace` is not, so that nothing is lost because it comes too late.
 */
#define _GNU_SOURCE
#include "measure.h"
#include "uhid.h"

#include <linux/input.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>

#define WAIT_NS	       (2 * NSEC_PER_SEC)
#define TAKEN_TOGETHER 8 /* reports; a reader's queue has room for more */
#define BOUNCES	       6

struct heard {
	int fd;
	volatile bool is_over;
	long most; /* stamps that there is room for */
	volatile long keys;
	long long *stamps;
	int wanted; /* key */
	volatile long long wanted_ns;
	long long packets, sum, lost;
};

/* ---- what comes out ---- */

static void hear(struct heard *heard, const struct input_event *event, long long now)
{
	static bool moved;

	if (event->type == EV_KEY && event->code == heard->wanted && event->value != 2) {
		if (event->value && !heard->wanted_ns)
			heard->wanted_ns = now;
		if (heard->keys < heard->most) {
			heard->stamps[heard->keys] = now;
			heard->keys++;
		}
	} else if (event->type == EV_REL) {
		moved = true;
		if (event->code == REL_X)
			heard->sum += event->value;
	} else if (event->type == EV_SYN) {
		heard->lost += event->code == SYN_DROPPED;
		heard->packets += moved && event->code == SYN_REPORT;
		moved = false;
	}
}

static void take(struct heard *heard)
{
	struct input_event events[64];
	ssize_t size = read(heard->fd, events, sizeof(events));
	long long now = now_ns();

	if (size < 0 && errno != EAGAIN)
		fail("the input device");
	for (ssize_t n = 0; n < size / (ssize_t)sizeof(*events); n++)
		hear(heard, &events[n], now);
}

static void *listen_to(void *argument)
{
	struct heard *heard = argument;
	struct pollfd polled = { .fd = heard->fd, .events = POLLIN };

	while (!heard->is_over)
		if (poll(&polled, 1, 50) > 0)
			take(heard);
	return NULL;
}

static void open_node(struct heard *heard, const char *node, long most)
{
	*heard = (struct heard){ .most = most, .wanted = -1 };
	heard->fd = open(node, O_RDONLY | O_NONBLOCK);
	heard->stamps = calloc(most ? most : 1, sizeof(*heard->stamps));
	if (heard->fd < 0 || !heard->stamps)
		fail(node);
}

static pthread_t begin(struct heard *heard, const char *node, long most)
{
	pthread_t thread;

	open_node(heard, node, most);
	if (pthread_create(&thread, NULL, listen_to, heard))
		fail("a thread");
	usleep(20000); /* it sleeps by then */
	return thread;
}

static void close_node(struct heard *heard)
{
	close(heard->fd);
	free(heard->stamps);
}

static void end(struct heard *heard, pthread_t thread)
{
	heard->is_over = true;
	pthread_join(thread, NULL);
	close_node(heard);
}

/* ---- the lines ---- */

static long long dither(unsigned long long *random, long long gap_ns)
{
	return gap_ns / 2 + next_random(random) % gap_ns;
}

static void type(int device, const char *node, int code, long n, long gap_us,
		 struct uhid_event *reports)
{
	long long *sent = calloc(n, sizeof(*sent)), until;
	unsigned long long random = now_ns() | 1;
	struct heard heard;
	pthread_t thread;

	if (!sent)
		fail("memory");
	thread = begin(&heard, node, n);
	heard.wanted = code;
	for (long i = 0; i < n; i++) {
		sleep_until_ns(now_ns() + dither(&random, gap_us * NSEC_PER_USEC));
		sent[i] = now_ns();
		send_report(device, &reports[i % 2]);
	}
	until = now_ns() + WAIT_NS;
	while (heard.keys < n && now_ns() < until)
		usleep(1000);
	if (heard.keys != n) {
		fprintf(stderr, "hid_reports: key %d came out of %s %ld times, not %ld\n", code,
			node, heard.keys, n);
		exit(1);
	}
	for (long i = 0; i < n; i++)
		printf("%lld ", heard.stamps[i] - sent[i]);
	end(&heard, thread);
	free(sent);
}

/* Which of two reports is the n-th: a switch that bounces when it changes. */
static int which(long n, long every)
{
	long since = n % every;

	return (n / every + (since < BOUNCES ? since : 0)) % 2;
}

static void pace(int device, const char *node, long n, long hz, long every,
		 struct uhid_event *reports)
{
	long long began, due, late = 0, took, before;
	struct heard heard;

	open_node(&heard, node, 0);
	began = now_ns();
	for (long i = 0; i < n; i++) {
		due = began + i * NSEC_PER_SEC / hz;
		while (now_ns() < due)
			; /* a sleep ends too late for this */
		late += now_ns() > due + NSEC_PER_SEC / hz;
		send_report(device, &reports[which(i, every)]);
		if (i % TAKEN_TOGETHER == 0)
			take(&heard);
	}
	took = now_ns() - began;
	do { /* until nothing comes any more */
		before = heard.packets;
		usleep(100000);
		take(&heard);
	} while (heard.packets != before);
	printf("%lld %lld %lld %lld %lld", took, late, heard.packets, heard.sum, heard.lost);
	close_node(&heard);
}

static void until(int device, const char *node, int code, long gap_us, long ms,
		  struct uhid_event *reports)
{
	unsigned long long random = now_ns() | 1;
	long long stop = now_ns() + ms * NSEC_PER_MSEC, seen;
	struct heard heard;
	pthread_t thread = begin(&heard, node, 0);

	heard.wanted = code;
	for (long i = 0; i % 2 || (!heard.wanted_ns && now_ns() < stop); i++) {
		send_report(device, &reports[i % 2]);
		sleep_until_ns(now_ns() + dither(&random, gap_us * NSEC_PER_USEC));
	}
	seen = heard.wanted_ns;
	end(&heard, thread);
	printf("%lld", seen);
}

static int obey(const char *line)
{
	char node[64], first[256], second[256];
	struct uhid_event reports[2];
	int device, code;
	long n, gap, ms;

	if (sscanf(line, "type %d %63s %d %ld %ld %255s %255s", &device, node, &code, &n, &gap,
		   first, second) == 7) {
		make_report(&reports[0], first);
		make_report(&reports[1], second);
		type(device, node, code, n, gap, reports);
	} else if (sscanf(line, "pace %d %63s %ld %ld %ld %255s %255s", &device, node, &n, &gap,
			  &ms, first, second) == 7) {
		make_report(&reports[0], first);
		make_report(&reports[1], second);
		pace(device, node, n, gap, ms, reports);
	} else if (sscanf(line, "until %d %63s %d %ld %ld %255s %255s", &device, node, &code, &gap,
			  &ms, first, second) == 7) {
		make_report(&reports[0], first);
		make_report(&reports[1], second);
		until(device, node, code, gap, ms, reports);
	} else {
		fprintf(stderr, "hid_reports: no such line: %s", line);
		return 2;
	}
	printf("\n");
	fflush(stdout);
	return 0;
}

int main(int argc, char **argv)
{
	char line[1024];
	int status = 0;

	if (argc < 2) {
		fprintf(stderr, "usage: hid_reports NAME:VENDOR:PRODUCT:DESCRIPTOR ...\n");
		return 2;
	}
	make_devices(argc - 1, argv + 1);
	while (!status && fgets(line, sizeof(line), stdin))
		status = obey(line);
	return status;
}
