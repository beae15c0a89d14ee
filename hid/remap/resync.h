/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the device would have said while one of our reports was under way.
 *
 * The kernel drops a report of the device that comes in that time. So the device is asked afterwards, by
 * GET_REPORT (HID 1.11, 7.2.1), what it says now; if that is new it is as good as a report of its own.
 * Many devices answer nonsense, zeros above all. One is believed only after it has answered, while a key
 * was pressed, just what it had said itself; and one that never does is soon left in peace. An answer
 * that a report of the device has overtaken does not count.
 *
 * A device may take long to answer. So this has a work queue of its own, and nothing waits for it.
 */
#ifndef SCXHID_REMAP_RESYNC_H
#define SCXHID_REMAP_RESYNC_H

#include "flow.h"

#define MOST_WRONG 8 /* answers, before the first right one */

STAT(asked, "times the device was asked what is pressed, since a report may have been lost");
STAT(lost, "times it turned out that one was");

struct resync {
	struct bpf_wq wq;
	u64 source;   /* of the answer that is under way */
	u32 nr_taken; /* reports of the device, when it was asked */
	u32 nr_wrong;
	bool is_set_up;
	bool is_proven;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct resync);
} resync_map SEC(".maps");

u8 answer[SEEN_BYTES];

static __always_inline struct resync *resync_state(void)
{
	u32 key = 0;

	return bpf_map_lookup_elem(&resync_map, &key);
}

static __always_inline bool is_as_it_said(u32 r, const struct report *report)
{
	const u64 *said = (const u64 *)device.last[r & (NR_REPORTS - 1)];
	u64 differs = 0;
	u32 w;

	for (w = 0; w < SEEN_WORDS; w++)
		differs |= (((const u64 *)answer)[w] & ~report->moves[w]) ^ said[w];
	return !differs;
}

static __always_inline bool is_any_pressed(u32 r)
{
	u64 any = 0;
	u32 w;

	for (w = 0; w < NR_WORDS; w++)
		any |= device.raw[r & (NR_REPORTS - 1)][w];
	return any;
}

static int resync_ask(void *map, int *key, void *value)
{
	const struct places *t = current_places();
	struct resync *resync = value;
	struct hid_bpf_ctx *hid;
	u64 size;
	u32 r;

	hid = t ? hid_bpf_allocate_context(hid_id) : NULL;
	if (!hid)
		return 0;
	if (hid->hid->quirks & HID_QUIRK_NOGET)
		resync->nr_wrong = MOST_WRONG;
	bpf_for(r, 0, NR_REPORTS) {
		const struct report *report = &t->reports[r & (NR_REPORTS - 1)];

		if (r >= t->nr_reports || !(device.seen >> r & 1))
			continue;
		if (is_bypassed || (!resync->is_proven && resync->nr_wrong >= MOST_WRONG))
			break;
		size = report->size;
		barrier_var(size);
		if (!size || size > SEEN_BYTES)
			continue;
		resync->nr_taken = device.nr_taken;
		__builtin_memset(answer, 0, sizeof(answer));
		answer[0] = report->id;
		stat_inc(asked);
		if (hid_bpf_hw_request(hid, answer, size, HID_INPUT_REPORT, HID_REQ_GET_REPORT) !=
		    (int)size) {
			resync->nr_wrong++;
			continue;
		}
		if (is_as_it_said(r, report)) {
			resync->is_proven |= is_any_pressed(r);
			continue;
		}
		if (!resync->is_proven) {
			resync->nr_wrong++;
			continue;
		}
		resync->source = (u64)hid;
		hid_bpf_input_report(hid, HID_INPUT_REPORT, answer, size);
		resync->source = 0;
	}
	hid_bpf_release_context(hid);
	return 0;
}

/* Asks, a moment later. */
static __always_inline void resync(void)
{
	struct resync *resync = resync_state();

	if (!resync || (!resync->is_proven && resync->nr_wrong >= MOST_WRONG))
		return;
	if (!resync->is_set_up) {
		if (bpf_wq_init(&resync->wq, &resync_map, 0))
			return;
		if (!later_calls(&resync->wq, resync_ask))
			return;
		resync->is_set_up = true;
	}
	bpf_wq_start(&resync->wq, 0);
}

/* Whether this is an answer; *is_news: one to be believed. */
static __always_inline bool is_answer(u64 source, bool *is_news)
{
	struct resync *resync = resync_state();

	if (!source || !resync || resync->source != source)
		return false;
	*is_news = resync->nr_taken == device.nr_taken;
	if (*is_news)
		stat_inc(lost);
	return true;
}

#endif /* SCXHID_REMAP_RESYNC_H */
