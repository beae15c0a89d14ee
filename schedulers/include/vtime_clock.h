/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The clock of a queue that is ordered by virtual time: what time it is there, and how fast it passes.
 *
 * A bound on how long a task may wait in real time is turned into one on its virtual time by the rate
 * at which that passes: a fixed one, the least that the clock keeps to, or one that is measured all the
 * time.
 */
#ifndef SCXHID_VTIME_CLOCK_H
#define SCXHID_VTIME_CLOCK_H

#include "scx.h"
#include "declare.h"

#define NSEC_PER_MSEC 1000000ULL

#define RATE_ONE       1024ULL /* of virtual time: 1 ns per ns */
#define RATE_WINDOW_NS (100 * NSEC_PER_MSEC)

/*
 * How far in real time a task may stand behind the others when it queues: more, and one that slept for
 * an hour would own the machine for the next one.
 */
#define MAX_BEHIND_MS 20

/* How far ahead of them it may queue: more, and it would wait until the watchdog ends the scheduler. */
#define MAX_AHEAD_MS 250

/* What it was spared by that it owes the next time, up to so much. */
#define MAX_DEBT_MS 1000

STAT(vtime_raised, "tasks back from a long sleep, brought up to the others");
STAT(vtime_lowered, "tasks far ahead of the others, put where they need not wait for long");

/* The virtual time of the queue, that of the task which began to run last, and its rate. */
static u64 vtime_now;
static volatile u64 vtime_rate = RATE_ONE; /* volatile: see clock_start() */
static volatile bool rate_measured;
static u64 advanced_at; /* ns */
static u64 window_at;	/* ns: the rate is measured since then */
static u64 window_vtime;

/* Virtual times wrap around, so only their difference can be compared. */
static bool vtime_before(u64 a, u64 b)
{
	return (s64)(a - b) < 0;
}

/*
 * To be called in POLICY_INIT. measured: the rate is only the first guess. That is right where virtual
 * time passes by about one second per busy CPU and second, however many the tasks are.
 *
 * Of a variable that only ever holds two constants clang 14 makes a byte, and says in BTF that it is as
 * wide as before, which the kernel refuses: hence volatile.
 */
static void clock_start(u64 rate, bool measured)
{
	vtime_rate = rate;
	rate_measured = measured;
	advanced_at = window_at = scx_bpf_now();
}

/* So much virtual time passes in so many ms. */
static u64 vtime_in(u64 ms)
{
	return ms * NSEC_PER_MSEC / RATE_ONE * vtime_rate;
}

/* The earliest virtual time under which a task may queue. */
static u64 vtime_earliest(void)
{
	return vtime_now - vtime_in(MAX_BEHIND_MS);
}

/* What is left of a task's virtual time when it queues: not before least, and not too great a debt. */
static u64 vtime_within(u64 vtime, u64 least)
{
	u64 most = vtime_now + vtime_in(MAX_DEBT_MS);

	if (vtime_before(vtime, least)) {
		stat_inc(vtime_raised);
		return least;
	}
	return vtime_before(most, vtime) ? most : vtime;
}

/* Where it queues. */
static u64 vtime_place(u64 vtime)
{
	u64 most = vtime_now + vtime_in(MAX_AHEAD_MS);

	if (!vtime_before(most, vtime))
		return vtime;
	stat_inc(vtime_lowered);
	return most;
}

/*
 * Measures the rate over the last window. It rises at once and falls by half in half a second at most:
 * whoever queued under the old one has waited long enough by then.
 */
static void measure(u64 now)
{
	u64 passed = now - window_at, rate, least = vtime_rate * 7 / 8, most;

	if ((s64)passed < (s64)RATE_WINDOW_NS)
		return;
	if (passed < 2 * RATE_WINDOW_NS) { /* else nobody queued for a while */
		most = 16 * RATE_ONE * scx_bpf_nr_cpu_ids();
		if (least < RATE_ONE / 2)
			least = RATE_ONE / 2;
		rate = (vtime_now - window_vtime) / (passed / RATE_ONE);
		vtime_rate = rate < least ? least : rate > most ? most : rate;
	}
	window_at = now;
	window_vtime = vtime_now;
}

/*
 * Moves the queue's virtual time to that of a task that begins to run.
 *
 * Tasks that sleep and wake all the time could hold it back, and one that stands before them would
 * wait longer than the watchdog allows. So it also moves by itself, at half its rate.
 */
static void advance(u64 vtime)
{
	u64 now = scx_bpf_now(), to = vtime_now;

	if (vtime_before(advanced_at, now))
		to += (now - advanced_at) * vtime_rate / (2 * RATE_ONE);
	if (vtime_before(to, vtime))
		to = vtime;
	advanced_at = now;
	vtime_now = to;
	if (rate_measured)
		measure(now);
}

#endif /* SCXHID_VTIME_CLOCK_H */
