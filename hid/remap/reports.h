/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reports in and out: which keys a report says are pressed, and reports that say what is pressed now.
 *
 * Both work on one report at a time, in scratch. Who is pressed comes from each report as a whole, never
 * from what changed since the last one, so that a lost report is made good by the next.
 */
#ifndef SCXHID_REMAP_REPORTS_H
#define SCXHID_REMAP_REPORTS_H

#include "meaning.h"

#define NR_PRESSED 32 /* codes that are pressed at once, after the rules */

/* Of this interface; its program alone uses it, while the kernel holds the interface's lock. */
struct device_state {
	u64 now[NR_WORDS];		 /* what the report in scratch says */
	u64 raw[NR_REPORTS][NR_WORDS];	 /* what each said last */
	u8 last[NR_REPORTS][SEEN_BYTES]; /* the whole of it, but movement */
	u8 base[NR_REPORTS][SEEN_BYTES]; /* without keys, too */
	u64 changed[NR_WORDS];
	u64 after[NR_WORDS];
	u64 touched[NR_WORDS]; /* codes that changed since something was sent */
	u32 dirty;	       /* reports that do not say yet what is pressed, a bit each */
	u32 seen;	       /* reports that came at least once */
	u32 is_phantom;
	u32 nr_taken;	    /* reports of the device */
	u32 event;	    /* that the thing that was done last came of */
	u8 count[NR_CODES]; /* how many keys press a code */
	u16 pressed[NR_PRESSED];
	s64 carried[NR_AXES];
	u8 scratch[SEEN_BYTES];
	u8 outgoing[SEEN_BYTES]; /* what was in scratch, meanwhile */
};

PRIVATE(struct device_state, device);

static __always_inline u8 *byte_at(u32 n)
{
	return &device.scratch[n & (SEEN_BYTES - 1)];
}

/* Up to 32 bits of the report. */
static __always_inline u32 get_bits(u32 at, u32 size)
{
	u64 word = 0;

	for (u32 n = 0; n < 5; n++)
		word |= (u64)*byte_at((at >> 3) + n) << 8 * n;
	return word >> (at & 7) & ((1ULL << size) - 1);
}

static __always_inline void put_bits(u32 at, u32 size, u32 value)
{
	u64 mask = ((1ULL << size) - 1) << (at & 7), word = (u64)value << (at & 7) & mask;

	for (u32 n = 0; n < 5; n++) {
		if (!(u8)(mask >> 8 * n))
			continue;
		*byte_at((at >> 3) + n) =
			(*byte_at((at >> 3) + n) & ~(mask >> 8 * n)) | word >> 8 * n;
	}
}

static __always_inline void set_now(u32 code)
{
	device.now[code >> 6 & (NR_WORDS - 1)] |= 1ULL << (code & 63);
}

/* ---- In ---- */

/* Which of the codes of an array field its n-th value means: nobody from nr_codes on. */
static __always_inline u32 index_in_array(const struct field *field, u32 n)
{
	return get_bits(field->at + n * field->size, field->size & 31) - field->minimum;
}

static __always_inline void put_value(const struct field *field, u32 n, u32 value)
{
	put_bits(field->at + n * field->size, field->size & 31, value);
}

__noinline int take_bits(u32 number)
{
	const struct places *t = current_places();
	const struct field *field;
	u32 byte, bit, at, code;

	if (!t)
		return 0;
	field = &t->fields[number & (NR_FIELDS - 1)];
	bpf_for(byte, field->at >> 3, (field->at + field->count + 7) >> 3) {
		if (!*byte_at(byte))
			continue;
		bpf_for(bit, 0, 8) {
			at = byte * 8 + bit;
			if (!(*byte_at(byte) >> bit & 1) || at < field->at ||
			    at >= field->at + field->count)
				continue;
			code = t->codes[(field->first + at - field->at) & (NR_USAGES - 1)];
			if (code == NO_CODE)
				continue;
			set_now(code);
			*byte_at(byte) &= ~(1 << bit);
		}
	}
	return 0;
}

__noinline int take_array(u32 number)
{
	const struct places *t = current_places();
	const struct field *field;
	u32 n, code, index;

	if (!t)
		return 0;
	field = &t->fields[number & (NR_FIELDS - 1)];
	bpf_for(n, 0, field->count) {
		index = index_in_array(field, n);
		if (index >= field->nr_codes)
			continue;
		code = t->codes[(field->first + index) & (NR_USAGES - 1)];
		if (code == NO_CODE)
			continue;
		if (code == CODE_PHANTOM)
			device.is_phantom = true;
		else
			set_now(code);
		put_value(field, n, field->none);
	}
	return 0;
}

