// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A machine in virtual time around one scheduler's source: CPUs with a 4 ms tick, tasks that compute,
 * sleep or pass a token to and fro, and sched_ext's rules for who is asked when (ext.c: dispatch_one,
 * put_prev_task_scx, local_dsq_post_enq). Switches and wake-ups take no time, so that what is
 * measured is the policy alone. At most 64 CPUs.
 *
 *	cc -DPOLICY=interactive -DSOURCE='"…/interactive.bpf.c"' -include standin.h machine.c
 *	./a.out CPUS WARM_MS MS [queue_cpus=N][,swap_ms=N]|- TASK …
 *
 * TASK is hog|sleeper|pair|stream:weight=W,cpu=C,period_us=P,burst_us=B; without cpu it may use any. A
 * pair is two tasks, and so is a stream: one that writes every P and never sleeps, one that reads. With
 * input_us=I each wake-up is one by input, and worth so much CPU time.
 * One line for each task: kind, CPU time / time, wakes, p50, p99 and longest wake-up in µs, longest
 * wait in µs. With swap_ms the policy is hosted, and changed for itself so often.
 */
#include <stdio.h>
#include <stdlib.h>
#include SOURCE

#include "machine_queues.h"

#define PASTE_(a, b)   a##_##b
#define PASTE(a, b)    PASTE_(a, b)
#define CALL(callback) PASTE(POLICY, callback)

static const char *const KINDS[] = { "hog", "sleeper", "pair", "writer", "reader" };

static u64 swap_ns, swaps_at = NEVER;

/* ---- CPUs ---- */

static void count(int cpu)
{
	struct sim_cpu *c = &machine[cpu];
	u64 passed = now_ns - c->counted_at;
	struct sim_task *t = c->now;

	c->counted_at = now_ns;
	if (!t)
		return;
	t->p.se.sum_exec_runtime += passed;
	t->p.scx.slice -= t->p.scx.slice < passed ? t->p.scx.slice : passed;
	t->left_ns -= t->left_ns < passed ? t->left_ns : passed;
}

static void note_wait(struct sim_task *t)
{
	if (now_ns - t->waits_since > t->longest_ns)
		t->longest_ns = now_ns - t->waits_since;
}

static void start(struct sim_cpu *c, int cpu, struct sim_task *t)
{
	c->now = t;
	t->cpu = cpu;
	t->is_on_cpu = true;
	t->runs_since = now_ns;
	note_wait(t);
	if (t->woke_at && t->nr_latencies < MAX_LATENCIES)
		t->latencies[t->nr_latencies++] = now_ns - t->woke_at;
	t->woke_at = 0;
	CALL(running)(&t->p);
}

static void schedule(int cpu)
{
	struct sim_cpu *c = &machine[cpu];
	struct sim_task *prev = c->now, *next;

	c->must_schedule = false;
	this_cpu = cpu;
	if (prev && !(prev->p.scx.flags & SCX_TASK_QUEUED)) {
		CALL(stopping)(&prev->p, false);
#ifdef HAS_GROUPS
		CALL(quiescent)(&prev->p, 0);
#endif
		prev->is_on_cpu = false;
		c->now = prev = NULL;
	}
	if (prev && prev->p.scx.slice)
		return;
	if (!c->local.length && !move_to(&global, cpu)) {
		CALL(dispatch)(cpu, prev ? &prev->p : NULL);
		if (prev && prev->p.scx.slice)
			return;
	}
	if (!c->local.length) {
		if (prev)
			prev->p.scx.slice = DEFAULT_SLICE;
		return;
	}
	next = take_from(&c->local, 0);
	if (prev) {
		CALL(stopping)(&prev->p, true);
		prev->is_on_cpu = false;
		prev->waits_since = now_ns;
		c->now = NULL;
		CALL(enqueue)(&prev->p, 0);
	}
	start(c, cpu, next);
}

