/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From one report of the device to those that the system sees: all but the last of them are injected.
 */
#ifndef SCXHID_REMAP_FLOW_H
#define SCXHID_REMAP_FLOW_H

#include "reports.h"

#define PANIC_BACKSPACE 0x2a
#define PANIC_ESCAPE	0x29
#define PANIC_ENTER	0x28
#define MOST_ROUNDS	8

/* What is left to be done after a report. */
struct rest_state {
	u64 deadline; /* ns; NEVER: nothing happens without a report */
	u32 awaited;  /* other interfaces that have something to do, a bit each */
	u32 has_given_up;
};

PRIVATE(struct rest_state, rest);

/* Sends every report that does not say yet what is pressed, but one. */
static __always_inline void send(struct hid_bpf_ctx *hid, u32 except)
{
	const struct places *t = current_places();
	u32 r;

	if (!t)
		return;
	__builtin_memcpy(device.outgoing, device.scratch, SEEN_BYTES);
	bpf_for(r, 0, NR_REPORTS) {
		if (r == except || !(device.dirty >> r & 1))
			continue;
		make_report(r);
		inject(hid, device.scratch, t->reports[r & (NR_REPORTS - 1)].size);
	}
	__builtin_memcpy(device.scratch, device.outgoing, SEEN_BYTES);
	__builtin_memset(device.touched, 0, sizeof(device.touched));
}

/* Does what there is to do on this interface, and sends all that comes of it but the last state. */
static __always_inline void do_things(struct hid_bpf_ctx *hid)
{
	struct output *mine = output_of(interface);
	u32 n, thing;

	if (mine->is_short) { /* releases may be among what is missing */
		mine->is_short = false;
		release_all();
	}
	bpf_for(n, 0, NR_THINGS) {
		if (!take_thing(&thing))
			break;
		if (comes_after(thing))
			send(hid, NO_REPORT);
		device.event = thing >> THING_EVENT;
		if ((u16)thing != STEP_FLUSH)
			apply(thing);
	}
}

/* Goes on with what waits, unless another interface does, and does what is to be done on this one. */
static __always_inline void run(struct hid_bpf_ctx *hid, u32 except, u64 now)
{
	bool runs = start_running();
	u32 round;

	rest.deadline = NEVER;
	bpf_for(round, 0, MOST_ROUNDS) {
		if (!runs)
			break;
		go_on(now);
		rest.deadline = machine.deadline;
		do_things(hid);
		if (rest.deadline && stop_running(false)) {
			runs = false;
			break;
		}
		send(hid, NO_REPORT);
	}
	if (runs) {
		rest.deadline = 0;
		stop_running(true);
	}
	do_things(hid);
	rest.awaited = who_is_awaited();
	send(hid, except);
}

static __always_inline bool is_panic(void)
{
	return is_down(PANIC_BACKSPACE) && is_down(PANIC_ESCAPE) && is_down(PANIC_ENTER);
}

/* As the interface said it: the reports that we made say what is pressed by themselves. */
static __always_inline void give_up(struct hid_bpf_ctx *hid, u32 r)
{
	const struct places *t = current_places();
	u32 other;

	is_bypassed = true;
	rest.has_given_up = true;
	rest.deadline = NEVER;
	rest.awaited = present & ~(1 << (interface & (NR_INTERFACES - 1)));
	if (!t)
		return;
	bpf_for(other, 0, t->nr_reports) {
		if (other == r)
			continue;
		__builtin_memcpy(device.scratch, device.last[other & (NR_REPORTS - 1)], SEEN_BYTES);
		if (t->reports[other & (NR_REPORTS - 1)].id)
			device.scratch[0] = t->reports[other & (NR_REPORTS - 1)].id;
		inject(hid, device.scratch, t->reports[other & (NR_REPORTS - 1)].size);
	}
	__builtin_memcpy(device.scratch, device.last[r & (NR_REPORTS - 1)], SEEN_BYTES);
	if (t->reports[r & (NR_REPORTS - 1)].id)
		device.scratch[0] = t->reports[r & (NR_REPORTS - 1)].id;
}

/* The report in scratch came from the device. False: it was the last one that was looked at. */
static __always_inline bool take_in(struct hid_bpf_ctx *hid, u32 r, u64 now)
{
	take_report(r);
	note_changes(r, now);
	if (is_panic()) {
		give_up(hid, r);
		return false;
	}
	scale_axes(r);
	return true;
}

/* Goes on, and puts into the report in scratch, which says nothing of keys, what is pressed then. */
static __always_inline void put_out(struct hid_bpf_ctx *hid, u32 r, u64 now)
{
	run(hid, r, now);
	put_keys(r);
}

/* The rules have ended: what the interface said last counts, of a report of its own all that it says. */
static __always_inline bool pass_on(struct hid_bpf_ctx *hid, u32 r, bool is_own)
{
	if (is_own)
		take_report(r);
	if (rest.has_given_up && is_own)
		return false; /* as it is */
	give_up(hid, r);
	rest.awaited = 0;
	return true;
}

/*
 * Interface n says nothing any more: its keys are up, and nobody waits for it. Returns who has something
 * to do then.
 */
static __always_inline u32 forget_interface(u32 n, u64 now)
{
	u8 mine = 1 << (n & (NR_INTERFACES - 1));
	u32 code;

	__sync_fetch_and_and(&present, ~(u32)mine);
	bpf_for(code, 0, NR_CODES)
		if (says[code & (NR_CODES - 1)] & mine)
			add_event(code & (NR_CODES - 1), false, n, now);
	if (!start_running())
		return 0; /* another one goes on, and sees it */
	go_on(now);
	stop_running(true);
	return who_is_awaited();
}

#endif /* SCXHID_REMAP_FLOW_H */
