/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The shares of `cgfair`: which groups are active, and what part of the machine each is due.
 */
#ifndef SCXHID_CGFAIR_SHARES_H
#define SCXHID_CGFAIR_SHARES_H

#include "policy.h"
#include "cgroup.h"
#include "vtime_clock.h"

#define WHOLE (1ULL << 28) /* the share of the root */

/* So long a share may be used after something beside the group has changed. */
#define SHARE_AGE_NS NSEC_PER_MSEC

STAT(shares_known, "times the share of a group was known");
STAT(shares_computed, "times it had to be computed, level by level");
STAT(groups_activated, "groups that got their first runnable task or active child");
STAT(groups_deactivated, "groups that lost the last one");

/* Raised at each change by which remembered shares may be wrong. */
static u64 shares_generation = 1;

/*
 * A group is active while something in it can run: exactly then its weight is in its parent's sum.
 * Not POLICY_CGRP_STATE, since many CPUs may see a group for the first time at once.
 */
struct group {
	struct bpf_spin_lock lock; /* of epoch, weight and counted */
	u32 weight;
	u64 epoch;
	u64 counted;	  /* the weight in its parent's child_weight; 0: not active */
	u64 task_weight;  /* of its runnable tasks */
	u64 child_weight; /* of its active child groups */
	u64 vtime;	  /* what all its tasks together have had */
	u64 share;	  /* of the machine, WHOLE is all of it */
	u64 share_generation;
	u64 share_at; /* ns */
};

struct {
	__uint(type, BPF_MAP_TYPE_CGRP_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct group);
} groups SEC(".maps");

/* NULL when the kernel refuses the memory. */
static struct group *group_of(struct cgroup *cgrp)
{
	struct group *g = bpf_cgrp_storage_get(&groups, cgrp, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
	u64 epoch = policy_epoch;
	u32 weight;

	if (!g || g->epoch == epoch)
		return g;
	weight = cgroup_weight(cgrp);
	bpf_spin_lock(&g->lock);
	if (g->epoch != epoch) {
		g->weight = weight;
		g->counted = 0;
		g->task_weight = 0;
		g->child_weight = 0;
		g->vtime = vtime_now;
		g->share = 0;
		g->share_generation = 0;
		g->share_at = 0;
		__sync_lock_test_and_set(&g->epoch, epoch); /* last: others look without the lock */
	}
	bpf_spin_unlock(&g->lock);
	return g;
}

static struct group *ancestor_of(struct cgroup *cgrp, int level)
{
	struct cgroup *ancestor = bpf_cgroup_ancestor(cgrp, level);
	struct group *g;

	if (!ancestor)
		return NULL;
	g = group_of(ancestor);
	bpf_cgroup_release(ancestor);
	return g;
}

/*
 * Brings what the parent counts for a group in line with what is in the group. True if the parent may
 * have become active or inactive by that. Right in whatever order CPUs come here: the last one sees it
 * all.
 */
static bool count_group(struct group *g, struct group *parent)
{
	u64 want, had, before, after;

	bpf_spin_lock(&g->lock);
	want = g->task_weight + g->child_weight ? g->weight : 0;
	had = g->counted;
	g->counted = want;
	before = __sync_fetch_and_add(&parent->child_weight, want - had);
	bpf_spin_unlock(&g->lock);

	after = before + want - had;
	if (want == had)
		return false;
	__sync_fetch_and_add(&shares_generation, 1);
	if (!had)
		stat_inc(groups_activated);
	if (!want)
		stat_inc(groups_deactivated);
	return !before || !after;
}

/* The same for the groups above, as far up as something changes. */
static void count_groups(struct cgroup *cgrp)
{
	int level = cgrp->level, i;
	struct group *g, *parent;

	bpf_for(i, 0, CGROUP_MAX_DEPTH) {
		if (level - i < 1)
			break;
		g = ancestor_of(cgrp, level - i);
		parent = ancestor_of(cgrp, level - i - 1);
		if (!g || !parent || !count_group(g, parent))
			break;
	}
}

/* The share of a group in the machine, 1..WHOLE. */
static u64 group_share(struct cgroup *cgrp, struct group *g)
{
	u64 generation = shares_generation, now = scx_bpf_now(), share = WHOLE, among, weight;
	struct group *above, *at;
	int level;

	if (!cgrp->level)
		return WHOLE;
	if (g->share && (g->share_generation == generation || now - g->share_at < SHARE_AGE_NS)) {
		stat_inc(shares_known);
		return g->share;
	}
	stat_inc(shares_computed);
	above = ancestor_of(cgrp, 0);
	bpf_for(level, 1, cgrp->level + 1) {
		at = ancestor_of(cgrp, level);
		if (!above || !at)
			return share;
		weight = at->weight;
		among = above->task_weight + above->child_weight;
		if (among < weight) /* not counted, or just being counted */
			among += weight;
		share = share * weight / (among ?: 1) ?: 1;
		at->share = share;
		at->share_generation = generation;
		at->share_at = now;
		above = at;
	}
	return share;
}

#endif /* SCXHID_CGFAIR_SHARES_H */
