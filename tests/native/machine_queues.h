/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel's part of machine.c: tasks, CPUs and queues, and the functions by which a scheduler's
 * source asks about them.
 */
#ifndef MACHINE_QUEUES_H
#define MACHINE_QUEUES_H

#define MAX_TASKS     256
#define MAX_QUEUES    1024
#define TICK_NS	      4000000ULL
#define DEFAULT_SLICE 20000000ULL
#define NEVER	      (~0ULL)
#define MAX_LATENCIES 100000

enum kind { HOG, SLEEPER, PAIR, WRITER, READER };

struct queue_of_tasks {
	struct sim_task *first[MAX_TASKS];
	int length;
};

struct sim_task {
	struct task_struct p; /* first: the policy's pointers are ours */
	struct cpumask allowed;
	enum kind kind;
	int cpu;
	u64 period_ns, burst_ns, input_ns;
	struct sim_task *peer;
	u64 left_ns, wakes_at, woke_at, runs_since, waits_since, had_ns, longest_ns;
	bool is_on_cpu;
	bool is_direct; /* select_cpu has inserted it: where, and how */
	u64 direct_id, direct_slice, direct_vtime, direct_flags;
	int nr_latencies;
	u64 latencies[MAX_LATENCIES];
};

struct sim_cpu {
	struct sim_task *now;
	struct queue_of_tasks local;
	u64 ticks_at, counted_at;
	bool must_schedule;
};

static u64 now_ns = 1000000000000ULL;
static struct sim_cpu machine[64];
static struct queue_of_tasks dsqs[MAX_QUEUES], global;
static struct sim_task *tasks[MAX_TASKS];
static int nr_tasks, nr_machine, this_cpu;
static bool is_selecting, is_task_waking;

static struct sim_task *sim(const struct task_struct *p)
{
	return (struct sim_task *)p;
}

/* ---- Queues ---- */

static struct queue_of_tasks *find_queue(u64 id, int cpu)
{
	if (id == SCX_DSQ_LOCAL)
		return &machine[cpu].local;
	if ((id & SCX_DSQ_LOCAL_ON) == SCX_DSQ_LOCAL_ON)
		return &machine[id & 63].local;
	return id == SCX_DSQ_GLOBAL ? &global : &dsqs[id];
}

static void put_at(struct queue_of_tasks *q, struct sim_task *t, int at)
{
	memmove(q->first + at + 1, q->first + at, (q->length - at) * sizeof(*q->first));
	q->first[at] = t;
	q->length++;
}

static struct sim_task *take_from(struct queue_of_tasks *q, int at)
{
	struct sim_task *t = q->first[at];

	q->length--;
	memmove(q->first + at, q->first + at + 1, (q->length - at) * sizeof(*q->first));
	return t;
}

static void put_local(struct sim_task *t, int cpu, u64 flags)
{
	struct sim_cpu *c = &machine[cpu];

	put_at(&c->local, t, flags & (SCX_ENQ_PREEMPT | SCX_ENQ_HEAD) ? 0 : c->local.length);
	if ((flags & SCX_ENQ_PREEMPT) && c->now)
		c->now->p.scx.slice = 0;
	if (!c->now || (flags & SCX_ENQ_PREEMPT))
		c->must_schedule = true;
}

bool scx_bpf_dsq_insert(struct task_struct *p, u64 id, u64 slice, u64 flags)
{
	struct sim_task *t = sim(p);
	struct queue_of_tasks *q;

	if (is_selecting) {
		t->is_direct = true;
		t->direct_id = id;
		t->direct_slice = slice;
		t->direct_flags = flags;
		return true;
	}
	p->scx.slice = slice;
	q = find_queue(id, t->cpu);
	if (id == SCX_DSQ_LOCAL)
		put_local(t, t->cpu, flags);
	else
		put_at(q, t, q->length);
	return true;
}

bool scx_bpf_dsq_insert_vtime(struct task_struct *p, u64 id, u64 slice, u64 vtime, u64 flags)
{
	struct queue_of_tasks *q = &dsqs[id];
	int at = 0;

	if (is_selecting) {
		scx_bpf_dsq_insert(p, id, slice, flags);
		sim(p)->direct_vtime = vtime;
		return true;
	}
	p->scx.slice = slice;
	p->scx.dsq_vtime = vtime;
	while (at < q->length && (s64)(q->first[at]->p.scx.dsq_vtime - vtime) <= 0)
		at++;
	put_at(q, sim(p), at);
	return true;
}

