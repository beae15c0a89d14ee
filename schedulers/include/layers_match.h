/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which layer a task belongs to, by the rules of layers_table.h.
 *
 * A task is looked at whenever it queues, but that is a comparison of what the rules ask for (name,
 * uid, nice, cgroup, version of the rules) with what it was the last time. Only when some of it
 * differs are the rules gone through. Paths of cgroups are matched once for each cgroup and version.
 *
 * Whether a task runs for an input event changes with every event. So what the rules say is found
 * for both cases at once, and which of the two counts is looked at as the task queues: layers_state.h.
 */
#ifndef SCXHID_LAYERS_MATCH_H
#define SCXHID_LAYERS_MATCH_H

#include "policy.h"
#include "layers_table.h"

/* ---- What is read of the kernel's types here and nowhere else ---- */

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct kernfs_node___layers {
	const char *name;
	u64 id; /* never used twice */
};

struct cgroup_subsys_state___layers {
	struct cgroup___layers *cgroup;
	struct cgroup_subsys_state___layers *parent;
};

struct cgroup___layers {
	struct cgroup_subsys_state___layers self;
	struct kernfs_node___layers *kn;
};

struct css_set___layers {
	struct cgroup___layers *dfl_cgrp; /* in the hierarchy of cgroup v2 */
};

typedef struct {
	u32 val;
} kuid_t___layers;

struct cred___layers {
	kuid_t___layers uid;
};

struct task_struct___layers {
	int static_prio;
	const struct cred___layers *cred;
	struct css_set___layers *cgroups;
};

#pragma clang attribute pop

#define NICE_0_PRIO 120 /* static_prio of nice 0 */

/* ---- The task that is being matched ---- */

#define COMM_SIZE  16
#define PATH_SIZE  512 /* a longer path is cut off; a power of two */
#define NAME_SIZE  256 /* of one directory, with the NUL */
#define PATH_DEPTH 24  /* a cgroup below that counts as the root */
#define TEXT_SIZE  1024
#define COMM_AT	   (TEXT_SIZE - 2 * COMM_SIZE)

/*
 * Kept in a map rather than on the stack: it is large, and what the verifier cannot follow it does
 * not explore value by value. No callback of one CPU interrupts another, so one for each is enough.
 */
struct candidate {
	u32 uid;
	s32 nice;
	u32 is_kthread;
	u32 depth;
	u32 layer;		   /* what the rules say, once find_layers() has run */
	u32 input_layer;	   /* the same for while it runs for an input event */
	u64 cgroups;		   /* bit n: pattern n fits its cgroup */
	u64 names[PATH_DEPTH + 8]; /* addresses of the names on the path, from the bottom up */
	char text[TEXT_SIZE];	   /* the path of its cgroup at 0, its name at COMM_AT */
	char pattern[PATTERN_SIZE];
	u32 at_pattern, at_text; /* how far glob_fits() is */
	u32 star_pattern, star_text;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct candidate);
} candidates SEC(".maps");

static struct candidate *this_candidate(void)
{
	u32 key = 0;

	return bpf_map_lookup_elem(&candidates, &key);
}

/*
 * Whether the candidate's pattern fits its text at base: * stands for any characters, ? for one.
 * With below, what comes after a slash in the text does not matter: a pattern that fits a cgroup
 * fits all cgroups below it. 1, 0.
 */
__noinline int glob_fits(u32 base, u32 below)
{
	struct candidate *c = this_candidate();
	u32 step;

	if (!c)
		return 0;
	c->at_pattern = c->at_text = c->star_pattern = c->star_text = 0;
	/* Only the last star needs to be tried again, so this is the product of both lengths. */
	bpf_for(step, 0, PATH_SIZE * PATTERN_SIZE) {
		char want = c->pattern[c->at_pattern & (PATTERN_SIZE - 1)];
		char have = c->text[(base + c->at_text) & (TEXT_SIZE - 1)];

		if (want == '*') {
			c->star_pattern = ++c->at_pattern;
			c->star_text = c->at_text;
		} else if (!want && (!have || (below && have == '/'))) {
			return 1;
		} else if (want && have && (want == '?' || want == have)) {
			c->at_pattern++;
			c->at_text++;
		} else if (!c->star_pattern || !c->text[(base + c->star_text) & (TEXT_SIZE - 1)]) {
			return 0;
		} else {
			c->at_pattern = c->star_pattern;
			c->at_text = ++c->star_text;
		}
	}
	return 0;
}

