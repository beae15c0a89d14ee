// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * central: one CPU decides for all, the others just work.
 *
 * The central CPU takes every wake-up and every decision. All other CPUs (workers) are given one task at
 * a time, with no end to its slice. So a worker does nothing but its work: no wake-ups of others to
 * handle, no queue to look through, and, on a kernel started with nohz_full= for the workers, no tick.
 * A timer on the central CPU looks every timer_us whether somebody waits while another has had its
 * slice, and only then is that worker interrupted.
 *
 * Without nohz_full= the kernel's tick goes on interrupting the workers; what is left is that nobody
 * preempts them before their slice is over, and that the wake-ups are handled elsewhere.
 *
 * Who waits does so in one queue in the order of weighted virtual time. A worker that runs out of work
 * says so and wakes the central CPU, which moves a task to it. Between its decisions, the central CPU
 * works too.
 *
 * If the central CPU goes offline, another takes over until it is back. If it does not answer for
 * LATE_NS (a real-time task holds it, say), the workers help themselves.
 *
 * Good for: hosts of virtual machines and batch work: few tasks for each CPU that run for long, each of
 * which loses by every interruption.
 *
 * Where it fails: whatever sleeps and wakes often. Each task that ends its run costs a message to the
 * central CPU and one back, and one CPU decides for all, so it becomes the limit with many CPUs or many
 * switches; so each run counts as timer_us at least. A task bound to a busy worker waits until that one's slice is over. cpu.weight and cpu.max of
 * cgroups are not honoured. It needs a kernel that lets it wake other CPUs. It cannot be hosted: infinite
 * slices and the flag ENQ_LAST (also the last runnable task of a CPU is given to the central one) are
 * nothing that a host could take back.
 */
#include "policy.h"
#include "central_decide.h"
#include "offline.h"

char _license[] SEC("license") = "GPL";

ABOUT("one CPU decides for all, the others run without ticks and preemption",
      "hosts of virtual machines, batch work");
IGNORES("cpu.weight, cpu.max, cpu.idle");

#define BPF_F_TIMER_CPU_PIN 2 /* the timer runs on the CPU that starts it */

KNOB_AT_LOAD(s32, central_cpu, 0, 0, MAX_CPUS - 1, "", "the CPU that decides, while it is online");
KNOB_AT_LOAD(u64, timer_us, 1000, 100, 10000, "us",
	     "time between two looks at whose slice is over");

STAT(asked, "times a CPU had no work and asked for some");
STAT(helped_themselves, "tasks that a CPU took by itself, since the central one did not answer");
STAT(went_on, "tasks that went on after their slice, since nobody waited");
STAT(dispatched_kthread, "kernel threads of one CPU placed there, ahead of what ran");
STAT(timers, "times the timer looked");
STAT(takeovers, "times another CPU became the central one");

static volatile s32 timer_cpu = -1; /* where the timer was started last */

struct central_timer {
	struct bpf_timer timer;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct central_timer);
} timers_map SEC(".maps");

struct task {
	u64 vtime;
	u64 place;	/* the virtual time under which it queued last */
	u64 charged_ns; /* of its CPU time, what has been charged or was none of our business */
	u64 slice_from; /* its CPU time when its slice began, ns */
};

static void task_start(struct task_struct *p, struct task *t)
{
	t->vtime = t->place = vtime_now;
	t->charged_ns = t->slice_from = p->se.sum_exec_runtime;
}

POLICY_TASK_STATE(struct task, task_start);

/*
 * Runs in a soft interrupt of the central CPU, and decides nothing: it only makes that CPU do so, or, if
 * that does not answer, lets those who wait help themselves. There is work only while tasks wait.
 */
static int look(void *map, int *key, struct bpf_timer *timer)
{
	s32 cpu, central = decider;
	bool late = is_late();
	struct cpu *c;

	stat_inc(timers);
	timer_cpu = bpf_get_smp_processor_id();
	/* A CPU that goes offline cannot ask (compat.h), and may have queued a task. */
	if (!cpu_at(central)->began_at && scx_bpf_dsq_nr_queued(QUEUE) > 0)
		ask();
	bpf_for(cpu, 0, (s32)scx_bpf_nr_cpu_ids()) {
		c = cpu_at(cpu);
		if (!c->online || cpu == central)
			continue;
		if (c->wants ? scx_bpf_dsq_nr_queued(QUEUE) > 0 :
			       slice_over(c, scx_bpf_now()) &&
				       (scx_bpf_dsq_nr_queued(QUEUE) > 0 ||
					scx_bpf_dsq_nr_queued(SCX_DSQ_LOCAL_ON | cpu) > 0)) {
			ask();
			if (late)
				scx_bpf_kick_cpu(cpu, SCX_KICK_PREEMPT);
		}
	}
	bpf_timer_start(timer, timer_us * NSEC_PER_USEC, BPF_F_TIMER_CPU_PIN);
	return 0;
}

