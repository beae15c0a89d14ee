// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * sched: what the CPUs do, and how long woken tasks wait for one.
 *
 * Attached while somebody looks, under whatever scheduler. A task that is woken is stamped; when a CPU
 * switches to it the time since is added to the histogram of that CPU. One that was preempted, and so
 * was ready all the time, counts as having waited, not as having been woken.
 *
 * Everything is summed up here, in one record a CPU: user space reads them all with one call and
 * takes differences, and nothing is sent for an event.
 */
#include "cpus.h"
#include "declare.h"

char _license[] SEC("license") = "GPL";

ABOUT("what CPUs do, and how long woken tasks wait for one", "scxhid top");

struct waiting {
	u64 since; /* 0: it does not wait */
	u64 is_woken;
};

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct waiting);
} tasks SEC(".maps");

static __always_inline struct cpu *this_cpu(void)
{
	u32 key = 0;

	return bpf_map_lookup_elem(&cpus, &key);
}

/* p waits since then, or does not if that is 0. */
static __always_inline void note(struct task_struct *p, u64 since, bool is_woken, bool creates)
{
	u64 flags = creates ? BPF_LOCAL_STORAGE_GET_F_CREATE : 0;
	struct waiting *w = bpf_task_storage_get(&tasks, p, NULL, flags);

	if (!w)
		return;
	w->since = since;
	w->is_woken = is_woken;
}

/* Also of one that runs, or is still about to sleep: see sched_switch. */
SEC("tp_btf/sched_waking")
int BPF_PROG(sched_waking, struct task_struct *p)
{
	note(p, bpf_ktime_get_ns(), true, true);
	return 0;
}

SEC("tp_btf/sched_wakeup_new")
int BPF_PROG(sched_wakeup_new, struct task_struct *p)
{
	note(p, bpf_ktime_get_ns(), true, true);
	return 0;
}

SEC("tp_btf/sched_migrate_task")
int BPF_PROG(sched_migrate_task, struct task_struct *p, int to)
{
	u32 key = 0;
	struct cpu *cpu = bpf_map_lookup_percpu_elem(&cpus, &key, to);

	if (cpu) /* several CPUs may move tasks to one at a time */
		__sync_fetch_and_add(&cpu->migrations, 1);
	return 0;
}

SEC("tp_btf/sched_switch")
int BPF_PROG(sched_switch, bool preempt, struct task_struct *prev, struct task_struct *next,
	     unsigned int prev_state)
{
	u64 now = bpf_ktime_get_ns(), waited;
	struct cpu *cpu = this_cpu();
	struct waiting *w;
	bool is_ready;

	if (!cpu)
		return 0;
	if (cpu->runs)
		cpu->ns[RUNS_KIND(cpu->runs)] += now - RUNS_SINCE(cpu->runs);
	cpu->runs = RUNS(now, kind_of(next));
	cpu->switches++;

	/* Whoever was woken while it ran did not wait for a CPU. */
	is_ready = preempt || !prev_state;
	if (prev->pid)
		note(prev, is_ready ? now : 0, false, is_ready);
	if (!next->pid)
		return 0;
	w = bpf_task_storage_get(&tasks, next, NULL, 0);
	if (!w || !w->since)
		return 0;
	waited = now > w->since ? now - w->since : 0;
	w->since = 0;
	cpu->waited_ns += waited;
	if (w->is_woken) {
		cpu->woken++;
		cpu->latency[bucket_of(waited)]++;
	}
	return 0;
}
