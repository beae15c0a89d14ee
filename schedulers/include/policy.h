/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Writing a scheduler that can also be hosted: swapped in and out while sched_ext stays enabled.
 *
 * The resident host (host/host.bpf.c) is what the kernel knows; its callbacks tail-call into those
 * of the policy whose slot is current. The same source attaches on its own, without the host.
 *
 * What the kernel tells the host it tells only the policy that is current at that moment. So a
 * policy that can be hosted
 *  - keeps its state in task storage, made on first sight (POLICY_TASK_STATE below), and may see
 *    stopping without running, quiescent without runnable;
 *  - reads weight and affinity from the task, and clamps a dsq_vtime that another policy left;
 *  - queues tasks only in DSQs that it made with policy_create_dsq() in POLICY_INIT, or in the
 *    kernel's local and global ones; it keeps no task in trees or lists of its own;
 *  - never gives an infinite slice;
 *  - has callbacks that do not sleep, and only those that the host has (see host.bpf.c);
 *  - uses the host's flags, timeout and batch: none, 3,000 ms and the kernel's default.
 * One that needs more leaves HOSTABLE out, and is attached plain.
 */
#ifndef SCXHID_POLICY_H
#define SCXHID_POLICY_H

#include "scx.h"
#include "declare.h"
#include "exit_record.h"

/* Variables that the loader sets and reads; not settings, so no user sees them. */
#define POLICY_VARIABLE DECLARE_TAG("policy") __attribute__((used))

/* Of every queue's id the upper half, so that a stale id never names a new queue; 0: not hosted. */
POLICY_VARIABLE const volatile u32 policy_generation = 0;

/* Raised each time the policy becomes current: state stamped with another one is stale. */
POLICY_VARIABLE volatile u64 policy_epoch SEC(".data") = 1;

/* False while the policy is loaded and not current: timers have nothing to do then. */
POLICY_VARIABLE volatile bool policy_active SEC(".data") = true;

/*
 * The clock of a policy that orders tasks by p->scx.dsq_vtime and keeps nothing else there: CPU time
 * in ns, at weight 100. Such a policy has POLICY_VTIME; once in its source and measures by policy_vtime.
 * Where the old policy and the new one both do, the loader sets the new one's to the old one's just
 * before the switch: then what the kernel keeps in each task means the same as before, and nobody
 * loses the place that it had by virtue of having slept. Without it two clocks stand anywhere, and
 * clamping makes all tasks level, or all of them late.
 */
#define POLICY_VTIME POLICY_VARIABLE u64 policy_vtime SEC(".data") = 0

/*
 * For stopping without running: how long p has had the CPU that it leaves. A run that began under
 * another policy is no gift: with a change every second those that are not charged would add up.
 */
static __always_inline u64 policy_unseen_ns(const struct task_struct *p)
{
	s64 ran;

	if (!bpf_core_field_exists(p->sched_info.last_arrival))
		return 0;
	ran = scx_bpf_now() - p->sched_info.last_arrival;
	return ran > 0 ? ran : 0;
}

/* One more than the highest n that was given to policy_create_dsq(). */
POLICY_VARIABLE u32 policy_nr_dsqs SEC(".data") = 0;

/*
 * Says that the scheduler can be hosted: the flags of its ops, and its callbacks by the names of
 * the ops' members, with spaces between them (init and exit left out). Once in a source.
 */
#define HOSTABLE(flags, callbacks)                                                                 \
	DECLARE_TAG("hostable:" callbacks) DECLARE_KEPT u64 hostable__ = flags

/* A callback that does not sleep: s32 POLICY_OP(mine_select_cpu, struct task_struct *p, ...). */
#define POLICY_OP(name, args...) BPF_STRUCT_OPS(name, ##args)

/* The id of the policy's n-th queue. */
#define POLICY_DSQ(n) ((u64)policy_generation << 32 | (u32)(n))

/* Makes the n-th queue, in POLICY_INIT; node: the NUMA node for its memory, -1 for any. */
static __always_inline s32 policy_create_dsq(u32 n, s32 node)
{
	s32 err = scx_bpf_create_dsq(POLICY_DSQ(n), node);

	if (!err && policy_nr_dsqs <= n)
		policy_nr_dsqs = n + 1;
	return err;
}

