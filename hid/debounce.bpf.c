// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * debounce: keeps the chatter of worn switches away, button by button.
 *
 * Good for a mouse whose click comes out as a double click. A worn contact opens and closes a few
 * times within some milliseconds of each press or release. The first change passes at once, so that
 * nothing is later than before; for a time after it (press_ms, release_ms) that button's further
 * changes are held back. What the button is when the time is over is what counts: if that differs from
 * what was passed on, it comes with the device's next report, or, if the device sends none, in one of
 * the program's own, without movement. Movement is never held back.
 *
 * Where it fails: a contact that opens in the middle of a long press (dragging lets go) makes a first
 * change like any other, and it passes. Times that are longer than a user's own double click swallow
 * it: the fastest fingers press again some 60 ms after letting go. A click shorter than press_ms
 * lasts as long as that. Buttons 1 to 32 in one report are looked at, those of other reports pass.
 *
 * Attach it before programs that hold reports back (rate_limit) and after those that change absolute
 * axes (axes): its own reports repeat what it has seen last. The kernel drops a report of the device that
 * comes at the very time of one of ours (later.h). If that was a release, the button stays down until
 * the device's next report, usually the next movement.
 */
#include "later.h"

char _license[] SEC("license") = "GPL";

ABOUT("keeps the chatter of worn buttons away, with no delay", "mice that click twice");

KNOB(u32, press_ms, 20, 0, 200, "ms",
     "after a press, changes of that button are held back; 0: none");
KNOB(u32, release_ms, 30, 0, 200, "ms",
     "after a release; keep it below the time between two clicks");

STAT(edges, "presses and releases passed at once");
STAT(bounces, "changes held back because they came too soon after one");
STAT(late, "presses and releases that were still true when the time was over");
STAT(injected, "reports of its own: the device sent none when the time was over");

#define BUTTONS 32

HID_PLACES(buttons, 0x00090001, 32);
HID_REPORT(report, 0x00090001, 32);

u32 raw_before; /* a bit for each button: what the device said last */
u32 passed;	/* what was passed on */
u64 until[BUTTONS];

static __always_inline bool is_there(const volatile u32 *place)
{
	return place[PLACE_BITS] && place[PLACE_REPORT_ID] == report[REPORT_ID];
}

static __always_inline u32 read_buttons(const u8 *bytes)
{
	u32 pressed = 0;

	for (u32 i = 0; i < BUTTONS; i++) {
		const volatile u32 *place = PLACE_OF(buttons, i);

		if (is_there(place))
			pressed |= (u32) !!place_read(bytes + place[PLACE_AT] / 8, place) << i;
	}
	return pressed;
}

static __always_inline void write_buttons(u8 *bytes, u32 pressed, u32 which)
{
	for (u32 i = 0; i < BUTTONS; i++) {
		const volatile u32 *place = PLACE_OF(buttons, i);

		if (is_there(place) && which >> i & 1)
			place_write(bytes + place[PLACE_AT] / 8, place,
				    pressed >> i & 1 ? place[PLACE_MAXIMUM] : 0);
	}
}

/* Pass on what may pass; returns when the first of those that may not will be looked at, or 0. */
static __always_inline u64 settle(u32 raw, u64 now)
{
	u64 soonest = 0;
	u32 n;

	/* Not unrolled: the paths through so many buttons would be too many to verify. */
	bpf_for(n, 0, BUTTONS) {
		u32 i = n & (BUTTONS - 1), bit = 1u << i;

		if (!((raw ^ passed) & bit))
			continue;
		if (now >= until[i]) {
			passed ^= bit;
			until[i] = now + (raw & bit ? press_ms : release_ms) * NSEC_PER_MSEC;
		} else if (!soonest || until[i] < soonest) {
			soonest = until[i];
		}
	}
	return soonest;
}

SEC("struct_ops/debounce_event")
int BPF_PROG(debounce_event, struct hid_bpf_ctx *hid, u32 type, u64 source)
{
	bool is_ours = is_later(source);
	u64 now = bpf_ktime_get_ns(), soonest;
	u32 raw, before = passed, changed, turned;
	u8 *bytes;

	if (source && !is_ours)
		return 0;
	bytes = report_bytes(hid, report);
	if (!bytes)
		return 0;
	if (is_ours)
		later_fill(report, bytes);
	else
		later_keep(report, bytes);
	raw = read_buttons(bytes);
	soonest = settle(raw, now);
	if (!soonest)
		later_never();
	else if (!later_in(hid, soonest - now))
		passed = raw;
	changed = raw ^ raw_before;
	turned = passed ^ before;
	raw_before = raw;
	stat_add(edges, __builtin_popcount(turned & changed));
	stat_add(late, __builtin_popcount(turned & ~changed));
	stat_add(bounces, __builtin_popcount(changed & ~turned));
	if (is_ours) {
		if (!turned)
			return -1;
		stat_inc(injected);
	}
	write_buttons(bytes, passed, raw ^ passed);
	return report_size(hid, report);
}

SEC(".struct_ops.link")
struct hid_bpf_ops debounce = {
	.hid_device_event = (void *)debounce_event,
};