/* Writes the path of the cgroup at that address into the candidate; empty for the root. */
__noinline int write_path(u64 cgroup)
{
	struct candidate *c = this_candidate();
	u32 i, end = 0;
	u64 parent;
	long size;

	if (!c)
		return 0;
	c->depth = 0;
	c->text[0] = 0;
	bpf_for(i, 0, PATH_DEPTH + 1) {
		struct cgroup___layers *at = (void *)cgroup;

		parent = (u64)BPF_CORE_READ(at, self.parent);
		if (!parent)
			break;
		if (i >= PATH_DEPTH) {
			c->depth = 0;
			break;
		}
		c->names[i & 31] = (u64)BPF_CORE_READ(at, kn, name);
		c->depth = i + 1;
		cgroup = (u64)BPF_CORE_READ((struct cgroup_subsys_state___layers *)parent, cgroup);
	}
	c->at_text = 0;
	bpf_for(i, 0, PATH_DEPTH) {
		if (i >= c->depth)
			break;
		end = c->at_text;
		if (end >= PATH_SIZE - 2)
			break;
		c->text[end & (PATH_SIZE - 1)] = '/';
		size = bpf_probe_read_kernel_str(&c->text[(end + 1) & (PATH_SIZE - 1)], NAME_SIZE,
						 (void *)c->names[(c->depth - 1 - i) & 31]);
		if (size <= 0)
			break;
		c->at_text = end + size; /* a slash more, and the NUL less */
	}
	c->text[PATH_SIZE - 1] = 0;
	return 0;
}

/* Which of the table's cgroup patterns fit the path that the candidate holds: a bit for each. */
__noinline u64 fitting_cgroups(u32 version)
{
	struct rule_table *table = table_of(version);
	struct candidate *c = this_candidate();
	u64 found = 0;
	u32 i;

	if (!table || !c)
		return 0;
	c->cgroups = 0;
	bpf_for(i, 0, MAX_CGROUP_PATTERNS) {
		if (i >= table->nr_cgroups)
			break;
		__builtin_memcpy(c->pattern, table->cgroups[i], PATTERN_SIZE);
		if (glob_fits(0, 1))
			c->cgroups |= 1ULL << i;
	}
	found = c->cgroups;
	return found;
}

static __always_inline bool comm_begins(const struct rule *rule, const struct candidate *c)
{
	const u64 *comm = (const u64 *)&c->text[COMM_AT];

	return !((comm[0] ^ rule->comm_value[0]) & rule->comm_mask[0]) &&
	       !((comm[1] ^ rule->comm_value[1]) & rule->comm_mask[1]);
}

/* Writes the candidate's two layers into it, each by the first rule that fits. */
__noinline int find_layers(u32 version)
{
	struct rule_table *table = table_of(version);
	struct candidate *c = this_candidate();
	bool is_found = false, is_input_found = false;
	u32 i, looks_at;

	if (!table || !c)
		return 0;
	c->layer = c->input_layer = DEFAULT_LAYER;
	bpf_for(i, 0, MAX_RULES) {
		struct rule *rule = &table->rules[i & (MAX_RULES - 1)];

		if (i >= table->nr_rules)
			break;
		looks_at = rule->looks_at;
		if ((looks_at & LOOKS_AT_KTHREAD) && !c->is_kthread)
			continue;
		if ((looks_at & LOOKS_AT_USER) && c->is_kthread)
			continue;
		if ((looks_at & LOOKS_AT_NICE) &&
		    (c->nice < rule->nice_min || c->nice > rule->nice_max))
			continue;
		if ((looks_at & LOOKS_AT_UID) && (c->uid < rule->uid_min || c->uid > rule->uid_max))
			continue;
		if ((looks_at & LOOKS_AT_CGROUP) && !(c->cgroups >> (rule->cgroup & 63) & 1))
			continue;
		if ((looks_at & LOOKS_AT_COMM) && !comm_begins(rule, c))
			continue;
		if (looks_at & LOOKS_AT_COMM_GLOB) {
			__builtin_memcpy(c->pattern, rule->comm, sizeof(rule->comm));
			c->pattern[sizeof(rule->comm)] = 0;
			if (!glob_fits(COMM_AT, 0))
				continue;
		}
		if (!is_found && !(looks_at & LOOKS_AT_INPUT)) {
			is_found = true;
			c->layer = rule->layer & (MAX_LAYERS - 1);
		}
		if (!is_input_found && !(looks_at & LOOKS_AT_NO_INPUT)) {
			is_input_found = true;
			c->input_layer = rule->layer & (MAX_LAYERS - 1);
		}
		if (is_found && is_input_found)
			break;
	}
	return 0;
}

