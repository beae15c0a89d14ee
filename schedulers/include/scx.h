/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sched_ext as our schedulers see it: types, kernel functions, constants.
 *
 * The structures name only the members that are used here. libbpf finds each of them in the running
 * kernel by name (CO-RE), so one object fits every kernel and no generated header is needed.
 * What differs between kernels is in compat.h, which this header includes.
 */
#ifndef SCXHID_SCX_H
#define SCXHID_SCX_H

#include "types.h"

/* ---- Types of the kernel ---- */

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct cgroup;

/*
 * With a body, since libbpf does not match a bare declaration with the kernel's structure; and a
 * member names it by the typedef, or clang 14 would write a bare declaration all the same.
 */
struct cpumask {
	unsigned long bits[1];
};
typedef struct cpumask cpumask_t;

struct sched_info {
	u64 last_arrival; /* when the task last got a CPU, ns */
};

struct sched_entity {
	u64 sum_exec_runtime; /* ns on a CPU since the task began */
};

struct sched_ext_entity {
	u32 flags;     /* SCX_TASK_* */
	u64 slice;     /* ns left to run */
	u64 dsq_vtime; /* place in a vtime-ordered DSQ */
	u32 weight;    /* 1..10000, 100 is nice 0 */
};

struct task_struct {
	int pid;
	int tgid;
	char comm[16];
	unsigned int flags; /* PF_* */
	int nr_cpus_allowed;
	const cpumask_t *cpus_ptr;
	unsigned long nvcsw;		   /* how often it went to sleep */
	unsigned short migration_disabled; /* how often: then it stays where it is */
	struct sched_info sched_info;	   /* not there without CONFIG_SCHED_INFO */
	struct sched_entity se;
	struct sched_ext_entity scx;
};

struct rq {
	void *balance_callback;
};

#define PF_EXITING 0x00000004 /* on its way out */
#define PF_KTHREAD 0x00200000 /* a thread of the kernel */

#define SCX_TASK_QUEUED (1 << 0) /* in scx.flags: runnable, whether it is on a CPU or waits */

struct scx_init_task_args {
	bool fork; /* false when the scheduler is being attached */
	struct cgroup *cgroup;
};

struct scx_exit_task_args {
	bool cancelled;
};

struct scx_cgroup_init_args {
	u32 weight; /* 1..10000, 100 is the default */
};

struct scx_dump_ctx {
	u64 at_ns;
};

enum scx_exit_kind {
	SCX_EXIT_NONE = 0,
	SCX_EXIT_UNREG = 64,
	SCX_EXIT_ERROR = 1024,
	SCX_EXIT_ERROR_BPF = 1025,
	SCX_EXIT_ERROR_STALL = 1026,
};

struct scx_exit_info {
	enum scx_exit_kind kind;
	s64 exit_code;
	const char *reason;
	char *msg;
	char *dump;
};

#pragma clang attribute pop

/*
 * The callbacks of a scheduler, in the kernel's order. libbpf matches them by name; a member that
 * the running kernel lacks must be left zero.
 */
struct sched_ext_ops {
	s32 (*select_cpu)(struct task_struct *p, s32 prev_cpu, u64 wake_flags);
	void (*enqueue)(struct task_struct *p, u64 enq_flags);
	void (*dequeue)(struct task_struct *p, u64 deq_flags);
	void (*dispatch)(s32 cpu, struct task_struct *prev);
	void (*tick)(struct task_struct *p);
	void (*runnable)(struct task_struct *p, u64 enq_flags);
	void (*running)(struct task_struct *p);
	void (*stopping)(struct task_struct *p, bool runnable);
	void (*quiescent)(struct task_struct *p, u64 deq_flags);
	bool (*yield)(struct task_struct *from, struct task_struct *to);
	void (*set_weight)(struct task_struct *p, u32 weight);
	void (*set_cpumask)(struct task_struct *p, const cpumask_t *cpumask);
	void (*update_idle)(s32 cpu, bool idle);
	s32 (*init_task)(struct task_struct *p, struct scx_init_task_args *args);
	void (*exit_task)(struct task_struct *p, struct scx_exit_task_args *args);
	void (*enable)(struct task_struct *p);
	void (*disable)(struct task_struct *p);
	void (*dump)(struct scx_dump_ctx *ctx);
	void (*dump_cpu)(struct scx_dump_ctx *ctx, s32 cpu, bool idle);
	void (*dump_task)(struct scx_dump_ctx *ctx, struct task_struct *p);
	s32 (*cgroup_init)(struct cgroup *cgrp, struct scx_cgroup_init_args *args);
	void (*cgroup_exit)(struct cgroup *cgrp);
	s32 (*cgroup_prep_move)(struct task_struct *p, struct cgroup *from, struct cgroup *to);
	void (*cgroup_move)(struct task_struct *p, struct cgroup *from, struct cgroup *to);
	void (*cgroup_cancel_move)(struct task_struct *p, struct cgroup *from, struct cgroup *to);
	void (*cgroup_set_weight)(struct cgroup *cgrp, u32 weight);
	void (*cgroup_set_bandwidth)(struct cgroup *cgrp, u64 period_us, u64 quota_us,
				     u64 burst_us);		 /* 6.17 */
	void (*cgroup_set_idle)(struct cgroup *cgrp, bool idle); /* 6.19 */
	void (*cpu_online)(s32 cpu);
	void (*cpu_offline)(s32 cpu);
	s32 (*init)(void);
	void (*exit)(struct scx_exit_info *info);
	u32 dispatch_max_batch;
	u64 flags;
	u32 timeout_ms;
	u32 exit_dump_len;
	u64 hotplug_seq;
	char name[128];
};