/* Without movement: no report moves twice. */
static __always_inline void remember(u8 *to, const struct report *report)
{
	const u64 *from = (const u64 *)device.scratch;
	u32 w;

	for (w = 0; w < SEEN_WORDS; w++)
		((u64 *)to)[w] = from[w] & ~report->moves[w];
}

/* What a report says of keys goes to device.now, and out of scratch; the rest is remembered. */
__noinline int take_report(u32 r)
{
	const struct places *t = current_places();
	const struct field *field;
	u32 n;

	if (!t)
		return 0;
	r &= NR_REPORTS - 1;
	device.is_phantom = false;
	device.nr_taken++;
	__builtin_memset(device.now, 0, sizeof(device.now));
	remember(device.last[r], &t->reports[r]);
	bpf_for(n, 0, t->nr_fields) {
		field = &t->fields[n & (NR_FIELDS - 1)];
		if (field->report != r)
			continue;
		if (field->kind == FIELD_BITS)
			take_bits(n);
		else
			take_array(n);
	}
	remember(device.base[r], &t->reports[r]);
	device.seen |= 1 << r;
	return 0;
}

/* Makes events of what a report says now and did not before: releases first. */
__noinline int note_changes(u32 r, u64 at)
{
	const struct places *t = current_places();
	u32 w, b, other, pass, code;
	u64 before, mine;
	bool is_press;

	if (!t || device.is_phantom)
		return 0;
	r &= NR_REPORTS - 1;
	bpf_for(w, 0, NR_WORDS) {
		u64 *raw = &device.raw[r][w & (NR_WORDS - 1)];

		before = mine = 0;
		bpf_for(other, 0, NR_REPORTS)
			if (other != r)
				before |= device.raw[other & (NR_REPORTS - 1)][w & (NR_WORDS - 1)];
		mine = device.now[w & (NR_WORDS - 1)];
		device.after[w & (NR_WORDS - 1)] = before | mine;
		device.changed[w & (NR_WORDS - 1)] = (before | *raw) ^ (before | mine);
		*raw = mine;
	}
	bpf_for(pass, 0, 2) {
		bpf_for(w, 0, NR_WORDS) {
			if (!device.changed[w & (NR_WORDS - 1)])
				continue;
			bpf_for(b, 0, 64) {
				code = w * 64 + b;
				is_press = device.after[w & (NR_WORDS - 1)] >> (b & 63) & 1;
				if (!(device.changed[w & (NR_WORDS - 1)] >> (b & 63) & 1) ||
				    is_press != pass)
					continue;
				if (!add_event(code, is_press, interface,
					       at)) /* the next report says it again */
					device.raw[r][w & (NR_WORDS - 1)] ^= 1ULL << (b & 63);
			}
		}
	}
	return 0;
}

static __always_inline bool is_down(u32 code)
{
	return device.after[code >> 6] >> (code & 63) & 1;
}

/* Movement of the report in scratch, scaled; what a report cannot hold is kept for the next. */
__noinline int scale_axes(u32 r)
{
	const struct places *t = current_places();
	const struct axis *axis;
	s64 value, whole;
	u32 n, size;

	if (!t)
		return 0;
	bpf_for(n, 0, t->nr_axes) {
		axis = &t->axes[n & (NR_AXES - 1)];
		size = axis->size & 63;
		if (axis->report != r || !size || size > 32)
			continue;
		value = get_bits(axis->at, size);
		if (axis->minimum < 0 && value >> (size - 1) & 1)
			value -= 1LL << size;
		if (axis->is_relative) {
			whole = value * axis->scale + device.carried[n & (NR_AXES - 1)];
			value = divided(whole, 1 << 16);
			device.carried[n & (NR_AXES - 1)] = whole - value * (1 << 16);
		} else {
			s64 centre =
				axis->minimum + (s64)(((u64)axis->maximum - axis->minimum + 1) / 2);

			value = centre + rounded((value - centre) * axis->scale, 1 << 16);
		}
		put_bits(axis->at, size, clamped(value, axis->minimum, axis->maximum));
	}
	return 0;
}

/* ---- Out ---- */

