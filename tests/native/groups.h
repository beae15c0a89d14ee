/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Takes the place of cgroup.h and of cgroup storage. Put after standin.h with -include; machine.c then
 * takes words like group:id=2,weight=300,parent=1 (parent=0: the root), and group=2 of a task.
 */
#ifndef GROUPS_H
#define GROUPS_H

#define SCXHID_CGROUP_H
#define HAS_GROUPS

#define CGROUP_WEIGHT_IDLE 1
#define CGROUP_MAX_DEPTH   32
#define MAX_GROUPS	   16

#define __uint(name, value)	       int name
#define __type(name, of)	       of *name
#define BPF_LOCAL_STORAGE_GET_F_CREATE 1

struct bpf_spin_lock {
	u32 held;
};

#define bpf_spin_lock(lock)   ((lock)->held++)
#define bpf_spin_unlock(lock) ((lock)->held--)

struct cgroup {
	int level;
	u32 weight;
	struct cgroup *parent;
	u64 storage[32];
};

static struct cgroup cgroups[MAX_GROUPS]; /* 0 is the root */

static void *bpf_cgrp_storage_get(void *map, struct cgroup *cgrp, void *value, u64 flags)
{
	return cgrp->storage;
}

static struct cgroup *scx_bpf_task_cgroup(struct task_struct *p)
{
	return &cgroups[p->group];
}

static struct cgroup *bpf_cgroup_ancestor(struct cgroup *cgrp, int level)
{
	while (cgrp->level > level)
		cgrp = cgrp->parent;
	return cgrp;
}

static void bpf_cgroup_release(struct cgroup *cgrp)
{
}

static u32 cgroup_weight(struct cgroup *cgrp)
{
	return cgrp->weight;
}

static void add_group(u32 id, u32 weight, u32 parent)
{
	struct cgroup *cgrp = &cgroups[id % MAX_GROUPS];

	cgrp->weight = weight;
	cgrp->parent = &cgroups[parent % MAX_GROUPS];
	cgrp->level = cgrp->parent->level + 1;
}

#endif /* GROUPS_H */
