/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The deadlines of `interactive`: queues and their clocks, what is known of each task and of what
 * runs on each CPU, and who comes before whom.
 */
#ifndef SCXHID_INTERACTIVE_DEADLINE_H
#define SCXHID_INTERACTIVE_DEADLINE_H

#include "policy.h"

#define MAX_CACHES 64 /* with more, some share a queue */

/*
 * How far ahead of its queue's virtual time a task may stand: more, and one with a tiny weight would
 * wait for seconds.
 */
#define MAX_AHEAD_NS (30 * NSEC_PER_MSEC)

/* The longest that a heavy task's credit may let it run at a stretch, while others wait. */
#define MAX_CREDIT_RUN_NS (200 * NSEC_PER_MSEC)

/*
 * Virtual time passes at no less than one part in SLOW_RATE of real time, however heavy the tasks
 * are: after 16 * MAX_AHEAD_NS, which is 480 ms, all that newly queue do so behind one that waits. With
 * many tasks the rate falls, so that it stays below the share of each.
 */
#define SLOW_RATE    16
#define SLOWEST_RATE 32

/* How often a queue's clock looks at the real one. */
#define CLOCK_NS NSEC_PER_MSEC

/* What it missed beyond this was idle: nobody waited. */
#define CLOCK_MAX_NS (100 * NSEC_PER_MSEC)

/* More than two deadlines can lie apart, so that neither queue of a CPU can starve the other. */
#define MAX_DEBT_NS ((s64)(100 * NSEC_PER_MSEC))

/*
 * A queue's clock. Queues are numbered: those of caches first, then one for each CPU. Virtual times
 * of different queues mean nothing to each other; what a task takes along is its distance.
 */
struct queue {
	u64 vtime;	/* of the task that was furthest when it began to run */
	u64 checked_at; /* when the clock last looked at the real one, ns */
	u32 nr_cpus;	/* online ones that take from here */
	u32 cpu;	/* one of them */
	u64 slice_ns;	/* as of checked_at */
};

struct cpu {
	u32 cache;	 /* number of the queue it shares */
	bool was_online; /* so its cache is known */
	bool is_online;
	bool is_fast;
	bool has_pinned; /* tasks may wait in its own queue. Written under the CPU's lock */
	s64 debt_ns;	 /* virtual time that shared tasks had here too much, against pinned ones */

	/*
	 * The task that runs on it, as it was when it began; nothing if at is 0, and unknown if it
	 * began in another epoch: see runs_known().
	 */
	u64 at;
	u64 epoch;
	u64 run_vtime;
	u64 run_burst_ns;
	u32 run_queue;
	u32 run_weight;
	bool is_cut; /* at is 0: one of another class runs, and this one waits in the local DSQ */

	/* One that input woke runs on it or is about to, and goes before others until this moment. */
	u64 first_until;
};

static struct queue queues[MAX_CACHES + MAX_CPUS];
static struct cpu cpus[MAX_CPUS];
static s32 nr_cpus; /* ids are below it */
static u32 nr_caches;

struct interactive_task {
	u64 vtime;	/* in terms of queue; with NO_QUEUE as distance from any queue's clock */
	u64 burst_ns;	/* what it computed since it slept */
	u64 slept_at;	/* 0: it did not sleep since it was last placed */
	u64 charged_ns; /* of its CPU time, what vtime already has */
	u32 queue;
};

#define NO_QUEUE (~0U)

/* The bursts of full length that a task is taken to have had before the first that it had. */
#define ASSUMED_BURSTS 8

/*
 * First sight, of a new task or, after another scheduler was current, of an old one. The kernel knows
 * how much it computed and how often it slept: its burst is what that is on average, and the shorter
 * it is the more credit the task has. A new one starts level with the others, and has to show that it
 * sleeps.
 */
