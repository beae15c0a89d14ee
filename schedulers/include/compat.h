/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What differs between kernels, and nothing else.
 *
 * Schedulers call the functions below by the kernel's plain names. Each looks at load time whether
 * the running kernel has the newest form (bpf_ksym_exists: the verifier then drops the other
 * branch) and falls back. A comment tells from which oldest supported kernel on a fallback can go.
 *
 * A declaration may end in ___word: libbpf cuts that "flavour" off before it looks the name up, so
 * several forms of one function or structure can be declared side by side. The kernel itself has
 * names that end in ___v2; they need a second flavour to be found.
 *
 * One build has less than its version: Debian's 7.2.12-1~bpo13+1 of 2026-11-04, below "the 7.2.12
 * build". 11 functions take a hidden last argument (struct bpf_prog_aux *aux) that only the verifier
 * fills in; this build's BTF shows it and lacks the NAME_impl that the verifier needs for that. Called
 * with the argument they are refused as well ("does not have a valid func_proto"), so nothing can call
 * them: bpf_ksym_exists says no, and a fallback serves. Those that are only for this build go once
 * Debian offers a later 7.2 whose BTF has scx_bpf_kick_cpu_impl, at the latest with 7.2.
 */
#ifndef SCXHID_COMPAT_H
#define SCXHID_COMPAT_H

/*
 * Flags that moved: 7.3 renumbered what 6.18 had. The value comes from the kernel's BTF.
 * SCX_ENQ_CPU_SELECTED, which says that ops.select_cpu has run for this wake-up, came with 6.13.
 */
enum scx_enq_flags {
	SCX_ENQ_HEAD = 1 << 4,
	SCX_ENQ_CPU_SELECTED = 1 << 10,
};
#define SCX_ENQ_HEAD	     bpf_core_enum_value(enum scx_enq_flags, SCX_ENQ_HEAD)
#define SCX_ENQ_CPU_SELECTED bpf_core_enum_value(enum scx_enq_flags, SCX_ENQ_CPU_SELECTED)

/* Putting a task into a DSQ. Named dispatch before 6.13; a second form, 6.19, tells whether it was. */
bool scx_bpf_dsq_insert___v2___new(struct task_struct *p, u64 dsq_id, u64 slice,
				   u64 enq_flags) __ksym __weak;
void scx_bpf_dsq_insert___old(struct task_struct *p, u64 dsq_id, u64 slice,
			      u64 enq_flags) __ksym __weak;
void scx_bpf_dispatch___old(struct task_struct *p, u64 dsq_id, u64 slice,
			    u64 enq_flags) __ksym __weak;

/* False if the kernel saw at once that the task cannot go there; older kernels never tell. */
static __always_inline bool scx_bpf_dsq_insert(struct task_struct *p, u64 dsq_id, u64 slice,
					       u64 enq_flags)
{
	if (bpf_ksym_exists(scx_bpf_dsq_insert___v2___new))
		return scx_bpf_dsq_insert___v2___new(p, dsq_id, slice, enq_flags);
	if (bpf_ksym_exists(scx_bpf_dsq_insert___old)) /* goes with 6.18 and the 7.2.12 build */
		scx_bpf_dsq_insert___old(p, dsq_id, slice, enq_flags);
	else /* goes with 6.12 */
		scx_bpf_dispatch___old(p, dsq_id, slice, enq_flags);
	return true;
}

/* The same in order of vtime. From 6.19 on the arguments are packed into a structure. */
struct scx_bpf_dsq_insert_vtime_args {
	u64 dsq_id;
	u64 slice;
	u64 vtime;
	u64 enq_flags;
};

bool __scx_bpf_dsq_insert_vtime(struct task_struct *p,
				struct scx_bpf_dsq_insert_vtime_args *args) __ksym __weak;
void scx_bpf_dsq_insert_vtime___old(struct task_struct *p, u64 dsq_id, u64 slice, u64 vtime,
				    u64 enq_flags) __ksym __weak;
void scx_bpf_dispatch_vtime___old(struct task_struct *p, u64 dsq_id, u64 slice, u64 vtime,
				  u64 enq_flags) __ksym __weak;

