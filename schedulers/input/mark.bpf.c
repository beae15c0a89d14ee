// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * mark: which tasks an input device wakes, and whom those wake in turn.
 *
 * While a report is handed out, whoever is woken on behalf of it is a reader: of evdev, of hidraw, of
 * whatever else reads HID devices, and however it waits (read, poll, epoll), since the kernel wakes
 * them all before it is done with the report. A reader gets a mark (include/input.h) that lets it go
 * before others for budget_us of CPU time. When it wakes somebody, in its own name and not while an
 * interrupt goes on, it gives half of what is left to that task; and so on. So all that one
 * report moves has budget_us for each reader and no more, however many take part.
 *
 * Nobody can live on it. A mark that is used up is no mark: a task that goes on computing is like any
 * other. It is over after timeout_ms, whether or not this program is still there. On each CPU tasks
 * that run first have no more than share_pct of the time, over some tens of milliseconds: then new
 * ones are not marked, however many reports come. And schedulers charge what a task has used, marked
 * or not. Threads of the kernel take part (a terminal reaches its shell through one), but they work for
 * everybody: their mark is over when they sleep, and what they do next is not for this event.
 *
 * As long as no input comes, a switch or a wake-up costs a look at the clock.
 */
#include "input.h"
#include "declare.h"
#include "chain.h"
#include "devices.h"

char _license[] SEC("license") = "GPL";

ABOUT("marks the tasks that input devices wake, and those whom they wake", "input first");

#define NSEC_PER_USEC 1000ULL
#define NSEC_PER_MSEC 1000000ULL

KNOB(u64, budget_us, 4000, 50, 100000, "us", "CPU time that a report is worth to who reads it");
KNOB(u32, depth, 6, 0, 7, "", "how many wake-ups after the reader's still count");
KNOB(u64, timeout_ms, 100, 1, 1000, "ms", "how long after its report a task may go first");
KNOB(u32, share_pct, 50, 1, 90, "%", "of a CPU's time that tasks may go first for");
KNOB(bool, preempt, true, false, true, "", "interrupt the task that runs; or go next");

STAT(reports, "reports of devices that count");
STAT(woken, "tasks that a report woke");
STAT(chained, "tasks that these woke, or those");
STAT(used_up, "wake-ups with too little of the mark left to be handed on");
STAT(too_deep, "wake-ups too far from the reader");
STAT(kernel_threads, "threads of the kernel among them: a mark of these is over when they sleep");
STAT(realtime, "tasks of real-time classes, which go first by themselves");
STAT(over_share, "tasks that got no mark since the CPU has had its share of them");
STAT(refused, "tasks that there was no memory for");

#define LEAST_NS	  (50 * NSEC_PER_USEC) /* less of a mark is not handed on */
#define SHARE_OF_NS	  (50 * NSEC_PER_MSEC) /* what a CPU may save up: its share of this */
#define LONGEST_REPORT_NS (20 * NSEC_PER_MSEC) /* to be handed out: then its end was not seen */
#define FIRST_FAIR_PRIO	  100		       /* of task_struct.prio: below it is real-time */
#define MOST_CPUS	  1024

/* What may go first on a CPU still. Other CPUs read it and add what time has brought. */
struct share {
	s64 left_ns;
	u64 as_of;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, MOST_CPUS);
	__type(key, u32);
	__type(value, struct share);
} shares SEC(".maps");

/* No mark is left after this moment: until the next report there is nothing to do. */
static u64 busy_until;

/* What the kernel has beyond scx.h. */
#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct thread_info {
	u32 cpu;
};

struct task_struct___more {
	int prio;
	struct thread_info thread_info;
	int wake_cpu;
};

#pragma clang attribute pop

/* ---- reports ---- */

static __always_inline void open_report(enum opener opener, u64 key)
{
	bool is_task = in_task_context();
	struct report *report = report_here(is_task, BPF_LOCAL_STORAGE_GET_F_CREATE);
	u64 now = bpf_ktime_get_ns();
	struct device *device;

	/* One within another is a part of it; unless that is one whose end was never seen. */
	if (!report || (report->opener && now - report->began < LONGEST_REPORT_NS))
		return;
	device = wanted(key);
	if (!device)
		return;
	__sync_fetch_and_add(&device->reports, 1);
	stat_inc(reports);
	report->device = key;
	report->event = 0;
	report->began = now;
	report->opener = opener;
	busy_until = now + timeout_ms * NSEC_PER_MSEC;
}

