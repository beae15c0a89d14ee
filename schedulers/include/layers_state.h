/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the scheduler layers keeps of tasks, queues and CPUs, and what it counts.
 */
#ifndef SCXHID_LAYERS_STATE_H
#define SCXHID_LAYERS_STATE_H

#include "input.h"
#include "layers_match.h"

/* The queue of layer n is the n-th. One more, for tasks that may run on no CPU of their layer. */
#define ANYWHERE  MAX_LAYERS
#define NR_QUEUES (MAX_LAYERS + 1)
#define NOTHING	  NR_QUEUES /* no layer, no queue */

#define NSEC_PER_USEC 1000ULL
#define NSEC_PER_MSEC 1000000ULL

#define WAIT_BUCKETS 24

/* What one CPU has counted of a layer. Read by `scxhid sched rules`. */
struct layer_count {
	u64 run_ns;
	u64 enqueued;
	u64 wait_ns; /* between queueing and running */
	u64 preempting;
	u64 preempted;
	u64 waits[WAIT_BUCKETS]; /* by log2 of the wait in units of 1,024 ns */
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, MAX_LAYERS);
	__type(key, u32);
	__type(value, struct layer_count);
} layer_counts SEC(".maps");

struct queue {
	u64 vtime_now;	 /* of the task that began to run last */
	u64 advanced_at; /* when that last moved, ns */
	u64 nr_tasks;	 /* that are alive and belong here, from NO_TASKS on; above, the epoch */
};

#define NO_TASKS (1ULL << 31)

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, NR_QUEUES);
	__type(key, u32);
	__type(value, struct queue);
} queues SEC(".maps");

/* What a CPU has given to whom. All vtimes are of layers, in ns at weight 100. */
struct cpu_state {
	u64 epoch;
	u64 vtime_now;	/* of the layer that was served last */
	u64 began_at;	/* when the task that runs began, ns */
	u32 running;	/* its queue, or NOTHING */
	u32 cut;	/* of the task that goes on when another class leaves the CPU, or NOTHING */
	u32 is_overdue; /* what queue_to_serve() found had waited for too long */
	u64 vtime[NR_QUEUES];
	u64 served_at[NR_QUEUES]; /* ns; or when the queue was last seen empty */
	u64 nr_pinned[NR_QUEUES]; /* tasks that wait and may run on this CPU only */
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct cpu_state);
} cpu_states SEC(".maps");

struct layers_task {
	struct looks looks;
	u32 home;	 /* the layer where it belongs, or NOTHING, before it was matched */
	u32 input_layer; /* the same while it runs for an input event */
	u32 layer;	 /* the one of both that counts now, or NOTHING */
	u32 queue;	 /* its layer, or ANYWHERE */
	u64 input_ns;	 /* it may run before others for so long, for an input event; 0: for none */
	u64 vtime;	 /* within the queue */
	u64 home_vtime;	 /* the same at home, while it is not there */
	u64 charged;	 /* CPU time (ns) of the task that is accounted for */
	u64 queued_at;	 /* ns; 0: it does not wait */
	u32 pinned_cpu_1; /* it counts there in nr_pinned[pinned_queue]; less one. 0: nowhere */
	u32 pinned_queue;
	bool may_interrupt; /* where its layer may */
};

static void layers_task_start(struct task_struct *p, struct layers_task *t)
{
	t->home = t->layer = t->queue = NOTHING;
	t->charged = p->se.sum_exec_runtime;
}

POLICY_TASK_STATE(struct layers_task, layers_task_start);

static u64 used_queues; /* bit n: something was put into queue n once */

/* ---- Small things ---- */

/* Virtual times wrap around, so only their difference can be compared. */
static bool vtime_before(u64 a, u64 b)
{
	return (s64)(a - b) < 0;
}

static u32 nr_cpus(void)
{
	u32 nr = scx_bpf_nr_cpu_ids();

	return nr < MAX_CPUS ? nr : MAX_CPUS;
}