static __always_inline bool scx_bpf_dsq_insert_vtime(struct task_struct *p, u64 dsq_id, u64 slice,
						     u64 vtime, u64 enq_flags)
{
	if (bpf_ksym_exists(__scx_bpf_dsq_insert_vtime)) {
		struct scx_bpf_dsq_insert_vtime_args args = {
			.dsq_id = dsq_id,
			.slice = slice,
			.vtime = vtime,
			.enq_flags = enq_flags,
		};

		return __scx_bpf_dsq_insert_vtime(p, &args);
	}
	if (bpf_ksym_exists(scx_bpf_dsq_insert_vtime___old)) /* goes with 6.18 */
		scx_bpf_dsq_insert_vtime___old(p, dsq_id, slice, vtime, enq_flags);
	else /* goes with 6.12 */
		scx_bpf_dispatch_vtime___old(p, dsq_id, slice, vtime, enq_flags);
	return true;
}

/* Taking the first runnable task of a DSQ onto this CPU. Named consume before 6.13; flags from 7.1. */
bool scx_bpf_dsq_move_to_local___v2___new(u64 dsq_id, u64 enq_flags) __ksym __weak;
bool scx_bpf_dsq_move_to_local___old(u64 dsq_id) __ksym __weak;
bool scx_bpf_consume___old(u64 dsq_id) __ksym __weak;

static __always_inline bool scx_bpf_dsq_move_to_local(u64 dsq_id)
{
	if (bpf_ksym_exists(scx_bpf_dsq_move_to_local___v2___new))
		return scx_bpf_dsq_move_to_local___v2___new(dsq_id, 0);
	if (bpf_ksym_exists(scx_bpf_dsq_move_to_local___old)) /* goes with 7.0 */
		return scx_bpf_dsq_move_to_local___old(dsq_id);
	return scx_bpf_consume___old(dsq_id); /* goes with 6.12 */
}

/*
 * The vtime of the first task in a DSQ, without taking it: false if there is none. Up to 6.18 only an
 * iterator shows it, which takes the queue's lock.
 */
struct bpf_iter_scx_dsq {
	u64 opaque[6];
};

struct task_struct *scx_bpf_dsq_peek___new(u64 dsq_id) __ksym __weak;
int bpf_iter_scx_dsq_new(struct bpf_iter_scx_dsq *it, u64 dsq_id, u64 flags) __ksym __weak;
struct task_struct *bpf_iter_scx_dsq_next(struct bpf_iter_scx_dsq *it) __ksym __weak;
void bpf_iter_scx_dsq_destroy(struct bpf_iter_scx_dsq *it) __ksym __weak;

bool scx_bpf_dsq_move(struct bpf_iter_scx_dsq *it, struct task_struct *p, u64 dsq_id,
		      u64 enq_flags) __ksym __weak;

/* Whether a queue's tasks can be looked at one by one. */
static __always_inline bool can_walk_dsq(void)
{
	return bpf_ksym_exists(bpf_iter_scx_dsq_new); /* goes with the 7.2.12 build */
}

/* Whether it can be seen which CPUs, or whole cores, are idle. */
static __always_inline bool can_see_idle(void)
{
	return bpf_ksym_exists(scx_bpf_get_idle_smtmask) && /* goes with the 7.2.12 build */
	       bpf_ksym_exists(scx_bpf_put_idle_cpumask);
}

static __always_inline bool scx_dsq_first_vtime(u64 dsq_id, u64 *vtime)
{
	struct task_struct *p;

	if (bpf_ksym_exists(scx_bpf_dsq_peek___new)) {
		p = scx_bpf_dsq_peek___new(dsq_id);
		if (p)
			*vtime = p->scx.dsq_vtime;
		return p;
	}
	bpf_for_each(scx_dsq, p, dsq_id, 0) /* goes with 6.18 */
	{
		*vtime = p->scx.dsq_vtime;
		return true;
	}
	return false;
}

/*
 * Giving every task of a DSQ to ops.enqueue again, soon. From 7.1 on; before, the tasks stay where
 * they are and have to be moved by dispatch.
 */
void scx_bpf_dsq_reenq___new(u64 dsq_id, u64 flags) __ksym __weak;

static __always_inline void scx_bpf_dsq_reenq(u64 dsq_id, u64 flags)
{
	if (bpf_ksym_exists(scx_bpf_dsq_reenq___new)) /* the question goes with 7.0 */
		scx_bpf_dsq_reenq___new(dsq_id, flags);
}

/* From 6.19 on a task's slice and vtime are set by functions; stores into the task are deprecated. */
bool scx_bpf_task_set_slice___new(struct task_struct *p, u64 slice) __ksym __weak;
bool scx_bpf_task_set_dsq_vtime___new(struct task_struct *p, u64 vtime) __ksym __weak;

static __always_inline void scx_bpf_task_set_slice(struct task_struct *p, u64 slice)
{
	if (bpf_ksym_exists(scx_bpf_task_set_slice___new))
		scx_bpf_task_set_slice___new(p, slice);
	else /* goes with 6.18 and the 7.2.12 build */
		p->scx.slice = slice;
}

