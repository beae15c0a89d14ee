/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Control groups as a scheduler sees them: which one a task belongs to, its ancestors, its weight.
 *
 * A task's group is the one that the cpu controller counts it in: where the controller is not enabled
 * for a group, that is the nearest ancestor for which it is. What autogroup puts into groups of its own
 * counts as the root.
 */
#ifndef SCXHID_CGROUP_H
#define SCXHID_CGROUP_H

#include "scx.h"

#define CGROUP_WEIGHT_DFL  100
#define CGROUP_WEIGHT_IDLE 1 /* of a group with cpu.idle=1: as little as there is */

/* Deeper than this nobody nests groups that the cpu controller weighs. */
#define CGROUP_MAX_DEPTH 32

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct cgroup_subsys_state {
	struct cgroup *cgroup;
};

struct cgroup {
	struct cgroup_subsys_state self;
	int level; /* 0 is the root */
	struct cgroup_subsys_state *subsys[16];
};

/* The cpu controller's side of a group, from 6.17 on. */
struct scx_task_group {
	u32 weight; /* 1..10000, cpu.weight */
};

struct task_group {
	struct cgroup_subsys_state css; /* the first member */
	int idle;			/* cpu.idle */
	struct scx_task_group scx;
};

struct task_group___flat { /* goes with 6.16 */
	u32 scx_weight;
};

#pragma clang attribute pop

enum cgroup_subsys_id {
	cpu_cgrp_id = 1, /* the value is taken from the running kernel */
};

struct cgroup *scx_bpf_task_cgroup(struct task_struct *p) __ksym __weak;
struct cgroup *bpf_cgroup_ancestor(struct cgroup *cgrp, int level) __ksym __weak;
void bpf_cgroup_release(struct cgroup *cgrp) __ksym __weak;

/* What the cpu controller keeps for a group; NULL where it is not enabled. */
static __always_inline struct task_group *cgroup_task_group(struct cgroup *cgrp)
{
	u32 cpu = bpf_core_enum_value(enum cgroup_subsys_id, cpu_cgrp_id);
	struct cgroup_subsys_state *css = NULL;

	bpf_probe_read_kernel(&css, sizeof(css), (void *)&cgrp->subsys[0] + cpu * sizeof(css));
	return (struct task_group *)css;
}

/* cpu.weight of a group, as it is now; the kernel keeps it also while no scheduler is attached. */
static __always_inline u32 cgroup_weight(struct cgroup *cgrp)
{
	struct task_group *tg = cgroup_task_group(cgrp);
	u32 weight = 0;

	if (!tg)
		return CGROUP_WEIGHT_DFL;
	if (BPF_CORE_READ(tg, idle))
		return CGROUP_WEIGHT_IDLE;
	if (bpf_core_field_exists(tg->scx.weight))
		weight = BPF_CORE_READ(tg, scx.weight);
	else
		weight = BPF_CORE_READ((struct task_group___flat *)tg, scx_weight);
	return weight ?: CGROUP_WEIGHT_DFL;
}

#endif /* SCXHID_CGROUP_H */
