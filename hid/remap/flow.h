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

u8 outgoing[SEEN_BYTES]; /* what was in scratch, meanwhile */

/* Sends every report that does not say yet what is pressed, but one. */
static __always_inline void send(struct hid_bpf_ctx *hid, u32 except)
{
	const struct table *t = current_table();
	u32 r;

	if (!t)
		return;
	__builtin_memcpy(outgoing, scratch, SEEN_BYTES);
	bpf_for(r, 0, NR_REPORTS) {
		if (r == except || !(device.dirty >> r & 1))
			continue;
		make_report(r);
		inject(hid, scratch, t->reports[r & (NR_REPORTS - 1)].size);
	}
	__builtin_memcpy(scratch, outgoing, SEEN_BYTES);
	__builtin_memset(device.touched, 0, sizeof(device.touched));
}

/* Goes on with what waits, and sends all that comes of it but the last state of one report. */
static __always_inline void do_things(struct hid_bpf_ctx *hid, u32 except, u64 now)
{
	u32 round, n;
	u16 thing;

	bpf_for(round, 0, 8) {
		go_on(now);
		bpf_for(n, 0, machine.nr_things) {
			thing = machine.things[n & (NR_THINGS - 1)];
			if (comes_after(thing))
				send(hid, NO_REPORT);
			if (thing != STEP_FLUSH)
				apply(thing);
		}
		if (machine.deadline)
			break;
		send(hid, NO_REPORT);
	}
	send(hid, except);
}

static __always_inline bool is_panic(void)
{
	return is_down(PANIC_BACKSPACE) && is_down(PANIC_ESCAPE) && is_down(PANIC_ENTER);
}

/* As the device said it: the reports that we made say what is pressed by themselves. */
static __always_inline void give_up(struct hid_bpf_ctx *hid, u32 r)
{
	const struct table *t = current_table();
	u32 other;

	is_bypassed = true;
	if (!t)
		return;
	bpf_for(other, 0, t->nr_reports) {
		if (other == r)
			continue;
		__builtin_memcpy(scratch, device.last[other & (NR_REPORTS - 1)], SEEN_BYTES);
		if (t->reports[other & (NR_REPORTS - 1)].id)
			scratch[0] = t->reports[other & (NR_REPORTS - 1)].id;
		inject(hid, scratch, t->reports[other & (NR_REPORTS - 1)].size);
	}
	__builtin_memcpy(scratch, device.last[r & (NR_REPORTS - 1)], SEEN_BYTES);
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
	do_things(hid, r, now);
	put_keys(r);
}

#endif /* SCXHID_REMAP_FLOW_H */