/* ---- What is kept of a cgroup and of a task ---- */

struct layers_cgroup {
	u64 fitting; /* the cgroup patterns that fit it */
	u32 version; /* of the rules */
	bool is_known;
};

static void layers_cgroup_start(struct cgroup *cgrp, struct layers_cgroup *state)
{
}

POLICY_CGRP_STATE(struct layers_cgroup, layers_cgroup_start);

/* What a task was when it was matched. */
struct looks {
	u64 comm[2];
	u64 cgroup;
	u32 uid;
	s32 nice;
	u32 version; /* of the rules */
	bool is_known;
};

static u64 cgroups_fitting(struct task_struct *p, u32 version)
{
	struct cgroup *cgrp = (void *)((struct task_struct___layers *)p)->cgroups->dfl_cgrp;
	struct layers_cgroup *state = POLICY_CGRP(cgrp);
	u64 address = 0, fitting;

	if (state && state->is_known && state->version == version)
		return state->fitting;
	/* Its address as a mere number, which is all that a function of its own may be given. */
	bpf_core_read(&address, sizeof(address),
		      &((struct task_struct___layers *)p)->cgroups->dfl_cgrp);
	write_path(address);
	fitting = fitting_cgroups(version);

	if (state) {
		state->fitting = fitting;
		state->version = version;
		state->is_known = true;
	}
	return fitting;
}

/* Whether p has to be matched again; is then set to what p is now. */
static bool looks_changed(struct task_struct *p, struct looks *then)
{
	struct task_struct___layers *task = (void *)p;
	u32 version = rules_version;
	u32 uid = task->cred->uid.val;
	s32 nice = task->static_prio - NICE_0_PRIO;
	u64 cgroup = task->cgroups->dfl_cgrp->kn->id;
	u64 comm[2] = {};

	bpf_probe_read_kernel(comm, sizeof(comm), p->comm);
	if (then->is_known && then->version == version && then->comm[0] == comm[0] &&
	    then->comm[1] == comm[1] && then->uid == uid && then->nice == nice &&
	    then->cgroup == cgroup)
		return false;
	then->comm[0] = comm[0];
	then->comm[1] = comm[1];
	then->uid = uid;
	then->nice = nice;
	then->cgroup = cgroup;
	then->version = version;
	then->is_known = true;
	return true;
}

/* The layer of p, which looks like that, and the one for while it runs for an input event. */
static u32 match(struct task_struct *p, struct looks *now, u32 *input_layer)
{
	struct rule_table *table = table_of(now->version);
	struct candidate *c = this_candidate();

	*input_layer = DEFAULT_LAYER;
	if (!table || !c)
		return DEFAULT_LAYER;
	c->uid = now->uid;
	c->nice = now->nice;
	c->is_kthread = (p->flags & PF_KTHREAD) != 0;
	c->cgroups = table->nr_cgroups ? cgroups_fitting(p, now->version) : 0;
	__builtin_memcpy(&c->text[COMM_AT], now->comm, COMM_SIZE);
	c->text[COMM_AT + COMM_SIZE] = 0;
	find_layers(now->version);
	*input_layer = c->input_layer;
	return c->layer;
}

#endif /* SCXHID_LAYERS_MATCH_H */
