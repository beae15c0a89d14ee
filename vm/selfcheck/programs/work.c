// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The same work every time: `slices` times `rounds` steps of arithmetic, and `more` per mille of
 * them more. Whatever it takes longer for than that is not its own doing.
 */
#define _GNU_SOURCE
#include "workload.h"

int main(int argc, char **argv)
{
	struct samples *slices;
	long nr, rounds, more;
	u64 result = 1;
	s64 begun;

	begin(argc, argv);
	nr = option("slices", 96);
	rounds = option("rounds", 250000);
	more = option("more", 0);
	no_more_options();
	if (nr < 1 || nr > 100000)
		give_up("slices is from 1 to 100000");
	rounds += rounds * more / 1000;
	slices = new_samples(nr);
	begun = now_ns();
	for (long i = 0; i < nr; i++) {
		s64 at = now_ns();

		result = compute(result, rounds);
		add_sample(slices, now_ns() - at);
	}
	begun = now_ns() - begun;
	/* Without a use of the result a compiler may leave the work out. */
	if (result == 42)
		fputs("work: what are the odds\n", stderr);
	print_metric("makespan_ns", begun);
	print_samples("slice", slices);
	return 0;
}