static __always_inline void close_report(enum opener opener)
{
	struct report *report = report_here(in_task_context(), 0);

	if (report && report->opener == opener)
		report->opener = OPENED_NOT;
}

SEC("fentry/hid_report_raw_event")
int BPF_PROG(hid_begins, struct hid_device *hid, int type)
{
	if (type == HID_INPUT_REPORT)
		open_report(OPENED_BY_HID, DEVICE(hid->bus, hid->vendor, hid->product));
	return 0;
}

SEC("fexit/hid_report_raw_event")
int BPF_PROG(hid_ends, struct hid_device *hid, int type)
{
	close_report(OPENED_BY_HID);
	return 0;
}

SEC("fentry/evdev_events")
int BPF_PROG(evdev_begins, struct input_handle *handle)
{
	const struct input_id *id = &handle->dev->id;

	open_report(OPENED_BY_EVDEV, DEVICE(id->bustype, id->vendor, id->product));
	return 0;
}

SEC("fexit/evdev_events")
int BPF_PROG(evdev_ends, struct input_handle *handle)
{
	close_report(OPENED_BY_EVDEV);
	return 0;
}

/* ---- shares ---- */

static __always_inline struct share *share_of(u32 cpu)
{
	return bpf_map_lookup_elem(&shares, &cpu);
}

static __always_inline s64 share_left(const struct share *share, u64 now)
{
	u64 most = SHARE_OF_NS * share_pct / 100, passed = now - share->as_of;
	s64 left = share->left_ns;

	if (passed > 100 * SHARE_OF_NS) /* and share_pct is 1 at least */
		return most;
	left += passed * share_pct / 100;
	return left < (s64)most ? left : (s64)most;
}

static __always_inline void charge_share(u32 cpu, u64 used, u64 now)
{
	struct share *share = share_of(cpu);

	if (!share)
		return;
	share->left_ns = share_left(share, now) - used;
	share->as_of = now;
}

static __always_inline u32 last_cpu_of(const struct task_struct *p)
{
	const struct task_struct___more *more = (const void *)p;

	return bpf_core_field_exists(more->thread_info.cpu) ? more->thread_info.cpu :
							      more->wake_cpu;
}

static __always_inline bool is_realtime(const struct task_struct *p)
{
	const struct task_struct___more *more = (const void *)p;

	return more->prio < FIRST_FAIR_PRIO;
}

/* ---- wake-ups ---- */

/* Lets p go first for that long: what it has is not added to, so that two devices are not more. */
static __always_inline bool give_mark(struct task_struct *p, u64 budget, u64 until)
{
	u64 end = p->se.sum_exec_runtime + budget;
	struct input_mark *mark;

	mark = bpf_task_storage_get(&input_marks, p, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!mark)
		return false;
	mark->flags = preempt ? INPUT_PREEMPTS : 0;
	mark->runtime_end = end;
	mark->until = until;
	return true;
}

/* p joins the chain of an event, with that much of a budget. */
static __always_inline void join(struct task_struct *p, u64 number, u32 waker, u32 depth_,
				 u64 budget, u64 until, u64 now)
{
	struct member *member;
	struct share *share;

	member = bpf_task_storage_get(&members, p, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!member) {
		stat_inc(refused);
		return;
	}
	if (is_realtime(p)) {
		stat_inc(realtime);
	} else {
		share = share_of(last_cpu_of(p));
		if (share && share_left(share, now) <= 0) {
			stat_inc(over_share);
			return;
		}
	}
	if (!give_mark(p, budget, until)) {
		stat_inc(refused);
		return;
	}
	if (p->flags & PF_KTHREAD)
		stat_inc(kernel_threads);
	member->hop = add_hop(number, p, waker, depth_, now);
	member->depth = depth_;
	member->woken = now;
	member->has_waited = false;
	member->until = until;
	member->event = number;
}

/* Of a member that runs here: what of its mark is left now, ns. The kernel's own sum lags behind. */
static __always_inline u64 left_of_runner(const struct member *member,
					  const struct input_mark *mark, u64 now)
{
	u64 used = member->ran ? member->exec_at_ran + (now - member->ran) : 0;
	s64 left = mark->runtime_end - used;

	return member->ran && left > 0 && now < mark->until ? left : 0;
}

