/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is known of each task: one record in its storage.
 */
#ifndef SCXHID_TASKS_H
#define SCXHID_TASKS_H

#include "types.h"

struct task {
	/* Written at each switch. With the kernel's word before them they fill one line of cache. */
	u64 since;	/* it waits for a CPU; 0: it does not */
	u64 runs_since; /* 0: it does not run, or that is not known */
	u64 ran_ns;
	u64 waited_ns;	/* of the waits that have ended */
	u64 longest_ns; /* of those that ended after the last look */
	u32 waits;
	u32 wakeups; /* after which it ran */
	u32 switches;
	u32 is_woken; /* since when it waits: it was asleep before */

	/* The sums that the last look has told. */
	struct {
		u64 ran_ns;
		u64 waited_ns; /* of a wait that lasts as well */
		u64 ended_ns;  /* of the waits that had ended */
		u32 waits;
		u32 wakeups;
		u32 switches;
	} told;
};

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct task);
} tasks SEC(".maps");

#endif /* SCXHID_TASKS_H */
