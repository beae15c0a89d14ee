// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Frame pacing: a game or a compositor that draws a frame for each refresh of a display, beside the
 * load; first a display of 60 Hz, then one of 144.
 *
 *	frames ms=1000 seed=1 a_cpu=1 duty=1000 [share=150]
 *
 * The task sleeps until the display's next refresh, computes on average `share` per mille of the time
 * between two (a half to three halves of that, by the seed), and has the frame done. One that is not
 * done by the next refresh is missed: it is finished all the same, and the next begins with the next
 * refresh. Prints for each display how long frames took from their refresh on, and the time between
 * frames that were done; half of `ms` is for each.
 */
#define _GNU_SOURCE
#include "tasks.h"

#define MOST_FRAMES 100000
#define WARM_NS	    (100 * NSEC_PER_MSEC)

struct display {
	const char *took, *interval, *missed;
	s64 period_ns;
};

static const struct display displays[] = {
	{ "took_60", "interval_60", "missed_60", NSEC_PER_SEC / 60 },
	{ "took_144", "interval_144", "missed_144", NSEC_PER_SEC / 144 },
};

struct frames {
	long missed;
	struct samples *took, *interval;
};

static void draw(const struct display *display, struct frames *frames, s64 ends, s64 work,
		 u64 chance)
{
	s64 refresh = now_ns() + display->period_ns, warm = now_ns() + WARM_NS, before = 0;

	while (refresh < ends) {
		s64 done;

		sleep_until_ns(refresh);
		burn_ns(dithered(work, &chance));
		done = now_ns();
		if (refresh >= warm) {
			if (before)
				add_sample(frames->interval, done - before);
			if (!add_sample(frames->took, done - refresh))
				break;
			frames->missed += done > refresh + display->period_ns;
			before = done;
		}
		refresh += (done - refresh) / display->period_ns * display->period_ns;
		refresh += display->period_ns;
	}
	_exit(0);
}

int main(int argc, char **argv)
{
	struct frames *frames = shared(sizeof(*frames));
	struct load *load;
	s64 share;

	begin(argc, argv);
	share = option("share", 150);
	no_more_options();
	become_fifo(2);
	load = start_load(false);
	for (int i = 0; i < 2; i++) {
		const struct display *display = &displays[i];
		s64 work = display->period_ns * share / 1000;
		s64 ends = now_ns() + WARM_NS + asked.ms * NSEC_PER_MSEC / 2;
		pid_t pid;

		*frames = (struct frames){ 0, new_samples(MOST_FRAMES), new_samples(MOST_FRAMES) };
		pid = start_process("game");
		if (!pid)
			draw(display, frames, ends, work, chance_of(i));
		wait_for(pid, "the game");
		print_samples(display->took, frames->took);
		print_samples(display->interval, frames->interval);
		if (frames->took->nr)
			print_metric(display->missed, (double)frames->missed / frames->took->nr);
	}
	stop_load(load);
	return 0;
}
