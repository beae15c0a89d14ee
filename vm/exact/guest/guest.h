/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The first and only program of an exact run's guest: what its files share.
 *
 * main.c reads the plan that the host wrote, schedulers.c loads and attaches, wakeup.c is the
 * workload, report.c tells the host. All waiting is on the guest's clock and all chance comes from
 * the seed, so that the same plan and seed give the same report, bit for bit.
 */
#ifndef SCXHID_EXACT_GUEST_H
#define SCXHID_EXACT_GUEST_H

#include <stddef.h>
#include <stdint.h>

typedef int64_t s64;
typedef uint64_t u64;
typedef uint32_t u32;

#define NS_PER_US 1000ll
#define NS_PER_MS 1000000ll
#define NS_PER_S  1000000000ll

/* ---- report.c ---- */

/* Opens the way to the host: the port of QEMU's debug console. */
void report_open(void);

/* From here on rounds of CPUs are short (vm/exact/rounds.py). */
void report_ready(void);

/* One line of the report. */
void report(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Tells the host why there is no more to come, and ends the machine. */
void fail(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

/* Ends the machine with the report complete. */
void finish(void) __attribute__((noreturn));

/* ---- schedulers.c ---- */

/* Gives a global variable of the next object that is loaded its bytes, written in hex. */
void set_variable(const char *name, const char *hex);

/* Gives all schedulers that are loaded from now on this timeout of the kernel's watchdog. */
void set_watchdog(u32 ms);

/* Attaches the struct_ops map of the object in file; the kernel then lists it as ops. */
void attach_direct(const char *file, const char *ops);

/* Attaches the resident host, with no policy in it. */
void attach_host(const char *file);

/* Loads a policy into a slot; each of callbacks is MEMBER=PROGRAM of its ops table. */
void load_policy(u32 slot, u32 generation, const char *file, char **callbacks, int nr_callbacks);

/* What one change of policy took. */
struct change {
	s64 at_ns;	  /* when the new one became current */
	s64 took_ns;	  /* until the old one's queues were empty */
	u64 nr_left_over; /* tasks that were still in them */
};

/* Makes the policy in a slot the current one. */
struct change switch_to(u32 slot);

/* Fails unless what was attached still runs: a scheduler may be thrown out at any time. */
void check_running(void);

/* Takes the scheduler off, if one is on. */
void detach(void);

struct bpf_object;

/* The object of the scheduler, or of the host; NULL without one. */
const struct bpf_object *attached_object(void);

/* ---- ejection.c ---- */

#define STATE "/sys/kernel/sched_ext/state"

/* The first line of a file, without its end; 0 if it cannot be read. */
int read_line(const char *path, char *text, size_t size);

/* Fails with the reason why the kernel ended the scheduler of object, listed as name. */
void tell_ejection(const struct bpf_object *object, const char *name) __attribute__((noreturn));

/* ---- wakeup.c ---- */

struct phase {
	const char *name;
	u32 cpu;     /* of the sleeper */
	u32 hogs;    /* on each CPU */
	u32 fifo;    /* the sleeper runs under SCHED_FIFO: the floor */
	s64 warm_ns; /* before anything is measured */
	s64 length_ns;
	s64 period_ns;	   /* of the sleeper, on average */
	s64 work;	   /* instructions that the sleeper runs after each wake-up */
	s64 swap_every_ns; /* 0: no swaps; else slots 0 and 1 take turns */
	int stay;	   /* no, they do not: whoever would let them only wakes up */
};

void run_phase(const struct phase *phase, u64 seed);

/* ---- program.c ---- */

/* Runs the program words[0] with the words as its arguments; NULL ends them. */
void run_program(char **words);

/* ---- programs_stats.c ---- */

/* From here on calls and instructions of the scheduler's programs count. */
void stats_begin(void);

/* Up to here; reports them under a name. */
void stats_end(const char *name);

/* ---- programs_calls.c ---- */

/* Reports each place where a program of the scheduler calls a function of the kernel, and which. */
void report_calls(void);

/* ---- main.c ---- */

s64 now_ns(void);
void sleep_until(s64 at_ns);
void pin_to(u32 cpu); /* the caller */

/* The next number of the generator (SplitMix64) whose state is *state. */
u64 next_random(u64 *state);

#endif /* SCXHID_EXACT_GUEST_H */
