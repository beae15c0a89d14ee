/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Log-linear histograms: each octave has eight buckets of the same width, so that a value is known to
 * within an eighth of itself, whatever its size. pyloader/probes/histogram.py reads them.
 */
#ifndef SCXHID_HISTOGRAM_H
#define SCXHID_HISTOGRAM_H

#define SUB_BITS   3 /* 8 buckets an octave */
#define NR_OCTAVES 40
#define NR_BUCKETS ((NR_OCTAVES - SUB_BITS + 1) << SUB_BITS)

/* The position of the highest bit that is set; 0 for 0. */
static __always_inline u32 log2_of(u64 value)
{
	u32 log = 0;

	for (u32 step = 32; step; step >>= 1) {
		if (value >> step) {
			value >>= step;
			log += step;
		}
	}
	return log;
}

/* Values below 8 have a bucket each; those of 2^40 and more share the last one. */
static __always_inline u32 bucket_of(u64 value)
{
	u32 log = log2_of(value), bucket;

	if (log < SUB_BITS)
		return value;
	bucket = ((log - SUB_BITS + 1) << SUB_BITS) +
		 ((value >> (log - SUB_BITS)) & ((1 << SUB_BITS) - 1));
	return bucket < NR_BUCKETS ? bucket : NR_BUCKETS - 1;
}

#endif /* SCXHID_HISTOGRAM_H */
