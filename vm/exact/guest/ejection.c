// SPDX-License-Identifier: GPL-2.0-or-later
/* Why the kernel ended a scheduler, as its own exit record tells. */
#include "guest.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* So long may the kernel take to end one: with many CPUs it dumps them all first. */
#define EXIT_NS (60 * NS_PER_S)

/* The start of exit_record.h's record. */
struct exit_record {
	u32 recorded;
	int kind;
	s64 exit_code;
	u64 boot_ns;
	char reason[128];
	char msg[1024];
};

int read_line(const char *path, char *text, size_t size)
{
	FILE *file = fopen(path, "r");

	if (!file)
		return 0;
	if (!fgets(text, size, file))
		*text = 0;
	fclose(file);
	text[strcspn(text, "\n")] = 0;
	return 1;
}

void tell_ejection(const struct bpf_object *object, const char *name)
{
	struct bpf_map *map = bpf_object__find_map_by_name(object, "exit_record");
	char *value = map ? calloc(1, bpf_map__value_size(map)) : NULL;
	struct exit_record *record = (void *)value;
	char state[64] = "absent";
	s64 end_ns = now_ns() + EXIT_NS;
	u32 key = 0;

	/* The record is there when ops.exit has returned. */
	while (read_line(STATE, state, sizeof(state)) && strcmp(state, "disabled") &&
	       now_ns() < end_ns)
		sleep_until(now_ns() + 10 * NS_PER_MS);
	if (value && bpf_map__value_size(map) >= sizeof(*record) &&
	    !bpf_map_lookup_elem(bpf_map__fd(map), &key, value) && record->recorded)
		fail("%s was thrown out: %.120s: %.600s", name, record->reason, record->msg);
	fail("%s was thrown out, why is not known; sched_ext is %s", name, state);
}
