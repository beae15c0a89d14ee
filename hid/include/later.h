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

static int later_send(void *map, int *key, void *value)
{
	struct later *later = value;
	struct hid_bpf_ctx *hid;
	u32 size = later_bytes;

	if (!later->is_wanted || !size || size > REPORT_MAX)
		return 0;
	hid = hid_bpf_allocate_context(later->hid_id);
	if (!hid)
		return 0; /* unplugged */
	later->has_passed = false;
	later->source = (u64)hid;
	hid_bpf_input_report(hid, HID_INPUT_REPORT, later_report, size);
	later->source = 0;
	hid_bpf_release_context(hid);
	/* Between two drivers a device takes none. */
	if (!later->has_passed && later->attempts++ < LATER_ATTEMPTS)
		bpf_timer_start(&later->timer, LATER_AGAIN_NS, 0);
	return 0;
}

static int later_due(void *map, int *key, struct later *later)
{
	bpf_wq_start(&later->wq, 0);
	return 0;
}

static __always_inline bool later_set_up(struct hid_bpf_ctx *hid, struct later *later)
{
	if (later->is_set_up)
		return true;
	later->hid_id = hid->hid->id;
	if (bpf_timer_init(&later->timer, &later_map, CLOCK_MONOTONIC) ||
	    bpf_timer_set_callback(&later->timer, later_due) ||
	    bpf_wq_init(&later->wq, &later_map, 0))
		return false;
	if (bpf_ksym_exists(bpf_wq_set_callback)) {
		if (bpf_wq_set_callback(&later->wq, later_send, 0))
			return false;
	} else if (bpf_wq_set_callback_impl(&later->wq, later_send, 0, NULL)) {
		return false;
	}
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
