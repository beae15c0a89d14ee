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
#include "tasks.h"
#include "declare.h"

char _license[] SEC("license") = "GPL";

ABOUT("what CPUs do, and how long woken tasks wait for one", "scxhid top");

/* A task, or all threads of a process, whose waits have a histogram of their own; 0: none. */
volatile u32 chosen_pid = 0;
volatile u32 chosen_tgid = 0;

struct waits {
	u64 latency[NR_BUCKETS];
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct waits);
} chosen SEC(".maps");

static __always_inline struct cpu *this_cpu(void)
{
	u32 key = 0;

	return bpf_map_lookup_elem(&cpus, &key);
}

static __always_inline void wakes(struct task_struct *p)
{
	struct task *t = bpf_task_storage_get(&tasks, p, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);

	if (!t)
		return;
	t->since = bpf_ktime_get_ns();
	t->is_woken = true;
}

static __always_inline void note_chosen(struct task_struct *p, u32 bucket)
{
	struct waits *waits;
	u32 key = 0;

	if (p->pid != chosen_pid && p->tgid != chosen_tgid)
		return;
	waits = bpf_map_lookup_elem(&chosen, &key);
	if (waits && bucket < NR_BUCKETS) /* threads run on several CPUs */
		__sync_fetch_and_add(&waits->latency[bucket], 1);
}

/* p leaves the CPU, and waits for one from now on if it is ready. */
static __always_inline void stops(struct task_struct *p, u64 now, bool is_ready)
{
	u64 flags = is_ready ? BPF_LOCAL_STORAGE_GET_F_CREATE : 0;
	struct task *t = bpf_task_storage_get(&tasks, p, NULL, flags);

	if (!t)
		return;
	/* Whoever was woken while it ran did not wait for a CPU. */
	t->since = is_ready ? now : 0;
	t->is_woken = false;
	if (t->runs_since)
		t->ran_ns += now - t->runs_since;
	t->runs_since = 0;
}

/* p gets the CPU. */
static __always_inline void begins(struct task_struct *p, u64 now, struct cpu *cpu)
{
	struct task *t = bpf_task_storage_get(&tasks, p, NULL, 0);
	u64 waited;
	u32 bucket;

	if (!t)
		return;
	t->switches++;
	t->runs_since = now;
	if (!t->since)
		return;
	waited = now > t->since ? now - t->since : 0;
	t->since = 0;
	t->waits++;
	t->waited_ns += waited;
	if (waited > t->longest_ns)
		t->longest_ns = waited;
	cpu->waited_ns += waited;
	if (!t->is_woken)
		return;
	t->wakeups++;
	bucket = bucket_of(waited);
	cpu->latency[bucket]++;
	note_chosen(p, bucket);
}

/* Also of one that runs, or is still about to sleep: see sched_switch. */
SEC("tp_btf/sched_waking")
int BPF_PROG(sched_waking, struct task_struct *p)
{
	wakes(p);
	return 0;
}

SEC("tp_btf/sched_wakeup_new")
int BPF_PROG(sched_wakeup_new, struct task_struct *p)
{
	wakes(p);
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
	u64 now = bpf_ktime_get_ns();
	struct cpu *cpu = this_cpu();

	if (!cpu)
		return 0;
	if (cpu->runs)
		cpu->ns[RUNS_KIND(cpu->runs)] += now - RUNS_SINCE(cpu->runs);
	cpu->runs = RUNS(now, kind_of(next));
	cpu->switches++;

	if (prev->pid)
		stops(prev, now, preempt || !prev_state);
	if (next->pid)
		begins(next, now, cpu);
	return 0;
}
