/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The whole report that holds what a program works on, filled in by the loader like a place.
 *
 *	HID_REPORT(report, 0x00090001, 32);	the one with the first of Button 1 to 32
 *
 * For programs that send reports of their own: these must say what the device's last one said, or
 * sticks and buttons would jump, but for its movements, or they would be made twice.
 */
#ifndef SCXHID_REPORT_H
#define SCXHID_REPORT_H

#include "places.h"

#define REPORT_MAX 64 /* bytes; a device whose report is longer is refused */

enum {
	REPORT_BYTES, /* its id included */
	REPORT_ID,    /* 0: reports are not numbered */
	REPORT_RELATIVE, /* from here on: a bit for each of its bits, set if it belongs to a relative field */
	REPORT_WORDS = REPORT_RELATIVE + REPORT_MAX / 4,
};

#define HID_REPORT(name, usage, number)                                                            \
	DECLARE_TAG("place:" #usage " " #number " report") DECLARE_KEPT u32 name[REPORT_WORDS] = {}

/* The one with the first of them that is a movement. */
#define HID_REPORT_RELATIVE(name, usage, number)                                                   \
	DECLARE_TAG("place:" #usage " " #number " relative report")                                \
	DECLARE_KEPT u32 name[REPORT_WORDS] = {}

/*
 * All of it; NULL if this report is another one. Bytes that the device left out are 0; where it sent none
 * at all, that is no report, which the kernel drops.
 */
static __always_inline u8 *report_bytes(struct hid_bpf_ctx *hid, const volatile u32 *report)
{
	u8 *bytes = hid->size ? hid_bpf_get_data(hid, 0, report[REPORT_BYTES]) : NULL;

	if (bytes && report[REPORT_ID] && bytes[0] != report[REPORT_ID])
		return NULL;
	return bytes;
}

/* Which bits of a byte belong to relative fields. */
static __always_inline u8 report_relative(const volatile u32 *report, u32 byte)
{
	return report[REPORT_RELATIVE + byte / 4] >> byte % 4 * 8;
}

/* What to return when bytes of a report were written that the device may have left out. */
static __always_inline int report_size(struct hid_bpf_ctx *hid, const volatile u32 *report)
{
	return hid->size < (s32)report[REPORT_BYTES] ? report[REPORT_BYTES] : 0;
}

#endif /* SCXHID_REPORT_H */
