/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The rules of the scheduler layers, as user space compiles them (pyloader/rules/).
 *
 * There are two tables. The one whose index is the lowest bit of rules_version is in force; user
 * space fills the other one and then raises rules_version, so nobody ever sees half of a change.
 * A task remembers the version under which it was matched, and is matched anew when it has changed.
 */
#ifndef SCXHID_LAYERS_TABLE_H
#define SCXHID_LAYERS_TABLE_H

#include "scx.h"

#define MAX_LAYERS	    32 /* a power of two */
#define MAX_RULES	    256
#define MAX_CGROUP_PATTERNS 64
#define MAX_CPUS	    1024
#define CPU_WORDS	    (MAX_CPUS / 64)
#define PATTERN_SIZE	    128 /* of a cgroup pattern, with the NUL */

/* The layer of tasks that no rule matches. */
#define DEFAULT_LAYER 0

enum latency_class {
	LATENCY_NORMAL,
	LATENCY_INTERACTIVE, /* a little before its turn */
	LATENCY_BATCH,	     /* a little after it */
};

/* How a layer is treated. A name that is empty: there is no such layer. */
struct layer {
	char name[32];
	u64 cpus[CPU_WORDS]; /* where its tasks may run, if has_cpus */
	u64 slice_ns;
	u32 weight;  /* its share of each CPU, 100 is usual */
	u32 latency; /* enum latency_class */
	bool has_cpus;
	bool preempt; /* its tasks, when they wake, interrupt those of layers without this */
};

/* What a rule looks at; all that it looks at must fit. */
enum rule_looks_at {
	LOOKS_AT_COMM = 1 << 0, /* comm_value under comm_mask: a whole name, or its beginning */
	LOOKS_AT_COMM_GLOB = 1 << 1, /* the pattern comm */
	LOOKS_AT_CGROUP = 1 << 2,
	LOOKS_AT_UID = 1 << 3,
	LOOKS_AT_NICE = 1 << 4,
	LOOKS_AT_KTHREAD = 1 << 5, /* is a kernel thread */
	LOOKS_AT_USER = 1 << 6,	   /* is none */
	LOOKS_AT_INPUT = 1 << 7,   /* runs for an input event just now: input.h */
	LOOKS_AT_NO_INPUT = 1 << 8,
};

struct rule {
	u64 comm_value[2];
	u64 comm_mask[2];
	char comm[32]; /* as the user wrote it */
	u32 looks_at;  /* enum rule_looks_at, or'ed */
	u32 cgroup;    /* index into rule_table.cgroups */
	u32 uid_min;
	u32 uid_max;
	s32 nice_min;
	s32 nice_max;
	u32 layer; /* index into rule_table.layers */
	u32 reserved;
};

struct rule_table {
	u32 nr_rules;
	u32 nr_cgroups;
	u64 applied_at; /* ns, CLOCK_REALTIME; 0: the rules that the scheduler starts with */
	char source[256];
	char cgroups[MAX_CGROUP_PATTERNS][PATTERN_SIZE];
	struct layer layers[MAX_LAYERS];
	struct rule rules[MAX_RULES]; /* the first that fits counts */
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 2);
	__type(key, u32);
	__type(value, struct rule_table);
} rule_tables SEC(".maps");

/* Raised by user space once the other table is filled. */
volatile u32 rules_version SEC(".data") = 0;

static struct rule_table *table_of(u32 version)
{
	u32 half = version & 1;

	return bpf_map_lookup_elem(&rule_tables, &half);
}

static void set_layer(struct rule_table *table, u32 index, const char *name, u32 size, u32 weight,
		      u64 slice_ns, u32 latency, bool preempt)
{
	struct layer *layer = &table->layers[index & (MAX_LAYERS - 1)];

	bpf_probe_read_kernel(layer->name, size & 31, name);
	layer->weight = weight;
	layer->slice_ns = slice_ns;
	layer->latency = latency;
	layer->preempt = preempt;
}

static void set_nice_rule(struct rule_table *table, u32 index, s32 min, s32 max, u32 layer)
{
	struct rule *rule = &table->rules[index & (MAX_RULES - 1)];

	rule->looks_at = LOOKS_AT_NICE;
	rule->nice_min = min;
	rule->nice_max = max;
	rule->layer = layer;
}

/* What is in force until a file of rules is applied. */
static s32 set_first_rules(void)
{
	struct rule_table *table = table_of(0);

	if (!table)
		return -12; /* ENOMEM */
	if (table->nr_rules)
		return 0;
	set_layer(table, DEFAULT_LAYER, "default", 8, 100, 5000000, LATENCY_NORMAL, false);
	set_layer(table, 1, "kernel", 7, 200, 5000000, LATENCY_INTERACTIVE, false);
	set_layer(table, 2, "preferred", 10, 300, 3000000, LATENCY_INTERACTIVE, true);
	set_layer(table, 3, "background", 11, 25, 10000000, LATENCY_BATCH, false);
	table->rules[0].looks_at = LOOKS_AT_INPUT;
	table->rules[0].layer = 2;
	table->rules[1].looks_at = LOOKS_AT_KTHREAD;
	table->rules[1].layer = 1;
	set_nice_rule(table, 2, -20, -1, 2);
	set_nice_rule(table, 3, 1, 19, 3);
	table->nr_rules = 4;
	return 0;
}

#endif /* SCXHID_LAYERS_TABLE_H */
