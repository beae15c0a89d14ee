/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The state of the resident host: what is in which slot, which one is current, which one drains. */
#ifndef HOST_SLOTS_H
#define HOST_SLOTS_H

#include "scx.h"

#define HOST_SLOTS 4 /* the current one, the previous one, the next one, and one to spare */
#define NO_SLOT	   HOST_SLOTS

enum slot_state {
	SLOT_FREE,
	SLOT_FILLED, /* has a policy, which is current, previous or next */
};

struct slot {
	u32 generation; /* of the ids of its queues the upper half */
	u32 state;	/* enum slot_state */
	u32 nr_dsqs;	/* its queues are generation << 32 | 0 .. nr_dsqs - 1 */
	u32 policy_id;	/* of its struct_ops map, as the kernel numbers maps */
	char name[128];
};

/* Written by the loader; what is in which slot, for everybody to read. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, HOST_SLOTS);
	__type(key, u32);
	__type(value, struct slot);
} slots SEC(".maps");

/* An element of this is replaced to wait for a grace period: the kernel returns after one. */
struct grace_inner {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, u32);
} grace_a SEC(".maps"), grace_b SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 1);
	__type(key, u32);
	__array(values, struct grace_inner);
} grace SEC(".maps") = {
	.values = { [0] = &grace_a },
};

/* The state of the host. All of it is read by the loader; host_switch() is what writes it. */
volatile u32 current_slot SEC(".data") = NO_SLOT;
volatile u32 previous_slot SEC(".data") = NO_SLOT;
volatile u32 draining_slot SEC(".data") = NO_SLOT;
volatile u64 nr_switches SEC(".data") = 0;
volatile u64 switched_at SEC(".data") = 0;  /* ns, CLOCK_MONOTONIC */
volatile u64 first_at SEC(".data") = 0;	    /* first task given to the policy since, ns */
volatile u64 nr_left_over SEC(".data") = 0; /* tasks that the old policy had queued then */

#endif
