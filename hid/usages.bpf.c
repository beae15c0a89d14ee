// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * usages: lets a device call something by another name.
 *
 * A report descriptor says what each value means by usages: X, Wheel, Volume Up. Some devices say the
 * wrong one: a pad whose second stick is Z and Rz, a knob that claims to be a slider, a key that is
 * none. This program replaces one usage by another wherever the descriptor declares it by itself. It works
 * on the descriptor alone, once: reports pass as they are.
 *
 *	scxhid hid attach usages --device PAD from=0x00010032 to=0x00010033
 *
 * Good for: axes and keys with the wrong name, with no C to be written.
 *
 * Where it fails: usages that stand in a range (minimum and maximum, as keys and buttons mostly do) stay.
 * So do those that the new one does not fit: an item of one byte holds usages up to 0xff, and the page can
 * change only where an item of four bytes has both. It is one pair at a time, since a device takes one
 * program that rewrites its descriptor: to swap two, write a program like this one.
 */
#include "hid_bpf.h"

char _license[] SEC("license") = "GPL";

ABOUT("another name for what a device sends: its report descriptor corrected",
      "axes and keys that are called the wrong thing");

#define MOST_USAGE 0xffffffff

KNOB_AT_LOAD(u32, from, 0, 0, MOST_USAGE, "",
	     "usage that the device declares, its page in the upper 16 bits");
KNOB_AT_LOAD(u32, to, 0, 0, MOST_USAGE, "", "what it is called instead");

#define LAST_BYTE (HID_MAX_DESCRIPTOR_SIZE - 1)

/* The prefixes of items (HID 1.11, 6.2.2), without their sizes. */
#define LONG_ITEM  0xfe
#define USAGE_PAGE 0x04
#define USAGE	   0x08

struct descriptor {
	u8 bytes[HID_MAX_DESCRIPTOR_SIZE];
};

/* In memory, since the verifier follows numbers in registers through every turn of the loop. */
volatile u32 position, usage_page, nr_replaced;

/* Replaces the usage in a descriptor of so many bytes; how often. */
__noinline int replace(struct descriptor *descriptor __arg_nonnull, u32 size)
{
	u32 n, i, at, prefix, length, value;
	u8 *bytes = descriptor->bytes;

	position = usage_page = nr_replaced = 0;
	bpf_for(n, 0, HID_MAX_DESCRIPTOR_SIZE) {
		at = position;
		if (at >= size)
			break;
		prefix = bytes[at & LAST_BYTE];
		if (prefix == LONG_ITEM) {
			position = at + 3 + bytes[(at + 1) & LAST_BYTE];
			continue;
		}
		length = (prefix & 3) == 3 ? 4 : prefix & 3;
		position = at + 1 + length;
		value = 0;
		for (i = 0; i < 4; i++)
			value |= (u32)bytes[(at + 1 + i) & LAST_BYTE] << 8 * i;
		if (length < 4)
			value &= (1u << 8 * length) - 1;
		if ((prefix & ~3u) == USAGE_PAGE)
			usage_page = value;
		if ((prefix & ~3u) != USAGE || !length)
			continue;
		if (length < 4)
			value |= usage_page << 16;
		if (value != from ||
		    (length < 4 && (to >> 16 != usage_page || (to & 0xffff) >> 8 * length)))
			continue;
		for (i = 0; i < 4; i++)
			if (i < length)
				bytes[(at + 1 + i) & LAST_BYTE] = to >> 8 * i;
		nr_replaced++;
	}
	return nr_replaced;
}

SEC("struct_ops/usages_fixup")
int BPF_PROG(usages_fixup, struct hid_bpf_ctx *hid)
{
	u8 *bytes = hid_bpf_get_data(hid, 0, HID_MAX_DESCRIPTOR_SIZE);

	if (!bytes)
		return 0;
	replace((struct descriptor *)bytes, hid->size);
	return hid->size;
}

struct probe_args {
	u32 hid;
	u32 size;
	struct descriptor descriptor;
	s32 retval;
};

struct descriptor asked; /* a copy: the verifier of 6.16 passes on no part of a context */

/* Asked by the loader first: a device that does not declare it, or where it does not fit, is refused. */
SEC("syscall")
int probe(struct probe_args *args)
{
	if (bpf_probe_read_kernel(&asked, sizeof(asked), &args->descriptor))
		return 0;
	args->retval = replace(&asked, args->size) ? 0 : -22; /* EINVAL */
	return 0;
}

SEC(".struct_ops.link")
struct hid_bpf_ops usages = {
	.hid_rdesc_fixup = (void *)usages_fixup,
};
