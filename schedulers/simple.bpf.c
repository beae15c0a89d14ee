// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * simple: one queue for all CPUs, in order of weighted virtual time or first come, first served.
 *
 * A task that wakes goes straight to an idle CPU if there is one. Otherwise it waits in the one
 * queue that all CPUs share, and each CPU that runs out of work takes the first task from there.
 * A task runs until it sleeps or until its slice is used up; then it queues again.
 *
 * With fifo=0, the default, the queue is ordered by virtual time: the CPU time that a task has had,
 * divided by its weight (nice value). The task that is furthest behind its share comes first.
 * With fifo=1 it is ordered by arrival and weights mean nothing.
 *
 * Good for: learning, and machines with one last-level cache, where it does not matter which CPU a
 * task wakes on. CPU-bound work of equal importance shares fairly, and no CPU idles while work waits.
 *
 * Where it fails: all CPUs take one lock, so it does not scale to many CPUs or several sockets.
 * Tasks wander between CPUs and leave their caches behind. With fifo=1, threads that saturate the
 * CPUs easily drown out interactive ones. Very light tasks get more than their weight says, the more
 * so the longer the slice, since nobody may wait for long. The queue knows no groups: cpu.weight and
 * cpu.max of cgroups are not honoured.
 */
#include "policy.h"
#include "offline.h"
#include "slice.h"
#include "input.h"

char _license[] SEC("license") = "GPL";

ABOUT("one queue for all CPUs: weighted virtual time, or first come, first served",
      "learning; machines with one last-level cache");
IGNORES("cpu.weight, cpu.max, cpu.idle");
HOSTABLE(0, "select_cpu enqueue dispatch running stopping enable cpu_online cpu_offline");

/* A DSQ of our own, since the built-in SCX_DSQ_GLOBAL cannot be ordered by vtime. */
#define SHARED_DSQ POLICY_DSQ(0)

#define NSEC_PER_USEC 1000ULL
#define NSEC_PER_MSEC 1000000ULL

/*
 * How far a task may stand behind the others in virtual time: more, and one that slept for an hour
 * would own the CPU for the next one.
 */
#define MAX_BEHIND_NS (20 * NSEC_PER_MSEC)

/*
 * How far ahead of them: more, and one that had a CPU for itself for an hour, or that has a tiny
 * weight, would wait so long that its user takes it for dead.
 */
#define MAX_AHEAD_NS (60 * NSEC_PER_MSEC)

/* However long the queue and the slice, one round through it should not take longer than this. */
#define MAX_ROUND_NS (1000 * NSEC_PER_MSEC)

/* Virtual time passes at no less than one part in so many of real time: see advance(). */
#define SLOWEST_RATE 8

KNOB_AT_LOAD(bool, fifo, false, false, true, "", "first come, first served: ignore weights");

/* The kernel looks at slices on its tick (every 4 ms where HZ=250): less acts like one tick. */
KNOB(u64, slice_us, 5000, 100, 100000, "us", "time a task may run while others wait");

STAT(dispatched_local, "tasks placed straight on an idle CPU");
STAT(dispatched_global, "tasks placed in the queue that all CPUs share");
STAT(dispatched_kthread, "kernel threads of one CPU placed there, ahead of the queue");
STAT(dispatched_input, "tasks that input woke, placed on their CPU ahead of the queue");
STAT(queue_empty, "times a CPU looked for work and found none");
STAT(idle_kicked, "idle CPUs woken for a task that was not placed on one");
STAT(slices_expired, "times a task used up its slice");
STAT(vtime_raised, "tasks back from a long sleep, brought up to the others");
STAT(vtime_lowered, "tasks far ahead of the others, brought back to them");
STAT(run_ns, "time that tasks ran, ns");

/* policy_vtime, of the queue: that of the task which began to run last. Starts anywhere. */
POLICY_VTIME;
static u64 advanced_at;	   /* when it last moved, ns */
static u64 advanced_epoch; /* and in which epoch */

