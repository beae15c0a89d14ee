/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A report that comes later, from the program itself, when the device sends none.
 *
 *	later_keep(report, bytes);		in each report of the device
 *	later_in(hid, 5 * NSEC_PER_MSEC);	from then on, 5 ms from now
 *	later_never();				no longer wanted
 *	...
 *	if (is_later(source))			it is here
 *		later_fill(report, bytes);
 *
 * A program that shares its work with those of other devices may send them reports as well: before it
 * includes this it defines LATER_TARGETS, how many there are, and below what the defaults here say
 * of the one device that most programs know.
 *
 * A timer's callback must not sleep and sending a report does, so the timer starts a work queue. What is
 * sent is not decided there: a report of the device could come in between and be contradicted. It is
 * decided when the new report passes through hid_device_event, which the kernel runs for one report of
 * a device at a time; for the same reason nothing here takes a lock.
 *
 * The kernel drops a report of the device that comes while one of ours is under way (-EBUSY from
 * hid_input_report), and nobody learns of it. So ask for one only where a report of the device would
 * not do, and not at times at which one is due.
 */
#ifndef SCXHID_LATER_H
#define SCXHID_LATER_H

#include "report.h"

#define NSEC_PER_MSEC	1000000ULL
#define CLOCK_MONOTONIC 1
#define LATER_AGAIN_NS	NSEC_PER_MSEC
#define LATER_ATTEMPTS	1000

extern int bpf_wq_init(struct bpf_wq *wq, void *map, unsigned int flags) __ksym;
extern int bpf_wq_start(struct bpf_wq *wq, unsigned int flags) __ksym;
/* The second form came with 7.0 and the first went; goes with 6.19. */
extern int bpf_wq_set_callback_impl(struct bpf_wq *wq,
				    int(callback)(void *map, int *key, void *value),
				    unsigned int flags, void *aux) __ksym __weak;
extern int bpf_wq_set_callback(struct bpf_wq *wq, int(callback)(void *map, int *key, void *value),
			       unsigned int flags) __ksym __weak;

struct later {
	struct bpf_timer timer;
	struct bpf_wq wq;
	u64 source; /* of the report that is under way, as hid_device_event is told it */
	u32 hid_id;
	u32 attempts;
	u32 targets; /* devices that a report is to be sent to, a bit each */
	bool is_set_up;
	bool is_wanted;
	bool has_passed;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct later);
} later_map SEC(".maps");

u8 later_report[REPORT_MAX]; /* the device's last one, without its movements */
u32 later_bytes;

static __always_inline struct later *later_state(void)
{
	u32 key = 0;

	return bpf_map_lookup_elem(&later_map, &key);
}

#ifndef LATER_TARGETS
#define LATER_TARGETS 1
#define LATER_SELF    0

static __always_inline u32 later_hid_id(struct later *later, u32 target)
{
	return later->hid_id;
}

/* Its source, where the target's program finds it; with 0 whether that has seen the report. */
static __always_inline bool later_under_way(struct later *later, u32 target, u64 source)
{
	later->source = source;
	if (source)
		later->has_passed = false;
	return later->has_passed;
}

/* Makes later_report what is sent to the target. */
static __always_inline void later_make(u32 target)
{
}

static __always_inline void later_is_gone(u32 target)
{
}

static __always_inline void later_took(u64 ns)
{
}
#else
#define LATER_SELF (interface & (LATER_TARGETS - 1))
static u32 later_hid_id(struct later *later, u32 target);
static bool later_under_way(struct later *later, u32 target, u64 source);
static void later_make(u32 target);
static void later_is_gone(u32 target); /* unplugged, or without a driver for long */
static void later_took(u64 ns);	       /* its device was locked for so long */
#endif

