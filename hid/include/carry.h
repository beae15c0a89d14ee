/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Movements scaled, with none lost.
 *
 * A report holds whole steps. What is left of a step after the scaling is kept for the next report, so
 * that many small movements come as far as one large one.
 */
#ifndef SCXHID_CARRY_H
#define SCXHID_CARRY_H

#include "arithmetic.h"
#include "places.h"

#define SCALED 1000 /* permille */

struct scaled {
	s32 value;
	bool is_cut; /* at the end of what the report can hold */
};

/* What is left is in thousandths of a step. What is cut off is not kept: it would come too late. */
static __always_inline struct scaled scaled(const volatile u32 *place, s64 value, s64 scale,
					    s64 *left)
{
	s64 whole = value * scale + *left, steps = divided(whole, SCALED);
	struct scaled scaled = {};

	scaled.value = clamped(steps, (s32)place[PLACE_MINIMUM], (s32)place[PLACE_MAXIMUM]);
	scaled.is_cut = scaled.value != steps;
	*left = scaled.is_cut ? 0 : whole - steps * SCALED;
	return scaled;
}

#endif /* SCXHID_CARRY_H */