/* Who runs on a CPU, since which of its CPU time (ns), and in which epoch that was seen. */
struct run {
	u64 start_ns;
	u64 epoch;
	s32 pid;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct run);
} runs SEC(".maps");

/*
 * Of the CPU that p is on, which need not be this one: when a task's nice value is changed, stopping
 * and running are called for it on the CPU of whoever changed it.
 */
static struct run *run_of(const struct task_struct *p)
{
	u32 key = 0;

	return bpf_map_lookup_percpu_elem(&runs, &key, scx_bpf_task_cpu(p));
}

/* Virtual times wrap around, so only their difference can be compared. */
static bool vtime_before(u64 a, u64 b)
{
	return (s64)(a - b) < 0;
}

static u64 slice_ns(void)
{
	u64 slice = slice_us * NSEC_PER_USEC;
	s32 waiting = scx_bpf_dsq_nr_queued(SHARED_DSQ);
	u64 longest = MAX_ROUND_NS / (waiting > 0 ? waiting + 1 : 1);

	return slice < longest ? slice : longest;
}

/* The virtual time under which p may queue. */
static u64 queue_vtime(const struct task_struct *p)
{
	u64 vtime = p->scx.dsq_vtime, now = policy_vtime;

	if (vtime_before(vtime, now - MAX_BEHIND_NS)) {
		stat_inc(vtime_raised);
		return now - MAX_BEHIND_NS;
	}
	if (vtime_before(now + MAX_AHEAD_NS, vtime)) {
		stat_inc(vtime_lowered);
		return now + MAX_AHEAD_NS;
	}
	return vtime;
}

/*
 * Moves the queue's virtual time to that of a task that begins to run.
 *
 * With many or with heavy tasks that is slow, and a light task that stands before them could wait
 * for seconds. So it also moves with real time, a little: at the latest 0.64 s on, which is
 * SLOWEST_RATE * (MAX_BEHIND_NS + MAX_AHEAD_NS), all that newly queue do so behind the waiting one.
 * With more than SLOWEST_RATE tasks a CPU, that is what decides, and weights count for less.
 */
static void advance(u64 vtime)
{
	u64 now = scx_bpf_now(), to = policy_vtime;

	if (advanced_epoch == policy_epoch && vtime_before(advanced_at, now))
		to += (now - advanced_at) / SLOWEST_RATE;
	if (vtime_before(to, vtime))
		to = vtime;
	advanced_at = now;
	advanced_epoch = policy_epoch;
	policy_vtime = to;
}

/* ---- The callbacks, in the order in which a task meets them ---- */

/* p joins sched_ext, at attach or later: it starts level with the others. */
void POLICY_OP(simple_enable, struct task_struct *p)
{
	scx_bpf_task_set_dsq_vtime(p, policy_vtime);
}

/*
 * p wakes up: on which CPU? The kernel's own search for an idle one knows caches and SMT. It has
 * marked the CPU as busy when it says idle, so p must go there now: nobody else will use it.
 */
s32 POLICY_OP(simple_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	bool is_idle = false;
	s32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &is_idle);

	if (is_idle) {
		stat_inc(dispatched_local);
		scx_bpf_dsq_insert(p, SCX_DSQ_LOCAL, slice_ns(), 0);
	}
	return cpu;
}

