/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Takes the place of layers_match.h and of BPF maps: a task is in the layer that its word group=N
 * says, and while it runs for an input event in that of input=N. Put after standin.h with -include.
 * The layers' settings are those of the environment variable LAYERS:
 * 1:weight=300,slice_us=5000,latency=1,preempt=1,cpus=2;2:… (cpus: a bit mask).
 */
#ifndef LAYERS_H
#define LAYERS_H

#define SCXHID_LAYERS_MATCH_H

#include <stdlib.h>

#define __uint(name, value) int name
#define __type(name, of)    of *name
#define SCX_SLICE_DFL	    20000000ULL
#define __noinline	    __attribute__((noinline))

/* Of the kernel's one word of CPUs, into as many as there are. */
#define bpf_probe_read_kernel(to, size, from) memcpy(to, from, (size) < 8 ? (size) : 8)

/* One piece of zeroed memory for each map, key and CPU. */
static void *bpf_map_lookup_percpu_elem(void *map, const void *key, u32 cpu)
{
	static struct {
		void *map;
		u32 key, cpu;
		u64 value[256];
	} known[4096], *one;

	for (one = known; one->map; one++)
		if (one->map == map && one->key == *(u32 *)key && one->cpu == cpu)
			return one->value;
	one->map = map;
	one->key = *(u32 *)key;
	one->cpu = cpu;
	return one->value;
}

static void *rules_of_test(void);

#define bpf_map_lookup_elem(map, key)                                                              \
	((void *)(map) == (void *)&rule_tables ? rules_of_test() :                                 \
						 bpf_map_lookup_percpu_elem(map, key, 0))

#include "layers_table.h"

static u64 setting(const char *text, const char *name, u64 otherwise)
{
	const char *found = strstr(text, name), *end = strchr(text, ';');

	return found && (!end || found < end) ? strtoull(found + strlen(name), NULL, 10) :
						otherwise;
}

static void *rules_of_test(void)
{
	static struct rule_table table;
	const char *text = getenv("LAYERS");

	if (table.nr_rules)
		return &table;
	table.nr_rules = 1;
	set_layer(&table, DEFAULT_LAYER, "default", 8, 100, 5000000, LATENCY_NORMAL, false);
	for (; text && *text; text = strchr(text, ';') ? strchr(text, ';') + 1 : "") {
		u32 index = atoi(text) % MAX_LAYERS;

		set_layer(&table, index, "x", 2, setting(text, "weight=", 100),
			  setting(text, "slice_us=", 5000) * 1000, setting(text, "latency=", 0),
			  setting(text, "preempt=", 0));
		table.layers[index].cpus[0] = setting(text, "cpus=", 0);
		table.layers[index].has_cpus = table.layers[index].cpus[0];
	}
	return &table;
}

struct looks {
	bool is_known;
};

static bool looks_changed(struct task_struct *p, struct looks *then)
{
	bool changed = !then->is_known;

	then->is_known = true;
	return changed;
}

static u32 match(struct task_struct *p, struct looks *now, u32 *input_layer)
{
	*input_layer = p->input_group ? p->input_group % MAX_LAYERS : p->group % MAX_LAYERS;
	return p->group % MAX_LAYERS;
}

#endif /* LAYERS_H */