/* The timer runs where it was started: brought here when another CPU has it, or none. */
static void fetch_timer(s32 cpu)
{
	struct central_timer *timer;
	u32 key = 0;

	if (timer_cpu == cpu)
		return;
	timer = bpf_map_lookup_elem(&timers_map, &key);
	if (timer && !bpf_timer_start(&timer->timer, timer_us * NSEC_PER_USEC, BPF_F_TIMER_CPU_PIN))
		timer_cpu = cpu;
}

/* ---- The callbacks, in the order in which a task meets them ---- */

/* All wake-ups go to the central CPU, so that no other is disturbed by them. */
s32 BPF_STRUCT_OPS(central_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	s32 central = decider;

	return bpf_cpumask_test_cpu(central, p->cpus_ptr) ? central : prev_cpu;
}

void BPF_STRUCT_OPS(central_enqueue, struct task_struct *p, u64 enq_flags)
{
	struct task *t = POLICY_TASK(p);

	if (t)
		t->slice_from = p->se.sum_exec_runtime;
	/*
	 * Kernel threads of one CPU run at once: the timer itself may need one (ksoftirqd), and nothing
	 * else would take the CPU from a task whose slice does not end.
	 */
	if ((p->flags & PF_KTHREAD) && p->nr_cpus_allowed == 1) {
		stat_inc(dispatched_kthread);
		scx_bpf_dsq_insert(p, SCX_DSQ_LOCAL, slice_ns(),
				   enq_flags & SCX_ENQ_WAKEUP ? enq_flags | SCX_ENQ_PREEMPT :
								enq_flags);
		return;
	}
	if (!t) {
		scx_bpf_dsq_insert(p, SCX_DSQ_GLOBAL, slice_ns(), enq_flags);
		return;
	}
	t->vtime = vtime_within(t->vtime, vtime_earliest());
	t->place = vtime_place(t->vtime);
	scx_bpf_dsq_insert_vtime(p, QUEUE, SCX_SLICE_INF, t->place, enq_flags);
	ask();
}

/*
 * At the end of a run. However short it was, it took a decision: a task that yields all the time would
 * have the central CPU for itself if it paid only for what it ran. Kernel threads pay for that only: they
 * sleep when they are done, and others wait for them. The one of RCU runs for some us every few ms, and
 * as if those were hogs it would wait for a whole round of the queue each time: so a CPU took seconds to
 * go offline.
 */
static void charge(struct task_struct *p, struct task *t)
{
	u64 used, paid, least = timer_us * NSEC_PER_USEC;

	/* Else clang loads through either pointer where t is new, which the verifier does not allow. */
	barrier_var(t);
	used = p->se.sum_exec_runtime - t->charged_ns;
	t->charged_ns += used;
	paid = used > least || p->flags & PF_KTHREAD ? used : least;
	t->vtime += paid * 100 / p->scx.weight;
}

/* Nobody waits: prev, whose slice is over, gets another one. */
static void go_on(struct task_struct *prev, struct cpu *c, u64 slice)
{
	struct task *t = POLICY_TASK(prev);

	stat_inc(went_on);
	if (t) {
		charge(prev, t);
		t->slice_from = prev->se.sum_exec_runtime;
	}
	c->began_at = scx_bpf_now() ?: 1;
	scx_bpf_task_set_slice(prev, slice);
}

/* The CPU has nothing left in its local DSQ. The central one serves the others first, then itself. */
void BPF_STRUCT_OPS(central_dispatch, s32 cpu, struct task_struct *prev)
{
	struct task_struct *still = NULL; /* prev, if it can go on */
	u64 ran_ns, left_ns = 0, slice = slice_ns();
	struct cpu *c = cpu_at(cpu);
	bool central = cpu == decider;
	s32 leaving = take_leaving();

	if (leaving != NO_CPU)
		leave_cpu(QUEUE, leaving);
	if (prev && (prev->scx.flags & SCX_TASK_QUEUED))
		still = prev;
	if (central) {
		ran_ns = scx_bpf_now() - c->began_at;
		if (still && c->began_at && ran_ns < slice)
			left_ns = slice - ran_ns;
		fetch_timer(cpu);
		decide(cpu, !left_ns);
		/* prev was only interrupted for that: it has the rest of its slice. */
		if (still && left_ns) {
			scx_bpf_task_set_slice(still, left_ns);
			return;
		}
	}
	if (still && !scx_bpf_dsq_nr_queued(QUEUE)) {
		go_on(still, c, central ? slice : SCX_SLICE_INF);
		return;
	}
	if (central) {
		if (scx_bpf_dsq_move_to_local(QUEUE))
			stat_inc(decisions);
		return;
	}
	if (is_late() && scx_bpf_dsq_move_to_local(QUEUE)) {
		stat_inc(helped_themselves);
		return;
	}
	stat_inc(asked);
	c->told = 0;
	__sync_lock_test_and_set(&c->wants, 1);
	if (scx_bpf_dsq_nr_queued(QUEUE) > 0)
		ask();
}