static void wake(struct sim_task *t, u64 wake_flags)
{
	u64 flags = SCX_ENQ_WAKEUP;

	t->p.scx.flags |= SCX_TASK_QUEUED;
	t->waits_since = t->woke_at = now_ns;
	t->left_ns = t->burst_ns;
	if (t->input_ns)
		t->p.input_end = t->p.se.sum_exec_runtime + t->input_ns;
#ifdef HAS_GROUPS
	CALL(runnable)(&t->p, flags);
#endif
	if (t->p.nr_cpus_allowed > 1) {
		t->is_direct = false;
		is_selecting = true;
		t->cpu = CALL(select_cpu)(&t->p, t->cpu, wake_flags);
		is_selecting = false;
		flags |= SCX_ENQ_CPU_SELECTED;
	}
	if (t->p.nr_cpus_allowed > 1 && t->is_direct && t->direct_id < SCX_DSQ_GLOBAL)
		scx_bpf_dsq_insert_vtime(&t->p, t->direct_id, t->direct_slice, t->direct_vtime,
					 t->direct_flags);
	else if (t->p.nr_cpus_allowed > 1 && t->is_direct)
		scx_bpf_dsq_insert(&t->p, t->direct_id, t->direct_slice, t->direct_flags);
	else
		CALL(enqueue)(&t->p, flags);
	if (!machine[t->cpu].now)
		machine[t->cpu].must_schedule = true;
}

/* What t had to do is done: it sleeps, gives the token to its peer, or has written and goes on. */
static void finish(struct sim_task *t, int cpu)
{
	this_cpu = cpu;
	is_task_waking = true;
	if (t->kind == WRITER) {
		t->left_ns = t->period_ns;
		if (!(t->peer->p.scx.flags & SCX_TASK_QUEUED))
			wake(t->peer, SCX_WAKE_SYNC);
		is_task_waking = false;
		return;
	}
	t->p.scx.flags &= ~SCX_TASK_QUEUED;
	t->p.nvcsw++;
	if (t->kind == PAIR)
		wake(t->peer, SCX_WAKE_SYNC);
	else if (t->kind == SLEEPER)
		t->wakes_at = now_ns + t->period_ns * (500 + rand() % 1000) / 1000;
	is_task_waking = false;
	schedule(cpu);
}

/* A gapless change: what was known of the tasks is stale, and those that wait are queued anew. */
static void swap(void)
{
	int i, left;

	policy_epoch++;
	for (i = 0; i < MAX_QUEUES; i++)
		for (left = dsqs[i].length; left; left--) {
			struct sim_task *t = take_from(&dsqs[i], 0);

			this_cpu = t->cpu;
			CALL(enqueue)(&t->p, SCX_ENQ_REENQ);
		}
}

static u64 next_event(u64 end)
{
	u64 next = swaps_at < end ? swaps_at : end;
	int i;

	for (i = 0; i < nr_machine; i++) {
		const struct sim_cpu *c = &machine[i];

		if (c->ticks_at < next)
			next = c->ticks_at;
		if (c->now && now_ns + c->now->left_ns < next)
			next = now_ns + c->now->left_ns;
	}
	for (i = 0; i < nr_tasks; i++)
		if (tasks[i]->wakes_at < next)
			next = tasks[i]->wakes_at;
	return next;
}

static void run_until(u64 end)
{
	bool again;
	int i;

	while (now_ns < end) {
		do {
			again = false;
			for (i = 0; i < nr_machine; i++) {
				if (!machine[i].must_schedule)
					continue;
				schedule(i);
				again = true;
			}
		} while (again);
		now_ns = next_event(end);
		for (i = 0; i < nr_machine; i++)
			count(i);
		if (swaps_at <= now_ns) {
			swaps_at += swap_ns;
			swap();
		}
		for (i = 0; i < nr_tasks; i++) {
			if (tasks[i]->wakes_at > now_ns)
				continue;
			tasks[i]->wakes_at = NEVER;
			this_cpu = tasks[i]->cpu;
			wake(tasks[i], 0);
		}
		for (i = 0; i < nr_machine; i++) {
			struct sim_cpu *c = &machine[i];

			if (c->now && !c->now->left_ns)
				finish(c->now, i);
			if (c->ticks_at > now_ns)
				continue;
			c->ticks_at += TICK_NS;
#ifdef HAS_TICK
			count(i);
			this_cpu = i;
			if (c->now)
				CALL(tick)(&c->now->p);
#endif
			c->must_schedule |= c->now && !c->now->p.scx.slice;
		}
	}
}

/* ---- What the caller wants ---- */

static u64 word(const char *text, const char *name, u64 otherwise)
{
	const char *found = strstr(text, name);

	return found ? strtoull(found + strlen(name), NULL, 10) : otherwise;
}

