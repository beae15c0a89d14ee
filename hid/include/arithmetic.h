/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Arithmetic that BPF has only for numbers without a sign. */
#ifndef SCXHID_ARITHMETIC_H
#define SCXHID_ARITHMETIC_H

#include "hid_bpf.h"

/* Towards zero; by zero it is zero, as BPF's own division is. */
static __always_inline s64 divided(s64 value, u32 by)
{
	return value < 0 ? -(s64)((u64)-value / by) : (s64)((u64)value / by);
}

/* To the nearest, halves away from zero. */
static __always_inline s64 rounded(s64 value, u32 by)
{
	return value < 0 ? -(s64)(((u64)-value + by / 2) / by) : (s64)(((u64)value + by / 2) / by);
}

static __always_inline s64 clamped(s64 value, s64 least, s64 most)
{
	return value < least ? least : value > most ? most : value;
}

#endif /* SCXHID_ARITHMETIC_H */
