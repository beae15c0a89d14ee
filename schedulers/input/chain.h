/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The chain of an event: what is kept of each task in it, and what is told of the last events.
 */
#ifndef SCXHID_INPUT_CHAIN_H
#define SCXHID_INPUT_CHAIN_H

#include "scx.h"
#include "histogram.h"

#define MOST_EVENTS 64 /* that are remembered; a power of two */
#define MOST_HOPS   8  /* of one that are told; a power of two */
#define MOST_DEPTH  8  /* a power of two */

/* One task that an event woke. Times are ns of the monotonic clock. */
struct hop {
	u64 woken;
	u64 ran;     /* 0: it has not yet */
	u64 used_ns; /* of CPU time, under the mark */
	u32 pid;
	u32 waker; /* 0: the device */
	u32 depth; /* 0: a reader */
	u32 cpu;   /* on which it ran first */
	char comm[16];
};

struct event {
	u64 number; /* from 1 on */
	u64 began;
	u64 device;  /* DEVICE() */
	u64 nr_hops; /* may be more than are told */
	struct hop hops[MOST_HOPS];
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, MOST_EVENTS);
	__type(key, u32);
	__type(value, struct event);
} events SEC(".maps");

/* How long they waited for a CPU, by depth. */
struct waits {
	u64 counts[NR_BUCKETS];
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, MOST_DEPTH);
	__type(key, u32);
	__type(value, struct waits);
} waits SEC(".maps");

/* What is known of a task in a chain, beside its mark. */
struct member {
	u64 event; /* 0: none */
	u64 until; /* then it is no member any more */
	u64 woken;
	u64 ran;	 /* since when it runs; 0: it does not */
	u64 exec_at_ran; /* its se.sum_exec_runtime then */
	u32 depth;
	u32 hop;	/* in hops; MOST_HOPS and more: it is not told */
	u32 has_waited; /* its first wait is over */
	u32 is_first;	/* it ran before others when it got the CPU */
};

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct member);
} members SEC(".maps");

static u64 nr_events;

static __always_inline struct event *event_of(u64 number)
{
	u32 key = number & (MOST_EVENTS - 1);
	struct event *event = bpf_map_lookup_elem(&events, &key);

	return event && event->number == number ? event : NULL;
}

static __always_inline u64 new_event(u64 device, u64 began)
{
	u64 number = __sync_fetch_and_add(&nr_events, 1) + 1;
	u32 key = number & (MOST_EVENTS - 1);
	struct event *event = bpf_map_lookup_elem(&events, &key);

	if (event) {
		event->number = 0; /* while it changes */
		event->nr_hops = 0;
		event->device = device;
		event->began = began;
		event->number = number;
	}
	return number;
}

/* Notes that p was woken for an event; returns which hop of it that is. */
static __always_inline u32 add_hop(u64 number, struct task_struct *p, u32 waker, u32 depth, u64 now)
{
	struct event *event = event_of(number);
	struct hop *hop;
	u32 n;

	if (!event)
		return MOST_HOPS;
	n = __sync_fetch_and_add(&event->nr_hops, 1);
	if (n >= MOST_HOPS)
		return MOST_HOPS;
	hop = &event->hops[n & (MOST_HOPS - 1)];
	hop->ran = 0;
	hop->used_ns = 0;
	hop->woken = now;
	hop->pid = p->pid;
	hop->waker = waker;
	hop->depth = depth;
	bpf_core_read_str(hop->comm, sizeof(hop->comm), &p->comm);
	return n;
}

static __always_inline struct hop *hop_of(const struct member *member)
{
	struct event *event;

	if (member->hop >= MOST_HOPS)
		return NULL;
	event = event_of(member->event);
	return event ? &event->hops[member->hop & (MOST_HOPS - 1)] : NULL;
}

static __always_inline void count_wait(u32 depth, u64 ns)
{
	u32 key = depth & (MOST_DEPTH - 1);
	struct waits *row = bpf_map_lookup_elem(&waits, &key);
	u32 bucket = bucket_of(ns);

	if (row && bucket < NR_BUCKETS)
		__sync_fetch_and_add(&row->counts[bucket], 1);
}

#endif /* SCXHID_INPUT_CHAIN_H */
