// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * stall: a first come, first served scheduler that one day forgets some of its tasks.
 *
 * Once `forget` is set, or `after_s` seconds after the attach, the next `at_most` CPU-bound tasks that
 * queue are put into a queue that nobody looks into. The kernel's watchdog sees a runnable task that
 * does not run, ends the scheduler ("runnable task stall") and gives all tasks back to its own.
 * Only tasks that used up their slice are forgotten, never kernel threads: a loader or a shell, which
 * sleep most of the time, live through it and can tell what happened.
 */
#include "scx.h"
#include "declare.h"
#include "exit_record.h"

char _license[] SEC("license") = "GPL";

ABOUT("a scheduler with a bug: it forgets tasks, and the watchdog throws it out",
      "seeing what the kernel does about it");

#define SHARED_DSQ    0
#define FORGOTTEN_DSQ 1

KNOB(bool, forget, false, false, true, "", "forget tasks from now on");
KNOB_AT_LOAD(u32, after_s, 0, 0, 3600, "s", "forget tasks this long after the attach; 0: never");
KNOB_AT_LOAD(u32, at_most, 2, 1, 1000, "", "forget this many tasks");

STAT(dispatched_local, "tasks placed straight on an idle CPU");
STAT(dispatched_global, "tasks placed in the queue that all CPUs share");
STAT(forgotten, "tasks placed where nobody looks");

static u64 attached_at; /* ns */
static u32 nr_forgotten;

static bool forgets(const struct task_struct *p, u64 enq_flags)
{
	bool due = after_s && bpf_ktime_get_ns() - attached_at > after_s * 1000000000ULL;

	if (!forget && !due)
		return false;
	if ((enq_flags & SCX_ENQ_WAKEUP) || (p->flags & PF_KTHREAD))
		return false;
	if (nr_forgotten >= at_most)
		return false;
	return __sync_fetch_and_add(&nr_forgotten, 1) < at_most;
}

s32 BPF_STRUCT_OPS(stall_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	bool is_idle = false;
	s32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &is_idle);

	if (is_idle) {
		stat_inc(dispatched_local);
		scx_bpf_dsq_insert(p, SCX_DSQ_LOCAL, SCX_SLICE_DFL, 0);
	}
	return cpu;
}

void BPF_STRUCT_OPS(stall_enqueue, struct task_struct *p, u64 enq_flags)
{
	if (forgets(p, enq_flags)) {
		stat_inc(forgotten);
		scx_bpf_dsq_insert(p, FORGOTTEN_DSQ, SCX_SLICE_DFL, enq_flags);
		return;
	}
	stat_inc(dispatched_global);
	scx_bpf_dsq_insert(p, SHARED_DSQ, SCX_SLICE_DFL, enq_flags);
}

void BPF_STRUCT_OPS(stall_dispatch, s32 cpu, struct task_struct *prev)
{
	scx_bpf_dsq_move_to_local(SHARED_DSQ);
}

void BPF_STRUCT_OPS(stall_cpu_online, s32 cpu)
{
}

void BPF_STRUCT_OPS(stall_cpu_offline, s32 cpu)
{
}

s32 BPF_STRUCT_OPS_SLEEPABLE(stall_init)
{
	s32 err = scx_bpf_create_dsq(SHARED_DSQ, -1);

	attached_at = bpf_ktime_get_ns();
	return err ?: scx_bpf_create_dsq(FORGOTTEN_DSQ, -1);
}

void BPF_STRUCT_OPS(stall_exit, struct scx_exit_info *ei)
{
	EXIT_RECORD(ei);
}

SEC(".struct_ops.link")
struct sched_ext_ops stall = {
	.select_cpu = (void *)stall_select_cpu,
	.enqueue = (void *)stall_enqueue,
	.dispatch = (void *)stall_dispatch,
	.cpu_online = (void *)stall_cpu_online,
	.cpu_offline = (void *)stall_cpu_offline,
	.init = (void *)stall_init,
	.exit = (void *)stall_exit,
	.timeout_ms = 2000,
	.name = "stall",
};
