// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * wheel: how far a turn of the wheel goes.
 *
 * Good for a wheel that scrolls too far or not far enough, or the wrong way; upright and sideways
 * (tilt, AC Pan) each by itself. What is left of a step is kept: at scale=500 every second notch of a
 * plain wheel counts, and at 1500 notches are one step and two in turn.
 *
 * A wheel of high resolution says in its descriptor by how much its steps are finer than notches (the
 * feature Resolution Multiplier, which the kernel switches on). The steps are scaled, whatever they are,
 * so nothing needs to be told; such a wheel scrolls smoothly at any scale, where a plain one has to wait
 * for a whole notch.
 *
 * Where it fails: makers with a protocol of their own (Logitech's HID++) send the fine steps in reports
 * that the descriptor does not explain: those pass. So does what a touchpad makes of two fingers; that is
 * made in user space. It takes the first field with each usage.
 */
#include "carry.h"

char _license[] SEC("license") = "GPL";

ABOUT("speed and direction of the wheel", "wheels that scroll too far, or not far enough");

KNOB(u32, scale, 1000, 0, 100000, "permille", "how far a turn goes; 1000: as the device says");
KNOB(u32, scale_pan, 1000, 0, 100000, "permille", "how far it goes sideways");
KNOB(bool, invert, false, false, true, "", "the wheel goes the other way");
KNOB(bool, invert_pan, false, false, true, "", "sideways goes the other way");

STAT(reports, "reports with a turn that was changed");
STAT(kept, "turns of which no whole step was left: they count in later ones");
STAT(cut, "turns that were cut off at the end of what a report can hold");

HID_PLACE_RELATIVE(vertical, 0x00010038);
HID_PLACE_RELATIVE(horizontal, 0x000c0238);

s64 left[2]; /* thousandths of a step */

static __always_inline bool turn(struct hid_bpf_ctx *hid, const volatile u32 *place, s64 *rest,
				 u32 factor, bool is_inverted)
{
	u8 *bytes = place_bytes(hid, place);
	struct scaled steps;
	s32 value;

	if (!bytes)
		return false;
	value = place_read(bytes, place);
	if (!value)
		return false;
	steps = scaled(place, value, is_inverted ? -(s64)factor : factor, rest);
	if (steps.is_cut)
		stat_inc(cut);
	if (!steps.value)
		stat_inc(kept);
	if (steps.value == value)
		return false;
	place_write(bytes, place, steps.value);
	return true;
}

SEC("struct_ops/wheel_event")
int BPF_PROG(wheel_event, struct hid_bpf_ctx *hid, u32 type, u64 source)
{
	bool changed;

	if (source)
		return 0;
	changed = turn(hid, vertical, &left[0], scale, invert);
	changed |= turn(hid, horizontal, &left[1], scale_pan, invert_pan);
	if (changed)
		stat_inc(reports);
	return 0;
}

SEC(".struct_ops.link")
struct hid_bpf_ops wheel = {
	.hid_device_event = (void *)wheel_event,
};