void BPF_STRUCT_OPS(central_running, struct task_struct *p)
{
	s32 cpu = scx_bpf_task_cpu(p);
	struct cpu *c = cpu_at(cpu);
	struct task *t = POLICY_TASK(p);

	/*
	 * As if it had run from the beginning of its slice without a break: a real-time task that comes
	 * every few ms interrupts it, and it goes on, each time by way of here.
	 */
	c->began_at = (scx_bpf_now() - (t ? p->se.sum_exec_runtime - t->slice_from : 0)) ?: 1;
	c->wants = c->told = 0;
	/* The central CPU must get back to deciding, and has a tick for it. */
	if (cpu == decider && p->scx.slice == SCX_SLICE_INF)
		scx_bpf_task_set_slice(p, slice_ns());
	if (!t)
		return;
	t->charged_ns = p->se.sum_exec_runtime;
	advance(t->place);
}

void BPF_STRUCT_OPS(central_stopping, struct task_struct *p, bool runnable)
{
	struct cpu *c = cpu_at(scx_bpf_task_cpu(p));
	struct task *t = POLICY_TASK(p);

	c->began_at = 0;
	if (t)
		charge(p, t);
	if (!runnable)
		note_leaving(p);
}

/* Chooses the central CPU: the wanted one if it is online, else the first that is. */
static void choose_decider(void)
{
	struct cpu *c = cpu_at(central_cpu);
	s32 cpu, chosen = decider;

	if (c->online) {
		chosen = central_cpu;
	} else {
		bpf_for(cpu, 0, (s32)scx_bpf_nr_cpu_ids()) {
			c = cpu_at(cpu);
			if (c->online) {
				chosen = cpu;
				break;
			}
		}
	}
	if (chosen != decider) {
		stat_inc(takeovers);
		decider = chosen;
	}
	scx_bpf_kick_cpu(chosen, SCX_KICK_PREEMPT);
}

void BPF_STRUCT_OPS(central_cpu_online, s32 cpu)
{
	cpu_at(cpu)->online = true;
	choose_decider();
}

void BPF_STRUCT_OPS(central_cpu_offline, s32 cpu)
{
	struct cpu *c = cpu_at(cpu);

	c->online = false;
	c->wants = c->told = 0;
	choose_decider();
	leave_cpu(QUEUE, cpu);
}

s32 BPF_STRUCT_OPS_SLEEPABLE(central_init)
{
	const struct cpumask *online;
	struct central_timer *timer;
	u32 key = 0;
	s32 cpu, err;

	if (!can_kick_cpu()) {
		scx_bpf_error("central cannot work on this kernel, which lets no BPF program call "
			      "scx_bpf_kick_cpu (Debian's 7.2.12): take a later one");
		return -95; /* EOPNOTSUPP */
	}
	if (scx_bpf_nr_cpu_ids() > MAX_CPUS) {
		scx_bpf_error("central handles up to %d CPUs, and this machine may have %d",
			      MAX_CPUS, scx_bpf_nr_cpu_ids());
		return -22; /* EINVAL */
	}
	online = scx_bpf_get_online_cpumask();
	bpf_for(cpu, 0, (s32)scx_bpf_nr_cpu_ids()) {
		cpu_at(cpu)->online = bpf_cpumask_test_cpu(cpu, online);
	}
	scx_bpf_put_cpumask(online);
	decider = central_cpu;
	clock_start(RATE_ONE / 16, false);
	timer = bpf_map_lookup_elem(&timers_map, &key);
	if (!timer)
		return -2; /* ENOENT */
	bpf_timer_init(&timer->timer, &timers_map, 1 /* CLOCK_MONOTONIC */);
	bpf_timer_set_callback(&timer->timer, look);
	err = scx_bpf_create_dsq(QUEUE, -1); /* -1: memory from any NUMA node */
	if (!err)
		choose_decider();
	return err;
}

void BPF_STRUCT_OPS(central_exit, struct scx_exit_info *ei)
{
	EXIT_RECORD(ei);
}

SEC(".struct_ops.link")
struct sched_ext_ops central = {
	.select_cpu = (void *)central_select_cpu,
	.enqueue = (void *)central_enqueue,
	.dispatch = (void *)central_dispatch,
	.running = (void *)central_running,
	.stopping = (void *)central_stopping,
	.cpu_online = (void *)central_cpu_online,
	.cpu_offline = (void *)central_cpu_offline,
	.init = (void *)central_init,
	.exit = (void *)central_exit,
	.flags = SCX_OPS_ENQ_LAST,
	.timeout_ms = 3000,
	.name = "central",
};
