// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * layers: tasks are sorted into layers by rules, and each layer is treated as its rules say.
 *
 * The rules come from a file (`scxhid sched rules FILE`) and are changed while this runs. They look
 * at a task's name, cgroup, uid, nice value, whether it is a kernel thread, and whether it runs for an
 * input event just now; the first that fits decides. A layer has a weight, a slice, a set of CPUs, a latency class, and may preempt others.
 *
 * Each layer has a queue, in order of its tasks' weighted virtual time, so nice values count within
 * a layer. On each CPU the layers take turns: every CPU keeps for each layer the time that it gave
 * it, divided by the layer's weight, and serves the one that is furthest behind. An interactive layer
 * comes a little before its turn and a batch layer a little after it (latency_bonus_us), which
 * changes who is first and not how much anybody gets.
 *
 * No layer starves: one that has waited on a CPU for longest_wait_ms, divided by how many of its
 * tasks wait for each CPU, is served whatever the shares say.
 *
 * Good for: machines whose work falls into kinds that deserve different treatment: a game before a
 * compilation, a service on its own CPUs.
 *
 * Where it fails: shares are kept on each CPU by itself, so a layer with fewer runnable tasks than
 * CPUs may get less than its weight says, and one with a tiny weight gets more, since nobody may wait
 * for long. One queue for each layer does not scale to hundreds of CPUs, and tasks wander. A task
 * that has a CPU for itself stays there when its layer loses that CPU, until something else wants to
 * run there: the kernel asks nobody as long as nobody waits. cpu.weight and cpu.max of cgroups are
 * not honoured.
 */
#include "policy.h"
#include "offline.h"

char _license[] SEC("license") = "GPL";

ABOUT("rules sort tasks into layers, each with its weight, slice, CPUs and latency",
      "machines whose work falls into kinds: games, services, batch");
IGNORES("cpu.weight, cpu.max, cpu.idle");
HOSTABLE(0, "select_cpu enqueue dispatch tick running stopping quiescent disable cpu_online "
	    "cpu_offline");

/* How far a task may stand behind the others of its layer, and ahead of them, in virtual time. */
#define MAX_BEHIND_NS (10 * NSEC_PER_MSEC)
#define MAX_AHEAD_NS  (50 * NSEC_PER_MSEC)

/* Virtual time passes at no less than one part in so many of real time: see advance(). */
#define SLOWEST_RATE 8

/* A heavy task may go on before others of its layer for so long. */
#define MAX_STAY_NS (50 * NSEC_PER_MSEC)

KNOB(u64, longest_wait_ms, 400, 50, 700, "ms", "no layer with a task waits longer on a CPU");
KNOB(u64, latency_bonus_us, 8000, 0, 50000, "us",
     "how far an interactive layer may come before its turn, a batch one after it");

STAT(placed_idle, "tasks placed straight on an idle CPU");
STAT(placed_kthread, "kernel threads of one CPU placed there, ahead of all queues");
STAT(queued, "tasks placed in the queue of a layer");
STAT(queued_anywhere,
     "tasks that may run on no CPU of their layer, placed in the queue for all CPUs");
STAT(matched, "times a task was matched with the rules");
STAT(moved, "times that put it into another layer");
STAT(for_input, "times a task was placed or queued by a rule for input");
STAT(overdue, "times a layer was served because it had waited for too long");
STAT(stayed, "times a task went on after its slice, being behind its share");
STAT(preempted, "times a task was interrupted for one of a layer that may preempt");
STAT(idle_kicked, "idle CPUs woken for a task that was not placed on one");
STAT(queues_empty, "times a CPU looked for work and found none");

/* These use the knobs and the statistics. */
#include "layers_turns.h"
#include "layers_waiting.h"

/* ---- The callbacks, in the order in which a task meets them ---- */

