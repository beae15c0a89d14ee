/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Input first, as a scheduler sees it: whether a task was woken by an input device, or by one that was.
 *
 * Who is, is found out elsewhere (input/mark.bpf.c, attached by `scxhid input on`): a task gets a mark
 * when a report of a device wakes it, and gives a part of it to those whom it wakes. A mark is worth
 * some CPU time, and is over soon. It lives in the map below, which the loader lets all schedulers
 * share, hosted or attached by themselves, and which is there whether input first is on or not.
 *
 * A scheduler asks input_first() when a task is about to wait, and lets it go before the others for no
 * longer than that. The least that is needed is, first of all in ops.enqueue,
 *
 *	if (INPUT_FIRST(p, enq_flags))
 *		return;
 */
#ifndef SCXHID_INPUT_H
#define SCXHID_INPUT_H

#include "scx.h"

#define INPUT_PREEMPTS (1 << 0) /* in flags: it may take the CPU from a task that has no mark */

/* Times are ns of the monotonic clock. All zero: none. */
struct input_mark {
	u64 until;	 /* when it is over */
	u64 runtime_end; /* the task's se.sum_exec_runtime at which it is used up */
	u64 flags;
};

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct input_mark);
} input_marks SEC(".maps");

/* For how long p may run before others, ns; 0 for a task like any other. */
static __always_inline u64 input_left(const struct input_mark *mark, const struct task_struct *p)
{
	s64 left;

	if (!mark || !mark->until)
		return 0;
	left = mark->runtime_end - p->se.sum_exec_runtime;
	return left > 0 && bpf_ktime_get_ns() < mark->until ? left : 0;
}

static __always_inline u64 input_first(struct task_struct *p)
{
	return input_left(bpf_task_storage_get(&input_marks, p, NULL, 0), p);
}

/* The same, and in *preempts whether it may interrupt a task that has no mark. */
static __always_inline u64 input_first_how(struct task_struct *p, bool *preempts)
{
	const struct input_mark *mark = bpf_task_storage_get(&input_marks, p, NULL, 0);
	u64 left = input_left(mark, p);

	*preempts = left && (mark->flags & INPUT_PREEMPTS);
	return left;
}

/*
 * Whether what this CPU does is the work of a task that has a mark itself: one that it wakes waits for
 * it, rather than interrupt what leads to it.
 */
static __always_inline bool input_runs_here(void)
{
	return in_task_context() && input_first(bpf_get_current_task_btf());
}

/*
 * For ops.enqueue: if p has a mark, puts it before all others of the CPU that select_cpu chose, and
 * interrupts the one that runs there. Then that is all there is to do.
 */
#define INPUT_FIRST(p, enq_flags) input_go_first(p, enq_flags)

static __always_inline bool input_go_first(struct task_struct *p, u64 enq_flags)
{
	bool preempts;
	u64 left = input_first_how(p, &preempts);
	s32 here = bpf_get_smp_processor_id();

	if (!left)
		return false;
	if (preempts && scx_bpf_task_cpu(p) == here && input_runs_here())
		preempts = false;
	enq_flags |= preempts ? SCX_ENQ_PREEMPT : SCX_ENQ_HEAD;
	scx_bpf_dsq_insert(p, SCX_DSQ_LOCAL, left, enq_flags);
	return true;
}

#endif /* SCXHID_INPUT_H */