/* A press or release of a code after the rules. */
__noinline int apply(u32 thing)
{
	const struct places *t = current_places();
	u32 code = thing & (NR_CODES - 1), n, report;
	u8 *count = &device.count[code];

	if (!t)
		return 0;
	if (thing & STEP_DOWN ? (*count)++ : !*count || --*count)
		return 0; /* others press it as well */
	bpf_for(n, 0, NR_PRESSED) {
		u16 *place = &device.pressed[n & (NR_PRESSED - 1)];

		if (*place == (thing & STEP_DOWN ? NO_CODE : code)) {
			*place = thing & STEP_DOWN ? code : NO_CODE;
			break;
		}
	}
	device.touched[code >> 6] |= 1ULL << (code & 63);
	report = t->slots[code].report;
	if (report != NO_REPORT)
		device.dirty |= 1 << (report & (NR_REPORTS - 1));
	return 0;
}

/*
 * Whether what was done must be sent before this is: what two events do must not be in one report, since
 * there the order of its fields would count.
 */
static __always_inline bool comes_after(u32 thing)
{
	u32 code = thing & (NR_CODES - 1);

	return (u16)thing == STEP_FLUSH || device.touched[code >> 6] >> (code & 63) & 1 ||
	       (device.dirty && thing >> THING_EVENT != device.event);
}

/* None is pressed any more by what the rules did. */
__noinline int release_all(void)
{
	const struct places *t = current_places();
	u32 n, code, report;

	if (!t)
		return 0;
	bpf_for(n, 0, NR_PRESSED) {
		code = device.pressed[n & (NR_PRESSED - 1)] & (NR_CODES - 1);
		device.pressed[n & (NR_PRESSED - 1)] = NO_CODE;
		report = t->slots[code].report;
		if (code != NO_CODE && report != NO_REPORT)
			device.dirty |= 1 << (report & (NR_REPORTS - 1));
	}
	__builtin_memset(device.count, 0, sizeof(device.count));
	return 0;
}

__noinline int put_in_array(u32 number, u32 value)
{
	const struct places *t = current_places();
	const struct field *field;
	u32 n, index;

	if (!t)
		return 0;
	field = &t->fields[number & (NR_FIELDS - 1)];
	bpf_for(n, 0, field->count) {
		index = index_in_array(field, n);
		if (index + field->minimum != field->none && index < field->nr_codes)
			continue;
		put_value(field, n, value);
		return 0;
	}
	stat_inc(no_room);
	return 0;
}

/* Writes into scratch, which says of no key of ours that it is pressed, which ones are. */
__noinline int put_keys(u32 r)
{
	const struct places *t = current_places();
	const struct slot *slot;
	u32 n, code;

	if (!t)
		return 0;
	bpf_for(n, 0, NR_PRESSED) {
		code = device.pressed[n & (NR_PRESSED - 1)] & (NR_CODES - 1);
		slot = &t->slots[code];
		if (code == NO_CODE || slot->report != r)
			continue;
		if (t->fields[slot->field & (NR_FIELDS - 1)].kind == FIELD_ARRAY)
			put_in_array(slot->field, slot->value);
		else
			*byte_at(slot->value >> 3) |= 1 << (slot->value & 7);
	}
	device.dirty &= ~(1 << (r & (NR_REPORTS - 1)));
	return 0;
}

/* Into scratch: the report as the device sent it last, without movement and without keys. */
__noinline int make_base(u32 r)
{
	const struct places *t = current_places();

	if (!t)
		return 0;
	r &= NR_REPORTS - 1;
	__builtin_memcpy(device.scratch, device.base[r], SEEN_BYTES);
	if (t->reports[r].id)
		device.scratch[0] = t->reports[r].id;
	return 0;
}

/* The same with the keys of now. */
static __always_inline void make_report(u32 r)
{
	make_base(r);
	put_keys(r);
}

/* The report that bytes with this id are; NO_REPORT if the rules have nothing to do with it. */
__noinline int find_report(u32 id)
{
	const struct places *t = current_places();
	u32 r;

	if (!t)
		return NO_REPORT;
	bpf_for(r, 0, t->nr_reports)
		if (!t->reports[r & (NR_REPORTS - 1)].id ||
		    t->reports[r & (NR_REPORTS - 1)].id == id)
			return r;
	return NO_REPORT;
}

#endif /* SCXHID_REMAP_REPORTS_H */