s32 POLICY_OP(layers_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	struct rule_table *table = table_of(rules_version);
	struct layers_task *t = sorted(p, true);
	struct layer *layer;
	bool is_idle = false;
	s32 cpu;
	u32 other, nr = nr_cpus();

	if (!t || !table)
		return scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &is_idle);
	layer = layer_at(table, t->layer);
	if (queue_for(p, layer, t->layer) != ANYWHERE && has_own_cpus(layer, t->layer)) {
		cpu = claim_idle(p, layer, prev_cpu);
		is_idle = cpu >= 0;
	} else {
		cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &is_idle);
	}
	if (is_idle) {
		stat_inc(placed_idle);
		t->queue = t->layer;
		begin_wait(p, t);
		scx_bpf_dsq_insert(p, SCX_DSQ_LOCAL, slice_of(t, layer, t->layer), 0);
		return cpu;
	}
	if (layer->preempt && t->may_interrupt && !may_preempt(table, layer, t->layer, prev_cpu)) {
		bpf_for(other, 0, nr) {
			if ((!layer->has_cpus || is_in(layer->cpus, other)) &&
			    bpf_cpumask_test_cpu(other, p->cpus_ptr) &&
			    may_preempt(table, layer, t->layer, other))
				return other;
		}
	}
	return cpu >= 0 ? cpu : prev_cpu;
}

void POLICY_OP(layers_enqueue, struct task_struct *p, u64 enq_flags)
{
	struct rule_table *table = table_of(rules_version);
	struct layers_task *t = sorted(p, true);
	struct cpu_state *cs;
	struct layer *layer;
	struct queue *q;
	u64 bit, slice;
	s32 cpu = scx_bpf_task_cpu(p);

	if (!t || !table) {
		scx_bpf_dsq_insert(p, SCX_DSQ_GLOBAL, SCX_SLICE_DFL, enq_flags);
		return;
	}
	layer = layer_at(table, t->layer);
	t->queue = queue_for(p, layer, t->layer);
	begin_wait(p, t);
	slice = slice_of(t, layer, t->queue);

	if (layer->preempt && t->may_interrupt && (enq_flags & SCX_ENQ_WAKEUP) &&
	    serves(table, t->queue, cpu, scx_bpf_now()) &&
	    may_preempt(table, layer, t->queue, cpu)) {
		struct layer_count *ours = count_of(t->layer), *others;

		cs = cpu_state_of(cpu);
		others = cs ? count_of(holder_of(cs)) : NULL;
		if (ours)
			ours->preempting++;
		if (others)
			others->preempted++;
		stat_inc(preempted);
		scx_bpf_dsq_insert(p, SCX_DSQ_LOCAL, slice, enq_flags | SCX_ENQ_PREEMPT);
		return;
	}
	/* They serve everybody on their CPU, and are brief. Only when they wake, or one could stay. */
	if ((p->flags & PF_KTHREAD) && p->nr_cpus_allowed == 1 && (enq_flags & SCX_ENQ_WAKEUP)) {
		stat_inc(placed_kthread);
		scx_bpf_dsq_insert(p, SCX_DSQ_LOCAL, slice, enq_flags);
		return;
	}

	q = queue_at(t->queue);
	if (q && vtime_before(t->vtime, q->vtime_now - MAX_BEHIND_NS))
		t->vtime = q->vtime_now - MAX_BEHIND_NS;
	else if (q && vtime_before(q->vtime_now + MAX_AHEAD_NS, t->vtime))
		t->vtime = q->vtime_now + MAX_AHEAD_NS;
	if (t->queue == ANYWHERE)
		stat_inc(queued_anywhere);
	else
		stat_inc(queued);
	bit = 1ULL << (t->queue & 63);
	if (!(used_queues & bit))
		__sync_fetch_and_or(&used_queues, bit);
	if (p->nr_cpus_allowed == 1)
		begin_pinned_wait(p, t);
	scx_bpf_dsq_insert_vtime(p, POLICY_DSQ(t->queue), slice, t->vtime, enq_flags);
	wake_idle_cpu(p, layer, t->queue);
}

