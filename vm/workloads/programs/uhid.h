/* SPDX-License-Identifier: GPL-2.0-or-later */
/* HID devices made through uhid: what the programs that send reports share. They are there until the
 * program ends. */
#ifndef SCXHID_UHID_H
#define SCXHID_UHID_H

#include <fcntl.h>
#include <linux/uhid.h>
#include <poll.h>
#include <pthread.h>
#include <stddef.h>
#include <unistd.h>

#include "measure.h"

#define MOST_DEVICES 8

static int devices[MOST_DEVICES], nr_devices;

static inline unsigned from_hex(const char *text, unsigned char *bytes, unsigned most)
{
	unsigned n = 0, value;

	for (; n < most && sscanf(text + 2 * n, "%2x", &value) == 1; n++)
		bytes[n] = value;
	return n;
}

/* The device NAME:VENDOR:PRODUCT:DESCRIPTOR, all but the name in base 16; there until its end. */
static inline int make_uhid(char *text)
{
	struct uhid_event event = { .type = UHID_CREATE2 };
	char *name = strtok(text, ":"), *vendor = strtok(NULL, ":");
	char *product = strtok(NULL, ":"), *descriptor = strtok(NULL, ":");
	int fd = open("/dev/uhid", O_RDWR | O_CLOEXEC);

	if (!descriptor) {
		fprintf(stderr, "%s: %s is no device\n", program_invocation_short_name, text);
		exit(2);
	}
	strncpy((char *)event.u.create2.name, name, sizeof(event.u.create2.name) - 1);
	event.u.create2.rd_size =
		from_hex(descriptor, event.u.create2.rd_data, HID_MAX_DESCRIPTOR_SIZE);
	event.u.create2.bus = BUS_USB;
	event.u.create2.vendor = strtoul(vendor, NULL, 16);
	event.u.create2.product = strtoul(product, NULL, 16);
	if (fd < 0 || write(fd, &event, sizeof(event)) < 0)
		fail("/dev/uhid");
	return fd;
}

static inline void send_report(int device, const struct uhid_event *event)
{
	size_t size = offsetof(struct uhid_event, u.input2.data) + event->u.input2.size;

	if (write(devices[device], event, size) < 0)
		fail("uhid");
}

/* A request that nobody answers holds the kernel up for five seconds. */
static inline void answer_uhid(int fd)
{
	struct uhid_event asked, said = {};

	if (read(fd, &asked, sizeof(asked)) < 0)
		fail("uhid");
	if (asked.type == UHID_GET_REPORT) {
		said.type = UHID_GET_REPORT_REPLY;
		said.u.get_report_reply.id = asked.u.get_report.id;
		said.u.get_report_reply.err = EIO;
	} else if (asked.type == UHID_SET_REPORT) {
		said.type = UHID_SET_REPORT_REPLY;
		said.u.set_report_reply.id = asked.u.set_report.id;
	} else {
		return;
	}
	if (write(fd, &said, sizeof(said)) < 0)
		fail("uhid");
}

static void *answer_all(void *unused)
{
	struct pollfd polled[MOST_DEVICES];

	for (int n = 0; n < nr_devices; n++)
		polled[n] = (struct pollfd){ .fd = devices[n], .events = POLLIN };
	for (;;) {
		poll(polled, nr_devices, -1);
		for (int n = 0; n < nr_devices; n++)
			if (polled[n].revents & POLLIN)
				answer_uhid(polled[n].fd);
	}
	return unused;
}

/* The devices that are numbered from 0, and a thread that answers what is asked of them. */
static inline void make_devices(int n, char **texts)
{
	pthread_t thread;

	if (n > MOST_DEVICES) {
		fprintf(stderr, "%s: more than %d devices\n", program_invocation_short_name,
			MOST_DEVICES);
		exit(2);
	}
	for (; nr_devices < n; nr_devices++)
		devices[nr_devices] = make_uhid(texts[nr_devices]);
	if (pthread_create(&thread, NULL, answer_all, NULL))
		fail("a thread");
}

static inline void make_report(struct uhid_event *event, const char *text)
{
	*event = (struct uhid_event){ .type = UHID_INPUT2 };
	event->u.input2.size = from_hex(text, event->u.input2.data, UHID_DATA_MAX);
}

#endif /* SCXHID_UHID_H */
