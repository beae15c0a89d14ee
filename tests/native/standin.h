/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Takes the place of scx.h, declare.h, policy.h, topology.h and input.h, so that a scheduler's source
 * compiles as an ordinary program. Put before it with -include. machine.c has the functions.
 */
#ifndef STANDIN_H
#define STANDIN_H

#define SCXHID_SCX_H
#define SCXHID_DECLARE_H
#define SCXHID_POLICY_H
#define SCXHID_TOPOLOGY_H
#define SCXHID_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef uint8_t u8;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int32_t s32;
typedef int64_t s64;

struct cpumask {
	u64 bits; /* at most 64 CPUs */
};

struct task_struct {
	int pid;
	char comm[16];
	u32 flags;
	int nr_cpus_allowed;
	const struct cpumask *cpus_ptr;
	unsigned long nvcsw;
	struct {
		u64 sum_exec_runtime;
	} se;
	struct {
		u32 flags;
		u64 slice;
		u64 dsq_vtime;
		u32 weight;
	} scx;

	u64 input_end; /* its CPU time at which the mark that input gave it is used up; 0: it has none */
	u32 group;	 /* of groups.h */
	u32 input_group; /* of layers.h */
	u64 state_epoch;
	u64 state[16]; /* of the policy */
};

struct sched_ext_ops {
	void *select_cpu, *enqueue, *dispatch, *tick, *runnable, *running, *stopping, *quiescent,
		*disable;
	void *cgroup_move, *cgroup_set_weight, *cgroup_set_idle, *cpu_online, *cpu_offline;
	void *init, *exit;
	u32 timeout_ms;
	char name[32];
};

static u64 policy_epoch = 1; /* state stamped with another one is stale */

#define PF_EXITING	     0x00000004
#define PF_KTHREAD	     0x00200000
#define SCX_TASK_QUEUED	     (1 << 0)
#define SCX_WAKE_SYNC	     (1ULL << 4)
#define SCX_ENQ_WAKEUP	     (1ULL << 0)
#define SCX_ENQ_HEAD	     (1ULL << 4)
#define SCX_ENQ_CPU_SELECTED (1ULL << 10)
#define SCX_ENQ_PREEMPT	     (1ULL << 32)
#define SCX_ENQ_REENQ	     (1ULL << 40)
#define SCX_KICK_IDLE	     (1ULL << 0)
#define SCX_KICK_PREEMPT     (1ULL << 1)
#define SCX_DSQ_GLOBAL	     0x8000000000000001ULL
#define SCX_DSQ_LOCAL	     0x8000000000000002ULL
#define SCX_DSQ_LOCAL_ON     0xC000000000000000ULL

#define SEC(name)
#define __noinline
#define __arg_nonnull
#define ABOUT(what, good_for)
#define IGNORES(what)
#define HOSTABLE(flags, callbacks)
#define KNOB(type, name, default_, min, max, unit, doc)		type name = default_
#define KNOB_AT_LOAD(type, name, default_, min, max, unit, doc) type name = default_
#define STAT(name, doc)						u64 stat_##name
#define stat_add(name, n)					(stat_##name += (n))
#define stat_inc(name)						(stat_##name++)
#define POLICY_OP(name, args...)				name(args)
#define POLICY_DSQ(n)						((u64)(n))
#define POLICY_INIT(name)					s32 name##_init(void)
#define POLICY_FINI(name)					void name##_exit(void)
#define POLICY_TASK(p)						policy_task(p)
#define POLICY_TASK_STATE(type, start)                                                             \
	static type *policy_task(struct task_struct *p)                                            \
	{                                                                                          \
		_Static_assert(sizeof(type) <= sizeof(p->state), "enlarge task_struct.state");     \
		if (p->state_epoch != policy_epoch) {                                              \
			p->state_epoch = policy_epoch;                                             \
			memset(p->state, 0, sizeof(p->state));                                     \
			start(p, (type *)p->state);                                                \
		}                                                                                  \
		return (type *)p->state;                                                           \
	}                                                                                          \
	_Static_assert(true, "")

#define bpf_for(i, start, end) for ((i) = (start); (i) < (end); (i)++)
#define bpf_for_each(type, p, args...)                                                             \
	for (struct bpf_iter_##type ___it = { args }; ((p) = bpf_iter_##type##_next(&___it));)

struct bpf_iter_scx_dsq {
	u64 id, flags;
};

struct task_struct *bpf_iter_scx_dsq_next(struct bpf_iter_scx_dsq *it);
bool scx_bpf_dsq_move(struct bpf_iter_scx_dsq *it, struct task_struct *p, u64 id, u64 flags);

u64 scx_bpf_now(void);
bool in_task_context(void);
s32 scx_bpf_nr_cpu_ids(void);
u32 bpf_get_smp_processor_id(void);
u32 bpf_get_prandom_u32(void);
s32 policy_create_dsq(u32 n, s32 node);
bool scx_bpf_dsq_insert(struct task_struct *p, u64 id, u64 slice, u64 flags);
bool scx_bpf_dsq_insert_vtime(struct task_struct *p, u64 id, u64 slice, u64 vtime, u64 flags);
bool scx_bpf_dsq_move_to_local(u64 id);
s32 scx_bpf_dsq_nr_queued(u64 id);
bool scx_dsq_first_vtime(u64 id, u64 *vtime);
s32 scx_bpf_select_cpu_dfl(struct task_struct *p, s32 prev_cpu, u64 wake_flags, bool *is_idle);
s32 scx_bpf_pick_idle_cpu(const struct cpumask *allowed, u64 flags);
bool scx_bpf_test_and_clear_cpu_idle(s32 cpu);
void scx_bpf_kick_cpu(s32 cpu, u64 flags);
s32 scx_bpf_task_cpu(const struct task_struct *p);
bool scx_bpf_task_running(const struct task_struct *p);
u64 policy_unseen_ns(const struct task_struct *p);
void scx_bpf_task_set_slice(struct task_struct *p, u64 slice);
const struct cpumask *scx_bpf_get_online_cpumask(void);
const struct cpumask *scx_bpf_get_idle_smtmask(void);

static inline u64 input_first_how(const struct task_struct *p, bool *preempts)
{
	s64 left = p->input_end - p->se.sum_exec_runtime;

	*preempts = left > 0;
	return left > 0 ? left : 0;
}

static inline void scx_bpf_put_cpumask(const struct cpumask *mask)
{
}

static inline void scx_bpf_put_idle_cpumask(const struct cpumask *mask)
{
}

static inline bool can_walk_dsq(void)
{
	return true;
}

static inline bool is_cpu_given_up(void)
{
	return false;
}

static inline bool can_see_idle(void)
{
	return true;
}

static inline bool can_kick_cpu(void)
{
	return true;
}

static inline bool bpf_cpumask_test_cpu(u32 cpu, const struct cpumask *mask)
{
	return mask->bits >> cpu & 1;
}

static inline s32 topology_llc_of(s32 cpu)
{
	return 0;
}

static inline u32 topology_capacity_of(s32 cpu)
{
	return 1024;
}

static inline u32 topology_priority_of(s32 cpu)
{
	return 0;
}

#endif /* STANDIN_H */