static __always_inline void hand_on(struct task_struct *p, u64 now)
{
	struct task_struct *waker = bpf_get_current_task_btf();
	struct member *own = bpf_task_storage_get(&members, waker, NULL, 0), *others;
	struct input_mark *mark;
	u64 left;

	if (!own || !own->event || now >= own->until)
		return;
	if (own->depth >= depth || own->depth >= MOST_DEPTH - 1) {
		stat_inc(too_deep);
		return;
	}
	mark = bpf_task_storage_get(&input_marks, waker, NULL, 0);
	left = mark ? left_of_runner(own, mark, now) : 0;
	if (left < 2 * LEAST_NS) {
		stat_inc(used_up);
		return;
	}
	/* One that is nearer to a device, and has something left, gets no less from farther away. */
	others = bpf_task_storage_get(&members, p, NULL, 0);
	if (others && now < others->until && others->depth <= own->depth && input_first(p))
		return;
	mark->runtime_end -= left / 2;
	stat_inc(chained);
	join(p, own->event, waker->pid, own->depth + 1, left / 2, own->until, now);
}

static __always_inline void wake_by_report(struct task_struct *p, struct report *report, u64 now)
{
	struct device *device;

	if (!report->event) {
		report->event = new_event(report->device, report->began);
		device = bpf_map_lookup_elem(&devices, &report->device);
		if (device)
			__sync_fetch_and_add(&device->events, 1);
	}
	stat_inc(woken);
	join(p, report->event, 0, 0, budget_us * NSEC_PER_USEC,
	     report->began + timeout_ms * NSEC_PER_MSEC, now);
}

SEC("tp_btf/sched_waking")
int BPF_PROG(wakes, struct task_struct *p)
{
	u64 now = bpf_ktime_get_ns();
	struct report *report;
	bool is_task;

	if (now >= busy_until)
		return 0;
	is_task = in_task_context();
	report = report_here(is_task, 0);
	if (report && report->opener && now - report->began < LONGEST_REPORT_NS)
		wake_by_report(p, report, now);
	else if (is_task)
		hand_on(p, now);
	return 0;
}

/* ---- CPUs ---- */

static __always_inline void runs(struct task_struct *p, u64 now)
{
	struct member *member = bpf_task_storage_get(&members, p, NULL, 0);
	struct hop *hop;

	if (!member || !member->event)
		return;
	if (now >= member->until) {
		member->event = 0;
		return;
	}
	member->ran = now;
	member->exec_at_ran = p->se.sum_exec_runtime;
	member->is_first = input_first(p) && !is_realtime(p);
	if (member->has_waited)
		return;
	member->has_waited = true;
	count_wait(member->depth, now - member->woken);
	hop = hop_of(member);
	if (hop) {
		hop->cpu = bpf_get_smp_processor_id();
		hop->ran = now;
	}
}

/* A thread of the kernel has done what it was woken for. */
static __always_inline void leave_chain(struct task_struct *p, struct member *member)
{
	struct input_mark *mark = bpf_task_storage_get(&input_marks, p, NULL, 0);

	member->event = 0;
	if (mark)
		mark->until = 0;
}

static __always_inline void stops(struct task_struct *p, bool sleeps, u64 now)
{
	struct member *member = bpf_task_storage_get(&members, p, NULL, 0);
	struct hop *hop;
	u64 used;

	if (!member || !member->event || !member->ran)
		return;
	used = now - member->ran;
	member->ran = 0;
	hop = hop_of(member);
	if (now >= member->until)
		member->event = 0;
	else if (sleeps && (p->flags & PF_KTHREAD))
		leave_chain(p, member);
	if (used > 2 * SHARE_OF_NS)
		return; /* when it was switched out, there was nothing to do here */
	if (member->is_first)
		charge_share(bpf_get_smp_processor_id(), used, now);
	if (hop)
		hop->used_ns += used;
}

SEC("tp_btf/sched_switch")
int BPF_PROG(switches, bool is_preempted, struct task_struct *prev, struct task_struct *next,
	     unsigned int prev_state)
{
	u64 now = bpf_ktime_get_ns();

	if (now >= busy_until)
		return 0;
	if (prev->pid)
		stops(prev, prev_state && !is_preempted, now);
	if (next->pid)
		runs(next, now);
	return 0;
}
