// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * rate_limit: at most so many reports a second reach the system.
 *
 * Good for a mouse of 4,000 or 8,000 reports a second on a machine, or in a game, that does not keep up
 * with them: each wakes every process that reads the mouse. A report that comes too soon is dropped and
 * its movement (X, Y, wheel, AC Pan) added to the next one that passes, so the pointer ends at the
 * same place. When the device falls silent before that, a report of the program's own brings the rest.
 *
 * Nothing but movement ever waits: a report in which anything else is new, a button above all, passes at
 * once, with the movement so far, and on top of the number.
 *
 * Where it fails: what waits is late, by up to the time between two reports that pass, and the end of a
 * movement by SILENT_NS. Sticks and tablets have no movements to add up; they are refused.
 *
 * Attach it behind debounce, axes and accel: its own reports hold what it has seen, and they do not change
 * those. The kernel drops a report of the device that comes at the very time of one of ours (later.h); by
 * then the device has been silent for a while, so this is rare.
 */
#include "arithmetic.h"
#include "later.h"

char _license[] SEC("license") = "GPL";

ABOUT("limits how many reports a second reach the system", "fast mice on slow machines");

KNOB(u32, per_second, 1000, 0, 8000, "reports/s", "at most so many, presses aside; 0: all pass");

STAT(passed, "reports that passed");
STAT(early, "of those, before their time, since a button or the like was new");
STAT(held, "reports dropped, their movement added to the next that passed");
STAT(injected, "reports of its own: the device fell silent with movement waiting");

HID_PLACE_RELATIVE(x, 0x00010030);
HID_PLACE_RELATIVE(y, 0x00010031);
HID_PLACE_RELATIVE(wheel, 0x00010038);
HID_PLACE_RELATIVE(pan, 0x000c0238);
HID_REPORT_RELATIVE(report, 0x00010030, 9);

#define NSEC_PER_SEC 1000000000ULL
#define SILENT_NS    (12 * NSEC_PER_MSEC) /* longer than a mouse of 125 reports a second pauses */

s64 sums[4]; /* movement that waits */
u64 next_ns; /* from when on a report may pass */

/* Take a movement out of the report and into its sum. */
static __always_inline void collect(u8 *bytes, const volatile u32 *place, s64 *sum)
{
	if (!place[PLACE_BITS] || place[PLACE_REPORT_ID] != report[REPORT_ID])
		return;
	bytes += place[PLACE_AT] / 8;
	*sum += place_read(bytes, place);
	place_write(bytes, place, 0);
}

/* And back, as much of it as the report can hold. */
static __always_inline void deliver(u8 *bytes, const volatile u32 *place, s64 *sum)
{
	s64 value;

	if (!place[PLACE_BITS] || place[PLACE_REPORT_ID] != report[REPORT_ID])
		return;
	value = clamped(*sum, (s32)place[PLACE_MINIMUM], (s32)place[PLACE_MAXIMUM]);
	*sum -= value;
	place_write(bytes + place[PLACE_AT] / 8, place, value);
}

static __always_inline bool is_waiting(void)
{
	return sums[0] || sums[1] || sums[2] || sums[3];
}

/* Whether a report without its movements says anything new. */
static __always_inline bool is_new(const u8 *bytes)
{
	u8 other = 0;

	for (u32 i = 0; i < REPORT_MAX; i++)
		if (i < report[REPORT_BYTES])
			other |= bytes[i] ^ later_report[i];
	return other || !later_bytes;
}

/* On average the number is met, although reports do not come when their time is: one may be made up for. */
static __always_inline void spend(u64 now)
{
	u64 interval = per_second ? NSEC_PER_SEC / per_second : 0;

	if (now >= next_ns)
		next_ns = now - next_ns > interval ? now + interval : next_ns + interval;
}

/* False if there is no way to send what waits. */
static __always_inline bool send_later(struct hid_bpf_ctx *hid, u64 now)
{
	u64 wait = next_ns > now ? next_ns - now : 0;

	return later_in(hid, wait > SILENT_NS ? wait : SILENT_NS);
}

SEC("struct_ops/rate_limit_event")
int BPF_PROG(rate_limit_event, struct hid_bpf_ctx *hid, u32 type, u64 source)
{
	bool is_ours = is_later(source), news;
	u64 now = bpf_ktime_get_ns();
	u8 *bytes = report_bytes(hid, report);

	if (!bytes)
		return 0;
	if (source && !is_ours) { /* of another program: what it says is what ours have to repeat */
		later_keep(report, bytes);
		return 0;
	}
	if (is_ours) {
		if (!is_waiting())
			return -1;
		later_fill(report, bytes);
		stat_inc(injected);
	} else {
		collect(bytes, x, &sums[0]);
		collect(bytes, y, &sums[1]);
		collect(bytes, wheel, &sums[2]);
		collect(bytes, pan, &sums[3]);
		news = is_new(bytes);
		later_keep(report, bytes);
		if (now < next_ns && !news && per_second && send_later(hid, now)) {
			stat_inc(held);
			return -1;
		}
		stat_inc(passed);
		if (now < next_ns)
			stat_inc(early);
	}
	deliver(bytes, x, &sums[0]);
	deliver(bytes, y, &sums[1]);
	deliver(bytes, wheel, &sums[2]);
	deliver(bytes, pan, &sums[3]);
	spend(now);
	if (!is_waiting())
		later_never();
	else
		send_later(hid, now);
	return report_size(hid, report);
}

SEC(".struct_ops.link")
struct hid_bpf_ops rate_limit = {
	.hid_device_event = (void *)rate_limit_event,
};