/*
 * Whether prev, whose slice is used up, goes on rather than the first of that queue. The kernel
 * queues prev only after this, so nobody else compares it with those that wait.
 */
static bool stays(struct layers_task *t, struct cpu_state *cs, struct rule_table *table, u32 queue,
		  u64 now)
{
	struct queue *q;

	if (cs->is_overdue)
		return false;
	if (queue != t->queue)
		return vtime_before(turn_of(cs, layer_at(table, t->queue), t->queue),
				    turn_of(cs, layer_at(table, queue), queue));
	q = queue_at(queue);
	return q && vtime_before(t->vtime, q->vtime_now) && now - cs->began_at < MAX_STAY_NS;
}

static void leave(s32 cpu)
{
	u32 queue;

	bpf_for(queue, 0, NR_QUEUES)
		leave_cpu(POLICY_DSQ(queue), cpu);
}

/* A CPU has nothing left in its local DSQ. The kernel skips tasks that may not run on it. */
void POLICY_OP(layers_dispatch, s32 cpu, struct task_struct *prev)
{
	struct rule_table *table = table_of(rules_version);
	struct cpu_state *cs = cpu_state_of(cpu);
	struct layers_task *t = NULL;
	u64 now = scx_bpf_now(), passed = 0;
	s32 leaving = take_leaving();
	u32 turn, queue;

	if (leaving != NO_CPU)
		leave(leaving);
	if (!table || !cs)
		return;
	look_up_if_due(table, now);
	if (prev && (prev->scx.flags & SCX_TASK_QUEUED)) {
		t = POLICY_TASK(prev);
		if (t && t->layer != NOTHING) {
			charge(prev, t, cs, table);
			go_where_due(prev, t, false);
		}
		if (t && (t->queue >= NR_QUEUES || !serves(table, t->queue, cpu, now)))
			t = NULL;
	}
	bpf_for(turn, 0, NR_QUEUES) {
		queue = queue_to_serve(cpu, now, passed);
		if (queue >= NR_QUEUES)
			break;
		if (prev && t && stays(t, cs, table, queue, now)) {
			stat_inc(stayed);
			break;
		}
		if (scx_bpf_dsq_move_to_local(POLICY_DSQ(queue))) {
			if (cs->is_overdue)
				stat_inc(overdue);
			cs->served_at[queue] = now;
			return;
		}
		/* All that wait there may not run here. */
		cs->served_at[queue] = now;
		passed |= 1ULL << queue;
	}
	if (prev && t) { /* the kernel would give it a slice of 20 ms */
		cs->running = t->queue;
		give_turn(cs, t->queue, now);
		scx_bpf_task_set_slice(prev, slice_of(t, layer_at(table, t->queue), t->queue));
	} else {
		stat_inc(queues_empty);
	}
}

void POLICY_OP(layers_running, struct task_struct *p)
{
	struct layers_task *t = POLICY_TASK(p);
	struct cpu_state *cs = cpu_state_of(scx_bpf_task_cpu(p));
	u64 now = scx_bpf_now();
	struct queue *q;

	if (!t || !cs)
		return;
	if (t->layer == NOTHING)
		t = sorted(p, true);
	if (!t)
		return;
	t->charged = p->se.sum_exec_runtime;
	end_wait(t, now);
	end_pinned_wait(t);
	cs->running = t->queue;
	cs->cut = NOTHING;
	cs->began_at = now;
	give_turn(cs, t->queue, now);
	q = queue_at(t->queue);
	if (!q)
		return;
	advance(q, t->vtime, now);
	/* One that came here past the queue may have slept for long. */
	if (vtime_before(t->vtime, q->vtime_now - MAX_BEHIND_NS))
		t->vtime = q->vtime_now - MAX_BEHIND_NS;
}

