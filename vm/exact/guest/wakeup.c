// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The workload: how late a periodic sleeper wakes up on a CPU that others keep busy.
 *
 * Each hog is a process of its own, pinned to one CPU, that never sleeps. The sleeper is pinned too,
 * and sets each of its alarms from the moment at which it really woke up, so that every sample is a
 * sleep. Each period is dithered by the seeded generator: a fixed one locks to the order in which
 * the emulated CPUs take their turns.
 */
#define _GNU_SOURCE
#include "guest.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MAX_HOGS    1024
#define MAX_SAMPLES 65536
#define MAX_CHANGES 4096
#define PATIENCE_NS (10 * NS_PER_S)

/* The hog counts in units of so many instructions: 10 us of virtual time. */
#define UNIT 10000

struct shared {
	volatile u64 loops[MAX_HOGS]; /* of each hog */
	volatile u32 nr_samples;
	s64 due_ns[MAX_SAMPLES]; /* since the start of the phase */
	s64 late_ns[MAX_SAMPLES];
};

#define LOOP 128

/*
 * Runs about so many instructions, and so nanoseconds of virtual time. Most do nothing: the emulator
 * counts them all the same and the host hardly works for them.
 */
static void spin(u64 instructions)
{
	u64 turns = instructions / LOOP + 1;

	asm volatile("1: .rept %c1\n\tnop\n\t.endr\n\tdec %0\n\tjnz 1b"
		     : "+r"(turns)
		     : "i"(LOOP - 2)
		     : "cc");
}

static pid_t start(const char *name, u32 cpu, int fifo)
{
	struct sched_param normal = { 0 }, real_time = { .sched_priority = 1 };
	pid_t pid = fork();

	if (pid < 0)
		fail("fork: %s", strerror(errno));
	if (pid)
		return pid;
	prctl(PR_SET_NAME, name);
	pin_to(cpu);
	if (sched_setscheduler(0, fifo ? SCHED_FIFO : SCHED_OTHER, fifo ? &real_time : &normal))
		fail("sched_setscheduler: %s", strerror(errno));
	return 0;
}

static void hog(volatile u64 *loops)
{
	for (;;) {
		spin(UNIT);
		++*loops;
	}
}

/* A period between three and five quarters of what it is on average. */
static s64 dithered(s64 period_ns, u64 *random)
{
	return period_ns * 3 / 4 + (s64)(next_random(random) % (u64)(period_ns / 2 + 1));
}

static void sleeper(const struct phase *phase, struct shared *shared, s64 start_ns, u64 random)
{
	s64 due = start_ns + dithered(phase->period_ns, &random);
	u32 n = 0;

	while (due < start_ns + phase->length_ns && n < MAX_SAMPLES) {
		s64 now;

		sleep_until(due);
		now = now_ns();
		shared->due_ns[n] = due - start_ns;
		shared->late_ns[n] = now - due;
		shared->nr_samples = ++n;
		if (phase->work)
			spin(phase->work);
		due = now_ns() + dithered(phase->period_ns, &random);
	}
	_exit(0);
}

static s64 cpu_time_ns(pid_t pid)
{
	struct timespec t = { 0 };
	clockid_t clock;

	if (clock_getcpuclockid(pid, &clock) || clock_gettime(clock, &t))
		return 0;
	return t.tv_sec * NS_PER_S + t.tv_nsec;
}

struct running {
	const struct phase *phase;
	struct shared *shared;
	u32 nr_cpus, nr_hogs;
	pid_t sleeper, hogs[MAX_HOGS];
	s64 ran_ns[MAX_HOGS + 1]; /* at the last look; the last is the sleeper's */
	u64 looped[MAX_HOGS];
};

static void look(struct running *r)
{
	for (u32 i = 0; i < r->nr_hogs; i++) {
		r->ran_ns[i] = cpu_time_ns(r->hogs[i]);
		r->looped[i] = r->shared->loops[i];
	}
	r->ran_ns[r->nr_hogs] = cpu_time_ns(r->sleeper);
}