static void interactive_task_start(struct task_struct *p, struct interactive_task *t)
{
	u64 most = burst_us * NSEC_PER_USEC, unseen;

	t->queue = NO_QUEUE;
	t->charged_ns = p->se.sum_exec_runtime;
	t->burst_ns = (t->charged_ns + ASSUMED_BURSTS * most) / (p->nvcsw + ASSUMED_BURSTS);
	if (t->burst_ns < most)
		t->vtime = -(credit_us * NSEC_PER_USEC * (most - t->burst_ns) / most);
	if (scx_bpf_task_running(p)) {
		unseen = policy_unseen_ns(p);
		t->charged_ns -= unseen < t->charged_ns ? unseen : t->charged_ns;
	}
}
POLICY_TASK_STATE(struct interactive_task, interactive_task_start);

/*
 * The verifier must see that the very value that was compared becomes the index. Empty assembly keeps
 * the compiler from computing either from something else, or the address before the comparison.
 */
#define SAME_VALUE(n) asm volatile("" : "+r"(n))

#define ELEMENT_OF(array, length, n)                                                               \
	({                                                                                         \
		u64 n__ = (n);                                                                     \
		typeof(&array[0]) element__ = NULL;                                                \
                                                                                                   \
		SAME_VALUE(n__);                                                                   \
		if (n__ < (length)) {                                                              \
			SAME_VALUE(n__);                                                           \
			element__ = &array[n__];                                                   \
		}                                                                                  \
		element__;                                                                         \
	})

static struct queue *queue_of(u32 n)
{
	return ELEMENT_OF(queues, MAX_CACHES + MAX_CPUS, n);
}

/* A negative number becomes a very large one. */
static struct cpu *cpu_of(s32 n)
{
	return ELEMENT_OF(cpus, MAX_CPUS, n);
}

static s64 min_of(s64 a, s64 b)
{
	return a < b ? a : b;
}

static s64 clamp_of(s64 value, s64 low, s64 high)
{
	return value < low ? low : value > high ? high : value;
}

/* Virtual times wrap around, so only their difference can be compared. */
static bool vtime_before(u64 a, u64 b)
{
	return (s64)(a - b) < 0;
}

static u64 burst_cap_ns(u64 burst_ns)
{
	return min_of(burst_ns, burst_us * NSEC_PER_USEC);
}

/*
 * The functions below that are not static are verified once, by themselves, instead of once for each
 * way on which they are reached: loading takes a fraction of the time. Each returns a number, since
 * older kernels ask for that, and gets its tasks' values instead of the tasks.
 */

/* Lets the clock of queue n pass with real time, and measures how short slices must be. */
__noinline int clock_tick(struct queue *q __arg_nonnull, u32 n, u64 now)
{
	u64 passed = now - q->checked_at, slice = slice_us * NSEC_PER_USEC, rate = SLOW_RATE;
	u32 waiting;

	if ((s64)passed < (s64)CLOCK_NS)
		return 0;
	q->checked_at = now;
	waiting = scx_bpf_dsq_nr_queued(POLICY_DSQ(n));
	if (q->nr_cpus) {
		slice = slice * q->nr_cpus / (q->nr_cpus + waiting);
		rate = clamp_of(waiting * 3 / 2 / q->nr_cpus, SLOW_RATE, SLOWEST_RATE);
	}
	q->vtime += min_of(passed, CLOCK_MAX_NS) / rate;
	q->slice_ns = slice > slice_min_us * NSEC_PER_USEC ? slice : slice_min_us * NSEC_PER_USEC;
	return 0;
}

static void clock_advance(struct queue *q, u64 vtime)
{
	if (vtime_before(q->vtime, vtime))
		q->vtime = vtime;
}

/* How far a task may stand behind: what lies before that is forgotten. */
static u64 credit_ns(u32 weight)
{
	u64 credit = credit_us * NSEC_PER_USEC;

	return weight <= 100 ? credit : min_of(credit, MAX_CREDIT_RUN_NS * 100 / weight);
}

