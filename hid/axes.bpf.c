// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * axes: turns, scales and bends the axes of a stick, a pad or a mouse.
 *
 * Good for a worn stick that drifts (dead zone), one that is too lively around its centre (curve), an
 * axis that goes the wrong way, a mouse that is too fast on one axis. All in the kernel, before anybody
 * sees the report.
 *
 * What it does depends on how the device reports an axis:
 *
 * - absolute (sticks): the value is taken from the centre of its range; within the dead zone it is the
 *   centre, and what is left of the range is stretched over the whole; the curve mixes in the cube,
 *   which is flat in the middle and reaches the same end; then it is scaled, and cut off at the ends.
 * - relative (mice): the movement is scaled. What a report cannot hold of it, since reports hold whole
 *   steps, is kept for the next one, so that slow movements are not lost. Dead zone and curve are for
 *   absolute axes alone.
 *
 * Where it fails: an axis whose rest is at an end of its range (a trigger, a throttle) has no centre:
 * leave those alone. It takes the first field with each usage, so of a device that reports X in
 * several reports only the first is changed.
 */
#include "carry.h"

char _license[] SEC("license") = "GPL";

ABOUT("invert, scale, dead zone and response curve of axes",
      "sticks that drift; axes the wrong way");

KNOB(bool, invert_x, false, false, true, "", "X goes the other way");
KNOB(bool, invert_y, false, false, true, "", "Y goes the other way");
KNOB(bool, invert_rx, false, false, true, "", "Rx (often the second stick's X) goes the other way");
KNOB(bool, invert_ry, false, false, true, "", "Ry goes the other way");
KNOB(u32, scale_x, 1000, 0, 100000, "permille", "how far X goes; 1000: as the device says");
KNOB(u32, scale_y, 1000, 0, 100000, "permille", "how far Y goes");
KNOB(u32, scale_r, 1000, 0, 100000, "permille", "how far Rx and Ry go");
KNOB(u32, dead_zone, 0, 0, 900, "permille", "of the way from the centre: there it is the centre");
KNOB(u32, curve, 0, 0, 100, "percent", "part of the cube in the response: 0 is straight");

STAT(reports, "reports with an axis that was changed");
STAT(centred, "values that lay in the dead zone");
STAT(cut, "values that were cut off at the end of their range");

HID_PLACE(x, 0x00010030);
HID_PLACE(y, 0x00010031);
HID_PLACE(rx, 0x00010033);
HID_PLACE(ry, 0x00010034);

#define ONE (1 << 20) /* the whole way from the centre to the end */

s64 carried[4]; /* of relative axes: what did not fit into whole steps, in thousandths */

struct bent {
	s32 value;
	bool is_cut;
	bool is_centred;
};

/* A deflection of -ONE to ONE, bent. */
static __always_inline s64 bend(s64 way, u32 dead, u32 cube)
{
	u64 length = way < 0 ? -way : way, zone = (u64)dead * ONE / 1000;

	if (length <= zone)
		return 0;
	length = (length - zone) * ONE / (ONE - zone);
	length = (length * (100 - cube) + length * length / ONE * length / ONE * cube) / 100;
	return way < 0 ? -(s64)length : (s64)length;
}

static __always_inline struct bent absolute(const volatile u32 *place, s64 value, s64 scale)
{
	s64 least = (s32)place[PLACE_MINIMUM], most = (s32)place[PLACE_MAXIMUM], way;
	s64 centre =
		most - (s64)((u64)(most - least) / 2); /* one nearer to the end where it is even */
	struct bent bent = { .value = value };

	if (value < least || value > most)
		return bent; /* "no value", as HID calls that */
	if (!dead_zone && !curve && scale == SCALED)
		return bent;
	way = value - centre;
	way = bend(rounded(way * ONE, way < 0 ? centre - least : most - centre), dead_zone, curve);
	bent.is_centred = !way && value != centre;
	way = rounded(way * scale, SCALED);
	value = centre + rounded(way * (way < 0 ? centre - least : most - centre), ONE);
	bent.value = clamped(value, least, most);
	bent.is_cut = bent.value != value;
	return bent;
}

static __always_inline struct bent relative(const volatile u32 *place, s64 value, s64 scale,
					    u32 axis)
{
	struct scaled way = scaled(place, value, scale, &carried[axis]);

	return (struct bent){ .value = way.value, .is_cut = way.is_cut };
}

static __always_inline bool change(struct hid_bpf_ctx *hid, const volatile u32 *place, u32 axis,
				   bool is_inverted, u32 factor)
{
	u8 *bytes = place_bytes(hid, place);
	s64 scale = is_inverted ? -(s64)factor : factor;
	struct bent bent;
	s32 value;

	if (!bytes)
		return false;
	value = place_read(bytes, place);
	bent = place[PLACE_FLAGS] & PLACE_RELATIVE ? relative(place, value, scale, axis) :
						     absolute(place, value, scale);
	if (bent.is_centred)
		stat_inc(centred);
	if (bent.is_cut)
		stat_inc(cut);
	if (bent.value == value)
		return false;
	place_write(bytes, place, bent.value);
	return true;
}

SEC("struct_ops/axes_event")
int BPF_PROG(axes_event, struct hid_bpf_ctx *hid, u32 type, u64 source)
{
	bool changed;

	if (source) /* injected by a program: what it meant stays as it is */
		return 0;
	changed = change(hid, x, 0, invert_x, scale_x);
	changed |= change(hid, y, 1, invert_y, scale_y);
	changed |= change(hid, rx, 2, invert_rx, scale_r);
	changed |= change(hid, ry, 3, invert_ry, scale_r);
	if (changed)
		stat_inc(reports);
	return 0;
}

SEC(".struct_ops.link")
struct hid_bpf_ops axes = {
	.hid_device_event = (void *)axes_event,
};