static bool is_in(const u64 *words, s32 cpu)
{
	return words[(cpu >> 6) & (CPU_WORDS - 1)] >> (cpu & 63) & 1;
}

static struct cpu_state *cpu_state_of(s32 cpu)
{
	struct cpu_state *cs;
	u32 key = 0;

	cs = bpf_map_lookup_percpu_elem(&cpu_states, &key, cpu);
	if (cs && cs->epoch != policy_epoch) { /* another policy ran meanwhile */
		__builtin_memset(cs, 0, sizeof(*cs));
		cs->epoch = policy_epoch;
		cs->running = cs->cut = NOTHING;
	}
	return cs;
}

static struct queue *queue_at(u32 index)
{
	return bpf_map_lookup_elem(&queues, &index);
}

static struct layer_count *count_of(u32 layer)
{
	return bpf_map_lookup_elem(&layer_counts, &layer);
}

/* The settings of a layer; those of ANYWHERE are the default layer's. */
static struct layer *layer_at(struct rule_table *table, u32 index)
{
	return &table->layers[index < MAX_LAYERS ? index : DEFAULT_LAYER];
}

static u64 weight_of(const struct layer *layer)
{
	return layer->weight ?: 1;
}

static u32 log2_of(u64 n)
{
	u32 log = 0;

	if (n >> 16) {
		log += 16;
		n >>= 16;
	}
	if (n >> 8) {
		log += 8;
		n >>= 8;
	}
	if (n >> 4) {
		log += 4;
		n >>= 4;
	}
	if (n >> 2) {
		log += 2;
		n >>= 2;
	}
	return log + (n >> 1);
}

/* ---- Layers of tasks ---- */

static void count_task(u32 layer, s64 change)
{
	struct queue *q = queue_at(layer);
	u64 before;

	if (!q)
		return;
	before = q->nr_tasks;
	/* All are counted anew in an epoch; in one step, or what another CPU adds would be lost. */
	if (before >> 32 != (u32)policy_epoch)
		__sync_val_compare_and_swap(&q->nr_tasks, before, policy_epoch << 32 | NO_TASKS);
	__sync_fetch_and_add(&q->nr_tasks, change);
}

static u64 vtime_now_of(u32 layer)
{
	struct queue *q = queue_at(layer);

	return q ? q->vtime_now : 0;
}

/* p belongs into that layer from now on. */
static void settle(struct layers_task *t, u32 layer)
{
	if (layer == t->home)
		return;
	if (t->home != NOTHING) {
		stat_inc(moved);
		count_task(t->home, -1);
	}
	count_task(layer, 1);
	t->home = layer;
	t->home_vtime = vtime_now_of(layer);
	t->layer = NOTHING;
}

/*
 * Takes p to its layer for input, or home: the first as it queues, the second at once when the time
 * that it has for the event is used up. What it runs meanwhile it owes its own layer all the same.
 */
static void go_where_due(struct task_struct *p, struct layers_task *t, bool queues)
{
	bool may_differ = t->input_layer != t->home && (queues || t->input_ns);
	bool preempts = false;
	u32 layer;

	t->input_ns = may_differ ? input_first_how(p, &preempts) : 0;
	t->may_interrupt = !t->input_ns || preempts;
	layer = t->input_ns ? t->input_layer : t->home;
	if (layer == t->layer)
		return;
	if (t->layer == t->home)
		t->home_vtime = t->vtime;
	t->vtime = layer == t->home ? t->home_vtime : vtime_now_of(layer);
	t->layer = t->queue = layer;
}

/* The state of p, which is in the layer where it is due now. NULL: no memory. */
static struct layers_task *sorted(struct task_struct *p, bool queues)
{
	struct layers_task *t = POLICY_TASK(p);

	if (!t)
		return NULL;
	if (looks_changed(p, &t->looks) || t->home == NOTHING) {
		stat_inc(matched);
		settle(t, match(p, &t->looks, &t->input_layer));
	}
	go_where_due(p, t, queues);
	return t;
}

#endif /* SCXHID_LAYERS_STATE_H */