static __always_inline void scx_bpf_task_set_dsq_vtime(struct task_struct *p, u64 vtime)
{
	if (bpf_ksym_exists(scx_bpf_task_set_dsq_vtime___new))
		scx_bpf_task_set_dsq_vtime___new(p, vtime);
	else /* goes with 6.18 and the 7.2.12 build */
		p->scx.dsq_vtime = vtime;
}

/* The scheduler's clock, ns. From 6.14 on a cached one that costs no read of the hardware. */
u64 scx_bpf_now___new(void) __ksym __weak;

static __always_inline u64 scx_bpf_now(void)
{
	if (bpf_ksym_exists(scx_bpf_now___new))
		return scx_bpf_now___new();
	return bpf_ktime_get_ns(); /* goes with 6.13 */
}

/*
 * Whether this CPU, on which a task is about to stop, does not take tasks of sched_ext any more since it
 * goes offline (kernel/sched/core.c, balance_push_set()). Then it has a balance callback, which at other
 * times it gets only after that.
 */
extern const struct rq runqueues __ksym __weak;

static __always_inline bool is_cpu_given_up(void)
{
	const struct rq *rq;

	if (!bpf_ksym_exists(&runqueues)) /* all of it goes with 7.2, as offline.h does */
		return false;
	rq = bpf_this_cpu_ptr(&runqueues);
	return rq->balance_callback;
}

/*
 * Whether what goes on is the doing of the task that this CPU runs, and not of an interrupt. On x86 a
 * variable of each CPU tells, from 6.15 on; where nothing does, false.
 */
extern const int __preempt_count __ksym __weak;

/*
 * Being in an NMI, a hard interrupt, a soft one. The former two are bits 16 to 23 up to some kernel
 * after 6.16; in 7.3 they are 24 to 28, and a task has the lower ones only with interrupts disabled
 * in a way that little does. No kernel tells which it has.
 */
#define INTERRUPT_BITS 0x1fff0100

static __always_inline bool in_task_context(void)
{
	const int *count;

	if (!bpf_ksym_exists(&__preempt_count)) /* goes with 6.12, for x86 */
		return false;
	count = bpf_this_cpu_ptr(&__preempt_count);
	return !(*count & INTERRUPT_BITS);
}

/*
 * Waking a CPU, so that it looks for work. The same in all kernels, but the 7.2.12 build has no way to
 * do it: there, ask before claiming an idle CPU, since one that is claimed and not woken stays idle
 * until work comes to it by itself.
 */
void scx_bpf_kick_cpu___new(s32 cpu, u64 flags) __ksym __weak;

static __always_inline bool can_kick_cpu(void)
{
	return bpf_ksym_exists(scx_bpf_kick_cpu___new);
}

/*
 * A CPU that goes offline still wakes the one who waits for that. It must not kick any more: the kernel
 * (x86, up to 7.3 at least) would raise an interrupt of its own there, whose controller is off already.
 * That request stays pending when the CPU is back, and no later one from it is ever carried out: kicks
 * are lost, and detaching the scheduler may wait for ever.
 */
static __always_inline bool kick_gets_through(void)
{
	const struct cpumask *online = scx_bpf_get_online_cpumask();
	bool is_online = bpf_cpumask_test_cpu(bpf_get_smp_processor_id(), online);

	scx_bpf_put_cpumask(online);
	return is_online;
}

static __always_inline void scx_bpf_kick_cpu(s32 cpu, u64 flags)
{
	/* The first question goes with the 7.2.12 build. */
	if (bpf_ksym_exists(scx_bpf_kick_cpu___new) && kick_gets_through())
		scx_bpf_kick_cpu___new(cpu, flags);
}

/*
 * Ending the scheduler in good order: called by scx_bpf_exit. The same in all kernels. The 7.2.12
 * build can only end it with an error, and without the code.
 */
void scx_bpf_exit_bstr___new(s64 exit_code, char *fmt, unsigned long long *data,
			     u32 data__sz) __ksym __weak;

static __always_inline void scx_bpf_exit_bstr(s64 exit_code, char *fmt, unsigned long long *data,
					      u32 data__sz)
{
	if (bpf_ksym_exists(scx_bpf_exit_bstr___new))
		scx_bpf_exit_bstr___new(exit_code, fmt, data, data__sz);
	else /* goes with the 7.2.12 build */
		scx_bpf_error_bstr(fmt, data, data__sz);
}

#endif /* SCXHID_COMPAT_H */