/* p is runnable and select_cpu found it no idle CPU, or was not asked. */
void POLICY_OP(simple_enqueue, struct task_struct *p, u64 enq_flags)
{
	s32 cpu;

	if (INPUT_FIRST(p, enq_flags)) {
		stat_inc(dispatched_input);
		return;
	}

	/*
	 * Kernel threads that belong to one CPU serve everybody on it, and are brief. Only when they
	 * wake: one that used up its slice queues like the others, or it could keep the CPU.
	 */
	if ((p->flags & PF_KTHREAD) && p->nr_cpus_allowed == 1 && (enq_flags & SCX_ENQ_WAKEUP)) {
		stat_inc(dispatched_kthread);
		scx_bpf_dsq_insert(p, SCX_DSQ_LOCAL, slice_ns(), enq_flags);
		return;
	}

	stat_inc(dispatched_global);
	if (fifo)
		scx_bpf_dsq_insert(p, SHARED_DSQ, slice_ns(), enq_flags);
	else
		scx_bpf_dsq_insert_vtime(p, SHARED_DSQ, slice_ns(), queue_vtime(p), enq_flags);

	/*
	 * select_cpu is not asked for a task that may run on one CPU only or that used up its slice.
	 * A CPU that went idle a moment ago does not look at the queue again by itself.
	 */
	if ((enq_flags & SCX_ENQ_CPU_SELECTED) || !can_kick_cpu())
		return;
	cpu = scx_bpf_pick_idle_cpu(p->cpus_ptr, 0);
	if (cpu >= 0) {
		stat_inc(idle_kicked);
		scx_bpf_kick_cpu(cpu, SCX_KICK_IDLE);
	}
}

/* A CPU has nothing left in its local DSQ. The kernel skips tasks that may not run on it. */
void POLICY_OP(simple_dispatch, s32 cpu, struct task_struct *prev)
{
	s32 leaving = take_leaving();

	if (leaving != NO_CPU)
		leave_cpu(SHARED_DSQ, leaving);
	if (scx_bpf_dsq_move_to_local(SHARED_DSQ))
		return;
	stat_inc(queue_empty);
	renew_slice(prev, slice_ns());
}

void POLICY_OP(simple_running, struct task_struct *p)
{
	struct run *run = run_of(p);

	if (run) {
		run->start_ns = p->se.sum_exec_runtime;
		run->epoch = policy_epoch;
		run->pid = p->pid;
	}
	if (!fifo)
		advance(p->scx.dsq_vtime);
}

/*
 * p leaves the CPU: charge what it used. Measured, not taken from the slice: that of a task which
 * nobody waits behind is renewed, and the knob may have been turned meanwhile. Of a run that
 * began under another policy the kernel tells how long it was.
 */
void POLICY_OP(simple_stopping, struct task_struct *p, bool runnable)
{
	struct run *run = run_of(p);
	u64 used;

	if (run && run->pid == p->pid && run->epoch == policy_epoch)
		used = p->se.sum_exec_runtime - run->start_ns;
	else
		used = policy_unseen_ns(p);
	stat_add(run_ns, used);
	if (!runnable)
		note_leaving(p);
	else if (!p->scx.slice)
		stat_inc(slices_expired);
	if (!fifo)
		scx_bpf_task_set_dsq_vtime(p, p->scx.dsq_vtime + used * 100 / p->scx.weight);
}

/*
 * Both must be there, though there is little to do: without them the kernel ends the scheduler at each
 * hotplug, and so at each suspend.
 */
void POLICY_OP(simple_cpu_online, s32 cpu)
{
}

void POLICY_OP(simple_cpu_offline, s32 cpu)
{
	leave_cpu(SHARED_DSQ, cpu);
}

POLICY_INIT(simple)
{
	return policy_create_dsq(0, -1); /* -1: memory from any NUMA node */
}

POLICY_FINI(simple)
{
}

SEC(".struct_ops.link")
struct sched_ext_ops simple = {
	.enable = (void *)simple_enable,
	.select_cpu = (void *)simple_select_cpu,
	.enqueue = (void *)simple_enqueue,
	.dispatch = (void *)simple_dispatch,
	.running = (void *)simple_running,
	.stopping = (void *)simple_stopping,
	.cpu_online = (void *)simple_cpu_online,
	.cpu_offline = (void *)simple_cpu_offline,
	.init = (void *)simple_init,
	.exit = (void *)simple_exit,
	.timeout_ms = 3000,
	.name = "simple",
};
