/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where a device's reports hold what a program works on, filled in by the loader.
 *
 *	HID_PLACE(x, 0x00010030);		Generic Desktop: X
 *
 * The loader reads the device's own report descriptor and writes, before the load, where the first
 * field with that usage is. These are constants then: the verifier knows them, and what works on a
 * usage that the device lacks is not even compiled. A device that has none of a program's usages is
 * refused.
 */
#ifndef SCXHID_PLACES_H
#define SCXHID_PLACES_H

#include "hid_bpf.h"

enum {
	PLACE_BITS,	 /* how many; 0: the device has no such usage */
	PLACE_AT,	 /* the first, counted from the report's beginning, its id included */
	PLACE_REPORT_ID, /* 0: reports are not numbered */
	PLACE_MINIMUM,	 /* logical; s32 */
	PLACE_MAXIMUM,
	PLACE_FLAGS, /* of the main item */
	PLACE_WORDS,
};

#define PLACE_RELATIVE 4 /* in PLACE_FLAGS */

#define HID_PLACE(name, usage)                                                                     \
	DECLARE_TAG("place:" #usage " 1") DECLARE_KEPT u32 name[PLACE_WORDS] = {}

/* The same for movements alone: a stick's X is not one, and is not taken. */
#define HID_PLACE_RELATIVE(name, usage)                                                            \
	DECLARE_TAG("place:" #usage " 1 relative") DECLARE_KEPT u32 name[PLACE_WORDS] = {}

/* The same for so many usages in a row, a place for each. The number is written in digits. */
#define HID_PLACES(name, usage, number)                                                            \
	DECLARE_TAG("place:" #usage " " #number) DECLARE_KEPT u32 name[number * PLACE_WORDS] = {}

#define PLACE_OF(places, n) ((places) + (n)*PLACE_WORDS)

/* A value reaches over at most five bytes: 32 bits, shifted by up to seven. */
#define PLACE_BYTES(place) (((place)[PLACE_AT] % 8 + (place)[PLACE_BITS] + 7) / 8)

/* The bytes that hold the value; NULL if the device has none such, or this report does not. */
static __always_inline u8 *place_bytes(struct hid_bpf_ctx *hid, const volatile u32 *place)
{
	u32 at = place[PLACE_AT] / 8, size = PLACE_BYTES(place);
	u8 *id;

	if (!place[PLACE_BITS] || hid->size < (s32)(at + size))
		return NULL;
	if (place[PLACE_REPORT_ID]) {
		id = hid_bpf_get_data(hid, 0, 1);
		if (!id || *id != place[PLACE_REPORT_ID])
			return NULL;
	}
	return hid_bpf_get_data(hid, at, size);
}

static __always_inline s32 place_read(const u8 *bytes, const volatile u32 *place)
{
	u32 bits = place[PLACE_BITS], size = PLACE_BYTES(place);
	u64 word = 0;

	for (u32 i = 0; i < 5; i++)
		if (i < size)
			word |= (u64)bytes[i] << 8 * i;
	word = word >> place[PLACE_AT] % 8 & ((1ull << bits) - 1);
	if ((s32)place[PLACE_MINIMUM] < 0 && word >> (bits - 1))
		word |= ~0ull << bits;
	return word;
}

static __always_inline void place_write(u8 *bytes, const volatile u32 *place, s32 value)
{
	u32 size = PLACE_BYTES(place), shift = place[PLACE_AT] % 8;
	u64 mask = ((1ull << place[PLACE_BITS]) - 1) << shift;
	u64 word = (u64)(u32)value << shift & mask;

	for (u32 i = 0; i < 5; i++)
		if (i < size)
			bytes[i] = (bytes[i] & ~(mask >> 8 * i)) | word >> 8 * i;
}

#endif /* SCXHID_PLACES_H */