/* Brings t up to date, its task being about to wait or run in terms of queue n. */
__noinline int place(struct interactive_task *t __arg_nonnull, struct queue *q __arg_nonnull, u32 n,
		     u32 weight)
{
	struct queue *old;
	u64 slept, credit = credit_ns(weight);

	if (t->queue != n) {
		old = queue_of(t->queue);
		t->vtime += q->vtime - (old ? old->vtime : 0);
		t->queue = n;
	}
	if (vtime_before(t->vtime, q->vtime - credit)) {
		t->vtime = q->vtime - credit;
		stat_inc(raised);
	} else if (vtime_before(q->vtime + MAX_AHEAD_NS, t->vtime)) {
		t->vtime = q->vtime + MAX_AHEAD_NS;
		stat_inc(lowered);
	}
	if (t->slept_at) {
		/* Half of a burst is forgotten at each sleep, the rest in as much sleep as it lasted. */
		slept = scx_bpf_now() - t->slept_at;
		t->burst_ns = burst_cap_ns(t->burst_ns) / 2;
		t->burst_ns = slept < t->burst_ns ? t->burst_ns - slept : 0;
		t->slept_at = 0;
	}
	return 0;
}

static u64 deadline_of(const struct interactive_task *t)
{
	return t->vtime + burst_cap_ns(t->burst_ns);
}

/*
 * The deadline of the task on c by now, as distance from its queue's clock: distances can be compared
 * between queues.
 */
static s64 running_distance(const struct cpu *c, u64 now)
{
	const struct queue *q = queue_of(c->run_queue);
	u64 ran_ns = c->at && vtime_before(c->at, now) ? now - c->at : 0;

	if (!q)
		return 0;
	return c->run_vtime + ran_ns * 100 / (c->run_weight ?: 1) +
	       burst_cap_ns(c->run_burst_ns + ran_ns) - q->vtime;
}

/*
 * Who is woken through a pipe or a socket interrupts only tasks that have run for longer than this.
 * Otherwise a writer that goes on writing would lose the CPU to the reader at each message.
 */
#define SYNC_RUN_NS (3 * NSEC_PER_MSEC)

/*
 * Of pinned tasks, which on a machine with one CPU are all, the kernel does not say whether they are
 * woken so. One that slept for less than this and is woken by the very task that it would interrupt
 * may come back as fast as that writes: it has to have run for as long.
 */
#define SHORT_SLEEP_NS (250 * NSEC_PER_USEC)

/* How long the task on this CPU must have run before t, pinned here and not placed yet, interrupts it. */
static u64 min_run_ns(const struct interactive_task *t, u64 now)
{
	return t->slept_at && now - t->slept_at < SHORT_SLEEP_NS && in_task_context() ?
		       SHORT_SLEEP_NS :
		       0;
}

/* Whether a task runs on c, and began under this policy or has been met by it since. */
static bool runs_known(const struct cpu *c)
{
	return c->at && c->epoch == policy_epoch;
}

/* Whether nobody waits on CPU c itself, but for the task that another class has interrupted there. */
static bool is_free_to_take(const struct cpu *c, s32 cpu)
{
	return scx_bpf_dsq_nr_queued(SCX_DSQ_LOCAL_ON | cpu) <= c->is_cut;
}

/* Whether a task that runs on c, or is about to, goes before others since input woke it. */
static bool runs_first(const struct cpu *c, u64 now)
{
	return vtime_before(now, c->first_until);
}

/*
 * Whether a task of queue n with this distance may take CPU c from the one that runs there, and has
 * run for min_ns without a break. One that began under another policy is taken for a busy one.
 */
__noinline int may_preempt(const struct cpu *c __arg_nonnull, u32 n, s64 distance, u64 now,
			   u64 min_ns)
{
	if (runs_first(c, now))
		return false;
	distance += preempt_us * NSEC_PER_USEC;
	if (c->epoch != policy_epoch)
		return distance < (s64)(burst_us * NSEC_PER_USEC);
	if (!c->at && !c->is_cut)
		return false;
	if (c->at && (s64)(now - c->at) < (s64)min_ns)
		return false;
	if (n != c->run_queue)
		distance += n == c->cache ? c->debt_ns : -c->debt_ns;
	return distance < running_distance(c, now);
}