/* Tells what each hog had of the CPU since the last look. */
static void report_window(struct running *r, s64 from_ns, s64 length_ns)
{
	static struct running before;

	before = *r;
	look(r);
	report("window %lld %lld %lld", (long long)from_ns, (long long)length_ns,
	       (long long)(r->ran_ns[r->nr_hogs] - before.ran_ns[r->nr_hogs]));
	for (u32 i = 0; i < r->nr_hogs; i++)
		report("hog %u %lld %llu", i % r->nr_cpus,
		       (long long)(r->ran_ns[i] - before.ran_ns[i]),
		       (unsigned long long)(r->looped[i] - before.looped[i]) * UNIT);
}

/*
 * Changes the policy to and fro until the phase ends; or, if it is to stay, comes at moments like
 * those and does nothing, so that the two differ by the swaps alone.
 */
static void swap_until(const struct phase *phase, s64 start_ns, u64 random)
{
	static struct change changes[MAX_CHANGES];
	s64 end = start_ns + phase->length_ns;
	s64 next = start_ns + dithered(phase->swap_every_ns, &random);
	u32 n = 0;

	while (next < end && n < MAX_CHANGES) {
		sleep_until(next);
		if (!phase->stay)
			changes[n++] = switch_to(1 - n % 2);
		next += dithered(phase->swap_every_ns, &random);
	}
	sleep_until(end);
	for (u32 i = 0; i < n; i++)
		report("swap %lld %lld %llu", (long long)(changes[i].at_ns - start_ns),
		       (long long)changes[i].took_ns, (unsigned long long)changes[i].nr_left_over);
}

/* The hogs go on until the sleeper has had its last alarm: else its worst one would be cut short. */
static void wait_for_sleeper(struct running *r, s64 start_ns)
{
	s64 end = start_ns + r->phase->length_ns;
	int status;

	while (!waitpid(r->sleeper, &status, WNOHANG)) {
		if (now_ns() > end + PATIENCE_NS) {
			check_running();
			fail("the sleeper of phase %s did not run for %lld s", r->phase->name,
			     PATIENCE_NS / NS_PER_S);
		}
		sleep_until(now_ns() + 5 * NS_PER_MS);
	}
}

void run_phase(const struct phase *phase, u64 seed)
{
	static struct running r;
	s64 start_ns, from_ns, end_ns;
	u64 random = seed;
	u64 swap_random;

	for (const char *c = phase->name; *c; c++)
		random = random * 31 + *c;
	swap_random = next_random(&random);
	r.phase = phase;
	r.nr_cpus = sysconf(_SC_NPROCESSORS_ONLN);
	r.nr_hogs = r.nr_cpus * phase->hogs;
	r.shared = mmap(NULL, sizeof(*r.shared), PROT_READ | PROT_WRITE,
			MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (r.shared == MAP_FAILED || r.nr_hogs > MAX_HOGS)
		fail("phase %s is too large", phase->name);
	for (u32 i = 0; i < r.nr_hogs; i++) {
		r.hogs[i] = start("hog", i % r.nr_cpus, 0);
		if (!r.hogs[i])
			hog(&r.shared->loops[i]);
	}
	start_ns = now_ns() + phase->warm_ns;
	end_ns = start_ns + phase->length_ns;
	r.sleeper = start("sleeper", phase->cpu, phase->fifo);
	if (!r.sleeper)
		sleeper(phase, r.shared, start_ns, random);
	report("phase %s", phase->name);
	sleep_until(start_ns);
	look(&r);
	if (phase->swap_every_ns) {
		swap_until(phase, start_ns, swap_random);
		report_window(&r, 0, now_ns() - start_ns);
	}
	for (from_ns = start_ns; from_ns < end_ns && !phase->swap_every_ns;) {
		s64 to_ns = from_ns + NS_PER_S < end_ns ? from_ns + NS_PER_S : end_ns;
		s64 now;

		sleep_until(to_ns);
		now = now_ns();
		report_window(&r, from_ns - start_ns, now - from_ns);
		from_ns = now;
	}
	wait_for_sleeper(&r, start_ns);
	check_running();
	for (u32 i = 0; i < r.nr_hogs; i++) {
		kill(r.hogs[i], SIGKILL);
		waitpid(r.hogs[i], NULL, 0);
	}
	for (u32 i = 0; i < r.shared->nr_samples; i++)
		report("wake %lld %lld", (long long)r.shared->due_ns[i],
		       (long long)r.shared->late_ns[i]);
	munmap(r.shared, sizeof(*r.shared));
}
