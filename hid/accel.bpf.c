// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * accel: a pointer that goes the further the faster the hand is.
 *
 * Good for small movements that stay exact and wide ones that need no second stroke, the same in
 * every desktop, since it is done before any of them sees the mouse. Switch theirs off ("flat"), or
 * both will work one after the other.
 *
 * The gain is base up to threshold, grows by slope for each count per millisecond above that, and ends
 * at cap:
 *
 *	cap        ________
 *	          /
 *	base ____/
 *	       threshold      speed of the hand
 *
 * The speed is that of the last few reports, each counting 3/4 of the one after it: the time between
 * two reports alone says little, since a busy machine sees several at once. Reports of one and the same
 * time do not divide by zero: it is taken for the shortest that a mouse can have. After REST_NS without
 * movement the hand is taken to have started from rest.
 *
 * X and Y get the same gain, so the direction stays. What is left of a step is kept for the next report,
 * so at a gain of 1 every count arrives, and at less none is lost. Where a report cannot hold the whole,
 * the gain is lowered, not one axis cut.
 *
 * Where it fails: it knows counts, not millimetres, so knobs fit one resolution (DPI) of the mouse. Reports
 * without both X and Y pass; sticks and tablets, which have no movements, are refused.
 */
#include "carry.h"

char _license[] SEC("license") = "GPL";

ABOUT("acceleration of the pointer by the speed of the hand",
      "mice: exact when slow, far when fast");

KNOB(u32, base, 1000, 10, 100000, "permille", "gain of a slow hand; 1000: as the device says");
KNOB(u32, threshold, 2000, 0, 1000000, "counts/s", "up to this speed the gain is the base");
KNOB(u32, slope, 100, 0, 100000, "permille", "more gain for each count per ms above the threshold");
KNOB(u32, cap, 3000, 10, 100000, "permille", "the gain never exceeds this");

STAT(reports, "reports with movement");
STAT(faster, "of those, with a gain above the base");
STAT(capped, "of those, at the cap");
STAT(lowered, "with a gain lowered because a report could not hold the movement");

HID_PLACE_RELATIVE(x, 0x00010030);
HID_PLACE_RELATIVE(y, 0x00010031);

#define SHORTEST_NS  125000ULL	 /* 8,000 reports a second */
#define USUAL_NS     8000000ULL	 /* between two reports of a plain mouse, 125 a second */
#define REST_NS	     50000000ULL /* without movement: the hand has been at rest */
#define NSEC_PER_SEC 1000000000ULL
#define MILLI	     1000ULL

s64 left_x, left_y; /* thousandths of a step */
u64 last_ns;	    /* when the report before came */
u64 path;	    /* thousandths of a count, of the last few reports, fading */
u64 time_ns;	    /* that it took, fading alike */

/* The square root, rounded down: a bit a step, from the highest on. bpf_for: verified once, not 2^32 ways. */
static __always_inline u64 root(u64 square)
{
	u64 found = 0;
	int i;

	bpf_for(i, 0, 32) {
		u64 more = found | 1ULL << (31 - i);

		if (more * more <= square)
			found = more;
	}
	return found;
}

static __always_inline u64 length(s64 value)
{
	return value < 0 ? -value : value;
}

/* Of the hand in counts per second, this report included. */
static __always_inline u64 speed(s64 dx, s64 dy, u64 now)
{
	u64 since = now - last_ns;
	/* Reports hold 16 bits: more would overflow the square. */
	u64 ax = clamped(length(dx), 0, 32767), ay = clamped(length(dy), 0, 32767);

	if (since > REST_NS) {
		path = time_ns = 0;
		since = USUAL_NS;
	}
	last_ns = now;
	path = path * 3 / 4 + root((ax * ax + ay * ay) * MILLI * MILLI);
	time_ns = time_ns * 3 / 4 + since;
	return path * (NSEC_PER_SEC / MILLI) / (time_ns < SHORTEST_NS ? SHORTEST_NS : time_ns);
}

static __always_inline u64 gain_at(u64 counts_per_s)
{
	u64 gain = base, most = cap;

	if (counts_per_s > threshold) {
		gain += (counts_per_s - threshold) * slope / MILLI;
		stat_inc(faster);
		if (gain >= most)
			stat_inc(capped);
	}
	return gain < most ? gain : most;
}

/* The greatest gain up to this one with which the report can hold the movement. */
static __always_inline u64 fitting(const volatile u32 *place, s64 value, u64 gain)
{
	s32 least = place[PLACE_MINIMUM], most = place[PLACE_MAXIMUM];
	u64 room = (value < 0 ? -(s64)least : most) * MILLI, way = length(value);

	return way * gain > room ? room / way : gain;
}

SEC("struct_ops/accel_event")
int BPF_PROG(accel_event, struct hid_bpf_ctx *hid, u32 type, u64 source)
{
	u8 *at_x = place_bytes(hid, x), *at_y = place_bytes(hid, y);
	u64 wanted, gain;
	s32 dx, dy;

	if (source || !at_x || !at_y)
		return 0;
	dx = place_read(at_x, x);
	dy = place_read(at_y, y);
	if (!dx && !dy)
		return 0;
	stat_inc(reports);
	wanted = gain_at(speed(dx, dy, bpf_ktime_get_ns()));
	gain = fitting(y, dy, fitting(x, dx, wanted));
	if (gain < wanted)
		stat_inc(lowered);
	place_write(at_x, x, scaled(x, dx, gain, &left_x).value);
	place_write(at_y, y, scaled(y, dy, gain, &left_y).value);
	return 0;
}

SEC(".struct_ops.link")
struct hid_bpf_ops accel = {
	.hid_device_event = (void *)accel_event,
};