/*
 * A shared task and pinned ones have run and waited on CPU c in turns. The debt keeps their shares
 * right: it says by how much the clock of the shared queue has to go after that of the CPU's own.
 */
__noinline int settle(struct cpu *c __arg_nonnull, u32 own, u32 n, u64 vtime_used)
{
	const struct queue *q = queue_of(c->cache);
	u64 pinned, shared = scx_bpf_dsq_nr_queued(POLICY_DSQ(c->cache)) + (n != own);

	vtime_used = min_of(vtime_used, MAX_DEBT_NS);
	if (!shared) { /* the others want nothing: what they owe is paid back */
		c->debt_ns -= clamp_of(c->debt_ns, 0, vtime_used);
		return 0;
	}
	pinned = (scx_bpf_dsq_nr_queued(POLICY_DSQ(own)) + (n == own)) * (q ? q->nr_cpus : 1);
	if (!pinned)
		c->debt_ns += clamp_of(-c->debt_ns, 0, vtime_used);
	else if (n == own)
		c->debt_ns -= vtime_used * shared / (pinned + shared);
	else
		c->debt_ns += vtime_used * pinned / (pinned + shared);
	c->debt_ns = clamp_of(c->debt_ns, -MAX_DEBT_NS, MAX_DEBT_NS);
	return 0;
}

/* What runs on c from now on. */
static void begin(struct cpu *c, const struct task_struct *p, const struct interactive_task *t,
		  u64 now)
{
	c->run_vtime = t->vtime;
	c->run_burst_ns = t->burst_ns;
	c->run_queue = t->queue;
	c->run_weight = p->scx.weight;
	c->epoch = policy_epoch;
	c->at = now;
}

/*
 * Charges p what it used on c since the last time. Measured, not taken from the slice: the kernel
 * lengthens the slice of a task that nobody waits behind.
 */
static void charge(struct cpu *c, u32 own, const struct task_struct *p, struct interactive_task *t)
{
	u64 used_ns = p->se.sum_exec_runtime - t->charged_ns, vtime_used;

	vtime_used = used_ns * 100 / p->scx.weight;
	t->charged_ns = p->se.sum_exec_runtime;
	t->vtime += vtime_used;
	t->burst_ns += used_ns;
	if (c->has_pinned || t->queue == own)
		settle(c, own, t->queue, vtime_used);
}

static u64 slice_of(u32 n)
{
	const struct queue *q = queue_of(n);

	return q && q->slice_ns ? q->slice_ns : slice_us * NSEC_PER_USEC;
}

/*
 * The distance of the task that is first among those that wait for CPU c, whose own queue is own, and
 * in *n the queue that it is in; MAX_DISTANCE if nobody waits. With the CPU's lock held it also notes
 * when nobody is left in the CPU's own queue.
 */
#define MAX_DISTANCE (1LL << 62)

__noinline s64 first_waiting(struct cpu *c __arg_nonnull, u32 own, u32 *n __arg_nonnull,
			     bool is_locked)
{
	const struct queue *shared = queue_of(c->cache), *pinned = queue_of(own);
	s64 best = MAX_DISTANCE, distance;
	u64 deadline;

	*n = c->cache;
	if (!shared || !pinned)
		return best;
	if (scx_dsq_first_vtime(POLICY_DSQ(c->cache), &deadline))
		best = deadline - shared->vtime;
	if (!c->has_pinned)
		return best;
	if (!scx_dsq_first_vtime(POLICY_DSQ(own), &deadline)) {
		c->has_pinned = !is_locked;
		return best;
	}
	distance = deadline - pinned->vtime - c->debt_ns;
	if (distance < best) {
		best = distance;
		*n = own;
	}
	return best;
}

#endif /* SCXHID_INTERACTIVE_DEADLINE_H */
