// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * tap: copies every input report of a device into a ring buffer, twice: as it is before the device's
 * HID-BPF programs, and as it leaves the last of them. It changes nothing.
 *
 * The first tap is attached before all others, the second after them. Both are called with the same
 * context for the same report, by which the two copies find each other; a report of which there is only
 * the first was dropped in between. So that there is never only the first for want of room, none is taken
 * unless many more would fit: a program may send further reports before the one it was called for is done.
 */
#include "hid_bpf.h"

char _license[] SEC("license") = "GPL";

#define HEADER_BYTES 8 /* of the kernel's, before each sample */
#define SPARE	     16

struct tapped {
	u64 at_ns;
	u64 context; /* the same before and after */
	u64 source;  /* 0: the device; else a program sent it */
	u32 is_after;
	u32 size;   /* of the report in bytes */
	u8 bytes[]; /* room of them */
};

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 23); /* bytes: 4 s of 8,000 reports a second of 64 bytes */
} taps SEC(".maps");

/* Bytes kept of each report: the kernel has as many of any, in steps of 64. */
const volatile u32 room = 64;

/* Reports for which there was no room. The kernel runs a device's programs for one report at a time. */
u64 lost;
u64 refused; /* context of the last of them, whose second copy is not wanted either */

static __always_inline void copy(struct hid_bpf_ctx *hid, u64 source, bool is_after)
{
	u8 *bytes = hid_bpf_get_data(hid, 0, room);
	struct tapped *to;

	if (!bytes)
		return;
	to = bpf_ringbuf_reserve(&taps, sizeof(*to) + room, 0);
	if (!to) {
		lost++;
		return;
	}
	to->at_ns = bpf_ktime_get_ns();
	to->context = (u64)hid;
	to->source = source;
	to->is_after = is_after;
	to->size = hid->size;
	bpf_probe_read_kernel(to->bytes, room, bytes);
	bpf_ringbuf_submit(to, 0);
}

SEC("struct_ops/tap_before_event")
int BPF_PROG(tap_before_event, struct hid_bpf_ctx *hid, u32 type, u64 source)
{
	u64 wanted = SPARE * (HEADER_BYTES + sizeof(struct tapped) + room);

	if (type != HID_INPUT_REPORT)
		return 0;
	if (bpf_ringbuf_query(&taps, BPF_RB_AVAIL_DATA) + wanted >
	    bpf_ringbuf_query(&taps, BPF_RB_RING_SIZE)) {
		lost++;
		refused = (u64)hid;
		return 0;
	}
	if (refused == (u64)hid)
		refused = 0;
	copy(hid, source, false);
	return 0;
}

SEC("struct_ops/tap_after_event")
int BPF_PROG(tap_after_event, struct hid_bpf_ctx *hid, u32 type, u64 source)
{
	if (type == HID_INPUT_REPORT && refused != (u64)hid)
		copy(hid, source, true);
	return 0;
}

SEC(".struct_ops.link")
struct hid_bpf_ops tap_before = {
	.flags = BPF_F_BEFORE,
	.hid_device_event = (void *)tap_before_event,
};

SEC(".struct_ops.link")
struct hid_bpf_ops tap_after = {
	.hid_device_event = (void *)tap_after_event,
};
