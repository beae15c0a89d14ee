/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the input probe knows of the kernel, and what it keeps: of each device its reports under way
 * and its sums, of each reader of an input device (`struct evdev_client`, one an open file) the oldest
 * report that it has not read.
 */
#ifndef SCXHID_READERS_H
#define SCXHID_READERS_H

#include "types.h"
#include "histogram.h"

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct task_struct {
	int pid;
};

struct device {
	struct device *parent;
};

struct hid_device {
	struct device dev;
	unsigned int id;
};

struct input_dev {
	struct device dev;
};

struct input_handle {
	struct input_dev *dev;
};

struct evdev {
	struct input_handle handle;
};

struct evdev_client {
	unsigned int head; /* where the next event goes */
	unsigned int tail; /* the next event that is read */
	struct evdev *evdev;
	bool revoked;
	unsigned int bufsize; /* events; a power of two */
};

struct file {
	void *private_data;
};

#pragma clang attribute pop

#define HID_INPUT_REPORT 0

#define MOST_DEVICES 64
#define MOST_READERS 1024
#define MOST_NESTED  4 /* a program may send a report from within another; a power of two */

/* What lies between two moments, in the order of STAGES in input.py. */
enum stage {
	STAGE_FIXUPS, /* report in -> HID programs and driver done */
	STAGE_CORE,   /* -> at the reader's buffer */
	STAGE_WAKE,   /* -> reader woken */
	STAGE_WAIT,   /* -> reader runs */
	STAGE_READ,   /* -> its read returns */
	NR_STAGES,
};

/* A report under way in the kernel. Times are ns of the monotonic clock. */
struct under_way {
	u64 in;
	u64 fixed;    /* 0: not yet */
	u64 is_given; /* to a reader */
};

/* Of a HID device, as long as the probe is attached. The kernel takes one report of it at a time. */
struct seen_device {
	u64 hid; /* its struct hid_device */
	u64 depth;
	struct under_way reports_in[MOST_NESTED];
	u64 reports;
	u64 events;    /* put into readers' buffers */
	u64 coalesced; /* reports that came while an earlier one was not read yet */
	u64 dropped;   /* events that a reader's full buffer lost */
	u64 unread;    /* reports of which no reader got anything */
	u64 total[NR_BUCKETS];
	u64 stages[NR_STAGES][NR_BUCKETS];
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, MOST_DEVICES);
	__type(key, u32); /* hid_device.id, which the kernel never gives twice */
	__type(value, struct seen_device);
} devices SEC(".maps");

/* The oldest report that a reader has not read. */
struct unread {
	u64 in; /* 0: it has read all */
	u64 fixed;
	u64 queued;
	u64 newest; /* `in` of the last that was queued */
	u32 device; /* key of devices */
	u32 head;   /* of the reader's buffer, before the report */
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, MOST_READERS);
	__type(key, u64); /* the address of a struct evdev_client */
	__type(value, struct unread);
} readers SEC(".maps");

/* When a task was last woken by an input device, and when it ran then; 0: not yet. */
struct woken {
	u64 woken;
	u64 ran;
};

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct woken);
} tasks SEC(".maps");

/* Who wakes readers on this CPU now: interrupts are off meanwhile, or, in a real-time kernel, others
 * may run in between. */
struct waker {
	u64 wakes; /* 0: nobody does */
	u64 pid;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct waker);
} wakers SEC(".maps");

#endif /* SCXHID_READERS_H */