static struct sim_task *add_task(enum kind kind, const char *text)
{
	struct sim_task *t = calloc(1, sizeof(*t));
	int cpu = (int)word(text, "cpu=", NEVER);

	t->kind = kind;
	t->p.pid = nr_tasks + 1;
	t->p.group = word(text, "group=", 0);
	t->p.input_group = word(text, "input=", 0);
	t->p.scx.weight = word(text, "weight=", 100);
	t->allowed = cpu < 0 ? all_cpus() : (struct cpumask){ 1ULL << cpu };
	t->p.cpus_ptr = &t->allowed;
	t->p.nr_cpus_allowed = cpu < 0 ? nr_machine : 1;
	t->cpu = cpu < 0 ? nr_tasks % nr_machine : cpu;
	t->period_ns = word(text, "period_us=", 2000) * 1000;
	t->burst_ns = kind == HOG ? NEVER / 4 : word(text, "burst_us=", 20) * 1000;
	t->input_ns = word(text, "input_us=", 0) * 1000;
	t->wakes_at = now_ns + 1000 * nr_tasks;
	tasks[nr_tasks++] = t;
	return t;
}

static void add(const char *text)
{
	struct sim_task *a, *b;

#ifdef HAS_GROUPS
	if (!strncmp(text, "group:", 6)) {
		add_group(word(text, "id=", 0), word(text, "weight=", 100),
			  word(text, "parent=", 0));
		return;
	}
#endif
	if (!strncmp(text, "hog", 3)) {
		add_task(HOG, text);
	} else if (!strncmp(text, "sleeper", 7)) {
		add_task(SLEEPER, text);
	} else if (!strncmp(text, "pair", 4)) {
		a = add_task(PAIR, text);
		b = add_task(PAIR, text);
		a->peer = b;
		b->peer = a;
		b->wakes_at = NEVER;
	} else if (!strncmp(text, "stream", 6)) {
		a = add_task(WRITER, text);
		b = add_task(READER, text);
		a->peer = b;
		a->burst_ns = a->period_ns;
		b->wakes_at = NEVER;
	} else {
		fprintf(stderr, "what is %s?\n", text);
		exit(2);
	}
}

static int by_size(const void *a, const void *b)
{
	u64 x = *(const u64 *)a, y = *(const u64 *)b;

	return x < y ? -1 : x > y;
}

static void report(struct sim_task *t, u64 time_ns)
{
	int n = t->nr_latencies;
	u64 *of = t->latencies;

	if (!t->is_on_cpu && (t->p.scx.flags & SCX_TASK_QUEUED))
		note_wait(t);
	qsort(of, n, sizeof(*of), by_size);
	printf("%s %.6f %d %llu %llu %llu %llu\n", KINDS[t->kind],
	       (double)(t->p.se.sum_exec_runtime - t->had_ns) / time_ns, n,
	       n ? (unsigned long long)of[n / 2] / 1000 : 0,
	       n ? (unsigned long long)of[n * 99 / 100] / 1000 : 0,
	       n ? (unsigned long long)of[n - 1] / 1000 : 0,
	       (unsigned long long)t->longest_ns / 1000);
}

int main(int argc, char **argv)
{
	u64 warm_ns, time_ns;
	int i;

	if (argc < 5)
		return 2;
	nr_machine = atoi(argv[1]);
	warm_ns = strtoull(argv[2], NULL, 10) * 1000000;
	time_ns = strtoull(argv[3], NULL, 10) * 1000000;
	queue_cpus = word(argv[4], "queue_cpus=", 0);
	swap_ns = word(argv[4], "swap_ms=", 0) * 1000000;
	if (swap_ns)
		swaps_at = now_ns + swap_ns;
	if (CALL(init)())
		return 1;
	for (i = 5; i < argc && nr_tasks < MAX_TASKS - 2; i++)
		add(argv[i]);
	for (i = 0; i < nr_machine; i++)
		machine[i].ticks_at = now_ns + 1 + i * TICK_NS / nr_machine;
	run_until(now_ns + warm_ns);
	for (i = 0; i < nr_tasks; i++) {
		tasks[i]->had_ns = tasks[i]->p.se.sum_exec_runtime;
		tasks[i]->longest_ns = tasks[i]->nr_latencies = 0;
		tasks[i]->waits_since = now_ns;
	}
	run_until(now_ns + time_ns);
	for (i = 0; i < nr_tasks; i++)
		report(tasks[i], time_ns);
	return 0;
}