/*
 * What the policy does once, before its first task, and may sleep at. The body returns 0 or a
 * negative error. It is ops.init (put NAME_init into the table) and, hosted, a program that the
 * loader runs.
 *
 *	POLICY_INIT(mine)
 *	{
 *		return policy_create_dsq(0, -1);
 *	}
 */
#define POLICY_INIT(name)                                                                          \
	static __always_inline s32 name##_init_body(void);                                         \
	s32 BPF_STRUCT_OPS_SLEEPABLE(name##_init)                                                  \
	{                                                                                          \
		return name##_init_body();                                                         \
	}                                                                                          \
	SEC("syscall") int policy_init(void *ctx)                                                  \
	{                                                                                          \
		return name##_init_body();                                                         \
	}                                                                                          \
	static __always_inline s32 name##_init_body(void)

/*
 * What it does after its last task: ops.exit (NAME_exit), which also records why it ended, and,
 * hosted, a program that the loader runs before the slot is used again. Queues need not be
 * destroyed here.
 */
#define POLICY_FINI(name)                                                                          \
	static __always_inline void name##_fini_body(void);                                        \
	void BPF_STRUCT_OPS(name##_exit, struct scx_exit_info *ei)                                 \
	{                                                                                          \
		name##_fini_body();                                                                \
		EXIT_RECORD(ei);                                                                   \
	}                                                                                          \
	SEC("syscall") int policy_fini(void *ctx)                                                  \
	{                                                                                          \
		name##_fini_body();                                                                \
		return 0;                                                                          \
	}                                                                                          \
	static __always_inline void name##_fini_body(void)

/*
 * State of a task. start(p, state) is called when the policy first sees the task, and again when
 * it sees it after another policy was current; the memory is zero then.
 *
 *	struct mine_task { u64 ran_ns; };
 *	static void mine_task_start(struct task_struct *p, struct mine_task *t) { ... }
 *	POLICY_TASK_STATE(struct mine_task, mine_task_start);
 *	...
 *	struct mine_task *t = POLICY_TASK(p);
 *
 * POLICY_TASK is NULL when the kernel refuses the memory: send the task to SCX_DSQ_GLOBAL then.
 */
#define POLICY_TASK_STATE(type, start)                                                             \
	POLICY_STATE(policy_tasks, BPF_MAP_TYPE_TASK_STORAGE, bpf_task_storage_get,                \
		     struct task_struct, policy_task, type, start)
#define POLICY_TASK(p) policy_task(p)

/* The same for a cgroup: POLICY_CGRP_STATE(type, start), POLICY_CGRP(cgrp). */
#define POLICY_CGRP_STATE(type, start)                                                             \
	POLICY_STATE(policy_cgrps, BPF_MAP_TYPE_CGRP_STORAGE, bpf_cgrp_storage_get, struct cgroup, \
		     policy_cgrp, type, start)
#define POLICY_CGRP(cgrp) policy_cgrp(cgrp)

#define POLICY_STATE(map, map_type, get, owner_type, function, state_type, start)                  \
	struct function##_entry {                                                                  \
		u64 epoch;                                                                         \
		state_type state;                                                                  \
	};                                                                                         \
	struct {                                                                                   \
		__uint(type, map_type);                                                            \
		__uint(map_flags, BPF_F_NO_PREALLOC);                                              \
		__type(key, int);                                                                  \
		__type(value, struct function##_entry);                                            \
	} map SEC(".maps");                                                                        \
	static state_type *function(owner_type *owner)                                             \
	{                                                                                          \
		struct function##_entry *entry;                                                    \
                                                                                                   \
		entry = get(&map, owner, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);                    \
		if (!entry)                                                                        \
			return NULL;                                                               \
		if (entry->epoch != policy_epoch) {                                                \
			entry->epoch = policy_epoch;                                               \
			__builtin_memset(&entry->state, 0, sizeof(entry->state));                  \
			start(owner, &entry->state);                                               \
		}                                                                                  \
		return &entry->state;                                                              \
	}

#endif /* SCXHID_POLICY_H */