/* False: it was not seen by anybody. Between two drivers a device takes none. */
static __always_inline bool later_inject(struct later *later, u32 target)
{
	struct hid_bpf_ctx *hid = hid_bpf_allocate_context(later_hid_id(later, target));
	u64 size, began;

	if (!hid) {
		later_is_gone(target);
		return true;
	}
	later_make(target);
	size = later_bytes;
	barrier_var(size); /* clang would compare another register than it passes on */
	if (size > REPORT_MAX)
		size = REPORT_MAX;
	if (size) {
		later_under_way(later, target, (u64)hid);
		began = bpf_ktime_get_ns();
		hid_bpf_input_report(hid, HID_INPUT_REPORT, later_report, size);
		later_took(bpf_ktime_get_ns() - began);
	}
	hid_bpf_release_context(hid);
	return !size || later_under_way(later, target, 0);
}

static int later_send(void *map, int *key, void *value)
{
	struct later *later = value;
	u32 n, targets = __sync_lock_test_and_set(&later->targets, 0), left = 0;

	if (!later->is_wanted)
		targets &= ~(1 << LATER_SELF);
	bpf_for(n, 0, LATER_TARGETS)
		if (targets >> n & 1 && !later_inject(later, n))
			left |= 1 << n;
	if (left && later->attempts++ < LATER_ATTEMPTS) {
		__sync_fetch_and_or(&later->targets, left);
		bpf_timer_start(&later->timer, LATER_AGAIN_NS, 0);
		return 0;
	}
	bpf_for(n, 0, LATER_TARGETS)
		if (left >> n & 1)
			later_is_gone(n);
	return 0;
}

static int later_due(void *map, int *key, struct later *later)
{
	__sync_fetch_and_or(&later->targets, 1 << LATER_SELF);
	bpf_wq_start(&later->wq, 0);
	return 0;
}

/* Says what the work queue does. A macro, since the kernel wants to see the function itself. */
#define later_calls(wq, function)                                                                  \
	(bpf_ksym_exists(bpf_wq_set_callback) ? !bpf_wq_set_callback(wq, function, 0) :            \
						!bpf_wq_set_callback_impl(wq, function, 0, NULL))

static __always_inline bool later_set_up(struct hid_bpf_ctx *hid, struct later *later)
{
	if (later->is_set_up)
		return true;
	later->hid_id = hid->hid->id;
	if (bpf_timer_init(&later->timer, &later_map, CLOCK_MONOTONIC) ||
	    bpf_timer_set_callback(&later->timer, later_due) ||
	    bpf_wq_init(&later->wq, &later_map, 0) || !later_calls(&later->wq, later_send))
		return false;
	later->is_set_up = true;
	return true;
}

/* In place of what was asked for before. False: there will be none, so do not count on it. */
static __always_inline bool later_in(struct hid_bpf_ctx *hid, u64 ns)
{
	struct later *later = later_state();

	if (!later || !later_set_up(hid, later))
		return false;
	later->is_wanted = true;
	later->attempts = 0;
	return !bpf_timer_start(&later->timer, ns, 0);
}

/* To these at once, beside what was asked for. */
static __always_inline bool later_to(struct hid_bpf_ctx *hid, u32 targets)
{
	struct later *later = later_state();

	if (!later || !later_set_up(hid, later))
		return false;
	later->attempts = 0;
	__sync_fetch_and_or(&later->targets, targets);
	return !bpf_wq_start(&later->wq, 0);
}

static __always_inline void later_never(void)
{
	struct later *later = later_state();

	if (later)
		later->is_wanted = false;
}

/* Whether this is the report that was asked for. */
static __always_inline bool is_later(u64 source)
{
	struct later *later = later_state();

	if (!source || !later || later->source != source)
		return false;
	later->has_passed = true;
	return true;
}

static __always_inline void later_keep(const volatile u32 *report, const u8 *bytes)
{
	u32 size = report[REPORT_BYTES];

	later_bytes = size;
	for (u32 i = 0; i < REPORT_MAX; i++)
		if (i < size)
			later_report[i] = bytes[i] & ~report_relative(report, i);
}

static __always_inline void later_fill(const volatile u32 *report, u8 *bytes)
{
	for (u32 i = 0; i < REPORT_MAX; i++)
		if (i < report[REPORT_BYTES])
			bytes[i] = later_report[i];
}

#endif /* SCXHID_LATER_H */