static bool move_to(struct queue_of_tasks *q, int cpu)
{
	int at;

	for (at = 0; at < q->length; at++) {
		if (!bpf_cpumask_test_cpu(cpu, &q->first[at]->allowed))
			continue;
		q->first[at]->cpu = cpu;
		put_at(&machine[cpu].local, take_from(q, at), machine[cpu].local.length);
		return true;
	}
	return false;
}

bool scx_bpf_dsq_move_to_local(u64 id)
{
	return move_to(&dsqs[id], this_cpu);
}

s32 scx_bpf_dsq_nr_queued(u64 id)
{
	return find_queue(id, 0)->length;
}

bool scx_dsq_first_vtime(u64 id, u64 *vtime)
{
	if (!dsqs[id].length)
		return false;
	*vtime = dsqs[id].first[0]->p.scx.dsq_vtime;
	return true;
}

struct task_struct *bpf_iter_scx_dsq_next(struct bpf_iter_scx_dsq *it)
{
	return NULL; /* of use at hotplug only, and no CPU goes here */
}

bool scx_bpf_dsq_move(struct bpf_iter_scx_dsq *it, struct task_struct *p, u64 id, u64 flags)
{
	return false;
}

s32 policy_create_dsq(u32 n, s32 node)
{
	return n < MAX_QUEUES ? 0 : -12; /* ENOMEM */
}

/* ---- The rest that a policy asks the kernel ---- */

u64 scx_bpf_now(void)
{
	return now_ns;
}

bool in_task_context(void)
{
	return is_task_waking;
}

s32 scx_bpf_nr_cpu_ids(void)
{
	return nr_machine;
}

u32 bpf_get_smp_processor_id(void)
{
	return this_cpu;
}

u32 bpf_get_prandom_u32(void)
{
	return rand();
}

s32 scx_bpf_task_cpu(const struct task_struct *p)
{
	return sim(p)->cpu;
}

bool scx_bpf_task_running(const struct task_struct *p)
{
	return sim(p)->is_on_cpu;
}

u64 policy_unseen_ns(const struct task_struct *p)
{
	return now_ns - sim(p)->runs_since;
}

void scx_bpf_task_set_slice(struct task_struct *p, u64 slice)
{
	p->scx.slice = slice;
}

static struct cpumask all_cpus(void)
{
	return (struct cpumask){ nr_machine == 64 ? ~0ULL : (1ULL << nr_machine) - 1 };
}

const struct cpumask *scx_bpf_get_online_cpumask(void)
{
	static struct cpumask online;

	online = all_cpus();
	return &online;
}

bool scx_bpf_test_and_clear_cpu_idle(s32 cpu)
{
	return !machine[cpu].now && !machine[cpu].local.length;
}

const struct cpumask *scx_bpf_get_idle_smtmask(void)
{
	static struct cpumask idle;
	int cpu;

	idle.bits = 0;
	for (cpu = 0; cpu < nr_machine; cpu++)
		idle.bits |= (u64)scx_bpf_test_and_clear_cpu_idle(cpu) << cpu;
	return &idle;
}

s32 scx_bpf_pick_idle_cpu(const struct cpumask *allowed, u64 flags)
{
	int cpu;

	for (cpu = 0; cpu < nr_machine; cpu++)
		if (bpf_cpumask_test_cpu(cpu, allowed) && scx_bpf_test_and_clear_cpu_idle(cpu))
			return cpu;
	return -1;
}

s32 scx_bpf_select_cpu_dfl(struct task_struct *p, s32 prev_cpu, u64 wake_flags, bool *is_idle)
{
	s32 cpu = scx_bpf_test_and_clear_cpu_idle(prev_cpu) ? prev_cpu :
							      scx_bpf_pick_idle_cpu(p->cpus_ptr, 0);

	*is_idle = cpu >= 0;
	return *is_idle ? cpu : prev_cpu;
}

void scx_bpf_kick_cpu(s32 cpu, u64 flags)
{
	machine[cpu].must_schedule = true;
}

#endif /* MACHINE_QUEUES_H */