/* p runs on. If its layer lost this CPU, or it is due in another layer, it shall leave it. */
void POLICY_OP(layers_tick, struct task_struct *p)
{
	struct rule_table *table = table_of(rules_version);
	s32 cpu = scx_bpf_task_cpu(p);
	struct cpu_state *cs = cpu_state_of(cpu);
	struct layers_task *t = POLICY_TASK(p);
	u32 before;

	if (!t || !cs || !table || t->layer == NOTHING)
		return;
	charge(p, t, cs, table);
	before = t->layer;
	t = sorted(p, false);
	if (!t)
		return;
	if (t->layer != before ||
	    (t->queue != ANYWHERE && !serves(table, t->queue, cpu, scx_bpf_now())))
		scx_bpf_task_set_slice(p, 0);
}

void POLICY_OP(layers_stopping, struct task_struct *p, bool runnable)
{
	struct rule_table *table = table_of(rules_version);
	struct cpu_state *cs = cpu_state_of(scx_bpf_task_cpu(p));
	struct layers_task *t = POLICY_TASK(p);

	if (!t || !cs || !table)
		return;
	if (t->layer != NOTHING)
		charge(p, t, cs, table);
	cs->running = NOTHING;
	/* With a slice left the kernel has put it at the head of the CPU's own queue. */
	cs->cut = runnable && p->scx.slice ? t->queue : NOTHING;
	if (!runnable)
		note_leaving(p);
}

/* p waits no longer: it sleeps, or is taken out of the queue to be changed. */
void POLICY_OP(layers_quiescent, struct task_struct *p, u64 deq_flags)
{
	struct layers_task *t = POLICY_TASK(p);

	if (t) {
		t->queued_at = 0;
		end_pinned_wait(t);
	}
}

/* p leaves sched_ext: it ends, or gets another scheduling class. */
void POLICY_OP(layers_disable, struct task_struct *p)
{
	struct layers_task *t = POLICY_TASK(p);

	if (!t)
		return;
	end_pinned_wait(t);
	if (t->home != NOTHING)
		count_task(t->home, -1);
	t->home = t->layer = t->queue = NOTHING;
}

void POLICY_OP(layers_cpu_online, s32 cpu)
{
	__sync_fetch_and_and(&going_offline[(cpu >> 6) & (CPU_WORDS - 1)], ~(1ULL << (cpu & 63)));
	looked_up_at = 0;
}

/* The CPU still counts as online for the kernel, and will not run anything any more. */
void POLICY_OP(layers_cpu_offline, s32 cpu)
{
	u32 other;

	__sync_fetch_and_or(&going_offline[(cpu >> 6) & (CPU_WORDS - 1)], 1ULL << (cpu & 63));
	looked_up_at = 0;
	swept_until = scx_bpf_now() + SWEEP_NS;
	leave(cpu);
	if (!can_kick_cpu())
		return;
	bpf_for(other, 0, nr_cpus())
		scx_bpf_kick_cpu(other, SCX_KICK_IDLE);
}

POLICY_INIT(layers)
{
	u32 queue;
	s32 err = set_first_rules();

	bpf_for(queue, 0, NR_QUEUES) {
		if (!err)
			err = policy_create_dsq(queue, -1); /* -1: memory from any NUMA node */
	}
	return err;
}

POLICY_FINI(layers)
{
}

SEC(".struct_ops.link")
struct sched_ext_ops layers = {
	.select_cpu = (void *)layers_select_cpu,
	.enqueue = (void *)layers_enqueue,
	.dispatch = (void *)layers_dispatch,
	.tick = (void *)layers_tick,
	.running = (void *)layers_running,
	.stopping = (void *)layers_stopping,
	.quiescent = (void *)layers_quiescent,
	.disable = (void *)layers_disable,
	.cpu_online = (void *)layers_cpu_online,
	.cpu_offline = (void *)layers_cpu_offline,
	.init = (void *)layers_init,
	.exit = (void *)layers_exit,
	.timeout_ms = 3000,
	.name = "layers",
};
