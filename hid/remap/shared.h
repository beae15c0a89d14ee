/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the interfaces of one device share, and how they keep out of each other's way.
 *
 * A program runs for each interface, on several CPUs at a time: the kernel locks one interface, not the
 * device. What they share stands in one map (.data.shared, reused by the loader for each of them).
 *
 *	events		of all interfaces go into one queue, in their order
 *	the machine	one program at a time goes on with it, the runner; who comes meanwhile leaves
 *			its events in the queue, which the runner looks into before it ends
 *	outputs		what is to be pressed and released on an interface; its own program takes that
 *			out, since only it holds its interface's lock. If it is not the runner itself,
 *			it is poked: a report is injected there, which says nothing but that. What
 *			comes of a later event waits until that is done, on whatever interface
 *
 * Queues are changed under a spin lock, which is held for a few instructions and never for a loop.
 */
#ifndef SCXHID_REMAP_SHARED_H
#define SCXHID_REMAP_SHARED_H

#include "table.h"

#define NR_EVENTS   256 /* more than a report can tell of */
#define NR_THINGS   512
#define NSEC_PER_MS 1000000ULL
#define NEVER	    (~0ULL)

struct event {
	u64 at; /* ns */
	u16 code;
	u8 interface;
	u8 is_press;
	u8 is_spent; /* it was part of a combo */
	u8 spare[3];
};

struct incoming {
	u32 first, nr;
	struct event events[NR_EVENTS];
};

/* A thing to do is a STEP_, and from THING_EVENT on of which event it comes. */
#define THING_EVENT 16

struct output {
	u32 first, nr;
	u32 is_short; /* some found no room */
	u32 things[NR_THINGS];
};

struct lock {
	struct bpf_spin_lock lock;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct lock);
} locks SEC(".maps");

SHARED struct incoming incoming = {};
SHARED struct output outputs[NR_INTERFACES] = {};
SHARED u8 says[NR_CODES] = {}; /* the interfaces on which it is pressed, a bit each */
SHARED u32 is_running = 0;

SHARED u32 hid_ids[NR_INTERFACES] = {};
SHARED volatile u32 present = 0; /* interfaces that there are, a bit each */

/* Set by the loader, and read by it. */
SHARED_VARIABLE volatile u32 current_tables = 0; /* which of the two */
SHARED_VARIABLE volatile bool is_bypassed = false;

static __always_inline struct bpf_spin_lock *shared_lock(void)
{
	u32 key = 0;

	return bpf_map_lookup_elem(&locks, &key);
}

static __always_inline struct output *output_of(u32 n)
{
	return &outputs[n & (NR_INTERFACES - 1)];
}

/*
 * A key of an interface was pressed or released. A key that two interfaces say is one key: it goes up
 * with the last. False: there is no room, what is not clear has to be decided first.
 */
static __always_inline bool add_event(u32 code, bool is_press, u32 from, u64 now)
{
	u8 *said = &says[code & (NR_CODES - 1)], mine = 1 << (from & (NR_INTERFACES - 1));
	struct bpf_spin_lock *lock = shared_lock();
	struct event *event;
	bool fits;

	if (!lock)
		return false;
	bpf_spin_lock(lock);
	fits = incoming.nr < NR_EVENTS;
	if (fits && !(*said & ~mine)) {
		event = &incoming.events[(incoming.first + incoming.nr) & (NR_EVENTS - 1)];
		event->at = now;
		event->code = code;
		event->interface = from;
		event->is_press = is_press;
		event->is_spent = false;
		incoming.nr++;
	}
	if (fits)
		*said = is_press ? *said | mine : *said & ~mine;
	bpf_spin_unlock(lock);
	return fits;
}

/* The oldest one goes to the runner. False: there is none. */
static __always_inline bool take_event(struct event *to)
{
	struct bpf_spin_lock *lock = shared_lock();
	bool is_there;

	if (!lock)
		return false;
	bpf_spin_lock(lock);
	is_there = incoming.nr;
	if (is_there) {
		*to = incoming.events[incoming.first & (NR_EVENTS - 1)];
		incoming.first++;
		incoming.nr--;
	}
	bpf_spin_unlock(lock);
	return is_there;
}

/* True: this program is the runner now. */
static __always_inline bool start_running(void)
{
	struct bpf_spin_lock *lock = shared_lock();
	bool is_mine;

	if (!lock)
		return false;
	bpf_spin_lock(lock);
	is_mine = !is_running;
	is_running = true;
	bpf_spin_unlock(lock);
	return is_mine;
}

/* False: others have come meanwhile, so it goes on; unless it must end. */
static __always_inline bool stop_running(bool must_end)
{
	struct bpf_spin_lock *lock = shared_lock();
	bool ends;

	if (!lock)
		return true;
	bpf_spin_lock(lock);
	ends = must_end || !incoming.nr;
	if (ends)
		is_running = false;
	bpf_spin_unlock(lock);
	return ends;
}

static __always_inline void add_to(struct output *to, u32 thing)
{
	struct bpf_spin_lock *lock = shared_lock();
	if (!lock)
		return;
	bpf_spin_lock(lock);
	if (to->nr < NR_THINGS) {
		to->things[(to->first + to->nr) & (NR_THINGS - 1)] = thing;
		to->nr++;
	} else {
		to->is_short = true;
	}
	bpf_spin_unlock(lock);
}

/* Whether what is to be done next on n comes of an earlier event than thing does. */
static __always_inline bool is_earlier(u32 n, u32 thing)
{
	u32 next = outputs[n].things[outputs[n].first & (NR_THINGS - 1)];
	u32 late = ((thing >> THING_EVENT) - (next >> THING_EVENT)) & 0xffff; /* it wraps around */

	return late && late < 1 << 15;
}

/*
 * Who is next to do something, unless it is this interface: a bit, as later.h wants it. When that is
 * done its program looks in turn.
 */
static __always_inline u32 who_is_awaited(void)
{
	u32 n, thing = 0, awaited = 0;

	for (n = 0; n < NR_INTERFACES; n++) {
		if (n == interface || !outputs[n].nr || !(present >> n & 1) ||
		    (awaited && !is_earlier(n, thing)))
			continue;
		awaited = 1 << n;
		thing = outputs[n].things[outputs[n].first & (NR_THINGS - 1)];
	}
	return awaited;
}

/*
 * Whether another interface has something to do that comes of an earlier event. Nobody but the program
 * there makes that less, and what is added comes of later ones: so no lock.
 */
static __always_inline bool would_overtake(u32 thing)
{
	u32 n;

	for (n = 0; n < NR_INTERFACES; n++)
		if (n != interface && outputs[n].nr && present >> n & 1 && is_earlier(n, thing))
			return true;
	return false;
}

/* The next one for this interface: false if there is none, or others are to go first. */
static __always_inline bool take_thing(u32 *thing)
{
	struct bpf_spin_lock *lock = shared_lock();
	struct output *mine = output_of(interface);
	bool is_there;

	if (!lock || !mine->nr || would_overtake(mine->things[mine->first & (NR_THINGS - 1)]))
		return false;
	bpf_spin_lock(lock);
	is_there = mine->nr;
	if (is_there) {
		*thing = mine->things[mine->first & (NR_THINGS - 1)];
		mine->first++;
		mine->nr--;
	}
	bpf_spin_unlock(lock);
	return is_there;
}

#endif /* SCXHID_REMAP_SHARED_H */
