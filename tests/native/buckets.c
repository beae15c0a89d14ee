// SPDX-License-Identifier: GPL-2.0-or-later
/* The buckets of histogram.h as a library, for tests. */
typedef unsigned int u32;
typedef unsigned long long u64;
#define __always_inline inline __attribute__((always_inline))

#include "histogram.h"

u32 bucket(u64 value);
u32 bucket(u64 value)
{
	return bucket_of(value);
}
