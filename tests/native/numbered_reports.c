// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Which reports the reader of vm/bench/programs/path.h takes for lost: reads the numbers of those that
 * came, "-" for a queue that ran full, and writes 0 or 1 for each report.
 */
#define _GNU_SOURCE
#include "measure.h"
#include "path.h"

#define MOST 100000

static const struct input_event overflow[] = {
	{ .type = EV_SYN, .code = SYN_DROPPED },
	{ .type = EV_REL, .code = REL_Y, .value = 1 }, /* what is left of a packet */
	{ .type = EV_SYN },
};

int main(void)
{
	struct path *path = calloc(1, sizeof(*path) + MOST * sizeof(struct stamps));
	struct run run = { .kind = "mouse" };
	struct uhid_event report;
	char word[16];

	if (!path)
		fail("memory");
	path->most = MOST;
	while (scanf("%15s", word) == 1) {
		if (word[0] == '-') {
			take(path, overflow, 3, MOUSE_CYCLE);
			continue;
		}
		number_report(&run, &report, atol(word));
		struct input_event events[] = {
			{ .type = EV_REL, .code = REL_X, .value = report.u.input2.data[1] },
			{ .type = EV_REL, .code = REL_Y, .value = report.u.input2.data[2] },
			{ .type = EV_SYN },
		};
		take(path, events, 3, MOUSE_CYCLE);
	}
	for (long n = 0; n < path->nr_read; n++)
		printf("%d", path->of[n].is_lost);
	return 0;
}