/* ---- Constants: these kept their values since 6.12 (those that did not are in compat.h) ---- */

/* Dispatch queues that the kernel provides. They are FIFO and refuse an insert by vtime. */
#define SCX_DSQ_GLOBAL	 0x8000000000000001ULL
#define SCX_DSQ_LOCAL	 0x8000000000000002ULL /* of the CPU that the task is being sent to */
#define SCX_DSQ_LOCAL_ON 0xC000000000000000ULL /* or'ed with a CPU number */

#define SCX_SLICE_DFL (20 * 1000 * 1000ULL) /* ns */
#define SCX_SLICE_INF (~0ULL)

#define SCX_ENQ_WAKEUP	(1ULL << 0)
#define SCX_ENQ_PREEMPT (1ULL << 32)
#define SCX_ENQ_REENQ	(1ULL << 40)
#define SCX_ENQ_LAST	(1ULL << 41)

#define SCX_WAKE_SYNC (1ULL << 4) /* who wakes the task says that it is about to sleep */

#define SCX_KICK_IDLE	 (1ULL << 0)
#define SCX_KICK_PREEMPT (1ULL << 1)
#define SCX_KICK_WAIT	 (1ULL << 2)

#define SCX_OPS_KEEP_BUILTIN_IDLE      (1ULL << 0)
#define SCX_OPS_ENQ_LAST	       (1ULL << 1)
#define SCX_OPS_ENQ_EXITING	       (1ULL << 2)
#define SCX_OPS_SWITCH_PARTIAL	       (1ULL << 3)
#define SCX_OPS_ENQ_MIGRATION_DISABLED (1ULL << 4)
#define SCX_OPS_ALLOW_QUEUED_WAKEUP    (1ULL << 5)
#define SCX_OPS_BUILTIN_IDLE_PER_NODE  (1ULL << 6)

/* ---- Kernel functions whose form is the same in all kernels from 6.12 on ---- */

s32 scx_bpf_create_dsq(u64 dsq_id, s32 node) __ksym __weak;
void scx_bpf_destroy_dsq(u64 dsq_id) __ksym __weak;
s32 scx_bpf_dsq_nr_queued(u64 dsq_id) __ksym __weak;
s32 scx_bpf_select_cpu_dfl(struct task_struct *p, s32 prev_cpu, u64 wake_flags,
			   bool *is_idle) __ksym __weak;
bool scx_bpf_test_and_clear_cpu_idle(s32 cpu) __ksym __weak;
s32 scx_bpf_pick_idle_cpu(const struct cpumask *cpus_allowed, u64 flags) __ksym __weak;
const struct cpumask *scx_bpf_get_online_cpumask(void) __ksym __weak;
void scx_bpf_put_cpumask(const struct cpumask *cpumask) __ksym __weak;
const struct cpumask *scx_bpf_get_idle_cpumask(void) __ksym __weak;
const struct cpumask *scx_bpf_get_idle_smtmask(void) __ksym __weak;
void scx_bpf_put_idle_cpumask(const struct cpumask *idle_mask) __ksym __weak;
bool scx_bpf_task_running(const struct task_struct *p) __ksym __weak;
s32 scx_bpf_task_cpu(const struct task_struct *p) __ksym __weak;
bool bpf_cpumask_test_cpu(u32 cpu, const struct cpumask *cpumask) __ksym __weak;
u32 scx_bpf_nr_cpu_ids(void) __ksym __weak;
void scx_bpf_error_bstr(char *fmt, unsigned long long *data, u32 data__sz) __ksym __weak;

/*
 * Both printing functions take their arguments as an array and want the format in writable memory:
 * a section of its own keeps it apart from the program's variables.
 */
#define SCX_FORMAT(fmt, args...)                                                                   \
	static char ___fmt[] SEC(".data.fmt") = fmt;                                               \
	unsigned long long ___args[___bpf_narg(args) ?: 1] = {};                                   \
	_Pragma("GCC diagnostic push");                                                            \
	_Pragma("GCC diagnostic ignored \"-Wint-conversion\"");                                    \
	___bpf_fill(___args, args);                                                                \
	_Pragma("GCC diagnostic pop")

/* Ends the scheduler with an error: the kernel's own takes over, the text reaches ops.exit. */
#define scx_bpf_error(fmt, args...)                                                                \
	({                                                                                         \
		SCX_FORMAT(fmt, ##args);                                                           \
		scx_bpf_error_bstr(___fmt, ___args, ___bpf_narg(args) * sizeof(___args[0]));       \
	})

/* Ends the scheduler in good order, with a code for user space. */
#define scx_bpf_exit(code, fmt, args...)                                                           \
	({                                                                                         \
		SCX_FORMAT(fmt, ##args);                                                           \
		scx_bpf_exit_bstr(code, ___fmt, ___args, ___bpf_narg(args) * sizeof(___args[0]));  \
	})

/* ---- Defining a scheduler: see the end of simple.bpf.c for the table of callbacks ---- */

/* A callback, and one that may sleep (init, exit, init_task and the cgroup ones may). */
#define BPF_STRUCT_OPS(name, args...)		SEC("struct_ops/" #name) BPF_PROG(name, ##args)
#define BPF_STRUCT_OPS_SLEEPABLE(name, args...) SEC("struct_ops.s/" #name) BPF_PROG(name, ##args)

#include "compat.h"

#endif /* SCXHID_SCX_H */
