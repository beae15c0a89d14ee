// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * remap: what keys, buttons and axes mean, by the rules of a file that `scxhid hid remap` compiles.
 *
 * One program for all devices and all rules. What it does stands in a table (table.h): which bits of
 * which report are which key, and what each key means in which layer. It takes the keys out of each
 * report, decides what they mean (machine.h), and puts what is pressed then into the report instead
 * (reports.h). No other process sees a report before that, and none has to run for it.
 *
 * Where one report in has to become several out (a key that is pressed and released at once, a macro, a
 * key that the device says in another report), those before the last are injected. They pass through all
 * programs of the device again; this one lets them through.
 *
 * What has to come without a report in (a key that has been held for long enough) comes from a timer,
 * which can only start work that may sleep, which injects a report that asks to go on. So all decisions
 * are made in one place, while the kernel holds the device's lock. A report that the device sends while
 * that is under way is lost (hid_input_report() does not wait for the lock); it is made good by the next
 * one, since each says all that is pressed.
 *
 * Backspace, escape and enter together, as the device says them, end all of it: reports pass as they are
 * until the program is attached anew. No rule can change that.
 */
#include "arithmetic.h"
#include "later.h"
#include "table.h"

char _license[] SEC("license") = "GPL";

ABOUT("keys, buttons and axes by the rules of a file",
      "any keyboard or mouse: scxhid hid remap FILE");

STAT(reports, "reports that were looked at");
STAT(injected, "reports that were sent beside them");
STAT(waited, "times a timer had to be set, since time alone decides");
STAT(not_injected, "reports that the kernel did not take: what they said comes with the next one");
STAT(panics, "times the panic chord was typed");

#define DEVICE_VARIABLE DECLARE_TAG("policy") __attribute__((used))

/* Set by the loader, and read by it. */
DEVICE_VARIABLE const volatile u32 hid_id = 0;
DEVICE_VARIABLE volatile u32 current_tables SEC(".data") = 0; /* which of the two */
DEVICE_VARIABLE volatile bool is_bypassed SEC(".data") = false;

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 2);
	__type(key, u32);
	__type(value, struct table);
} tables SEC(".maps");

static __always_inline const struct table *current_table(void)
{
	u32 key = current_tables & 1;

	return bpf_map_lookup_elem(&tables, &key);
}

static __always_inline int inject(struct hid_bpf_ctx *hid, u8 *bytes, u32 size)
{
	int err;

	barrier_var(size);
	if (!size || size > SEEN_BYTES)
		return 0;
	err = hid_bpf_try_input_report(hid, HID_INPUT_REPORT, bytes, size);
	if (err < 0)
		stat_inc(not_injected);
	else
		stat_inc(injected);
	return err;
}

#include "flow.h" /* uses the above */

/* A suspend that was shorter than this went unnoticed by anybody. */
#define SUSPEND_NS (200 * NSEC_PER_MS)

u64 asleep_ns; /* how long the machine has been suspended since it booted */

/* A report of ours is to come when time alone decides; it asks to go on, in the name of the first. */
static __always_inline void set_timer(struct hid_bpf_ctx *hid, const struct table *t, u64 now)
{
	if (machine.deadline == NEVER)
		return;
	later_report[0] = t->reports[0].id;
	later_bytes = t->reports[0].size;
	stat_inc(waited);
	later_in(hid, machine.deadline > now ? machine.deadline - now : 0);
}

SEC("struct_ops/remap_event")
int BPF_PROG(remap_event, struct hid_bpf_ctx *hid, u32 type, u64 source)
{
	const struct table *t = current_table();
	bool is_poke = is_later(source);
	u64 now = bpf_ktime_get_ns(), asleep = bpf_ktime_get_boot_ns() - now;
	u32 r, size;
	u8 *bytes;

	if (type != HID_INPUT_REPORT || (source && !is_poke) || !t)
		return 0;
	bytes = hid_bpf_get_data(hid, 0, SEEN_BYTES);
	if (!bytes)
		return 0;
	r = find_report(bytes[0]);
	if (r >= NR_REPORTS)
		return 0;
	if (is_bypassed) {
		__builtin_memcpy(scratch, bytes, SEEN_BYTES);
		if (!source)
			take_report(r); /* what it says last is what remap_stop() repeats */
		return 0;
	}
	stat_inc(reports);
	if (asleep > asleep_ns + SUSPEND_NS && asleep_ns)
		forget_pending();
	asleep_ns = asleep;

	__builtin_memcpy(scratch, bytes, SEEN_BYTES);
	if (is_poke)
		make_base(r);
	else if (!take_in(hid, r, now))
		stat_inc(panics);
	if (!is_bypassed) {
		put_out(hid, r, now);
		set_timer(hid, t, now);
	}
	/* What was injected went through the same memory. */
	bytes = hid_bpf_get_data(hid, 0, SEEN_BYTES);
	if (!bytes)
		return 0;
	__builtin_memcpy(bytes, scratch, SEEN_BYTES);
	size = t->reports[r].size;
	return size <= SEEN_BYTES && hid->size < (s32)size ? size : 0;
}

/* Run by the loader before the program is taken off: what the device itself says is true again. */
SEC("syscall")
int remap_stop(void *ctx)
{
	const struct table *t = current_table();
	struct hid_bpf_ctx *hid;
	u64 size;
	u32 r;

	is_bypassed = true;
	later_never();
	hid = t ? hid_bpf_allocate_context(hid_id) : NULL;
	if (!hid)
		return -19; /* ENODEV */
	bpf_for(r, 0, NR_REPORTS) {
		if (r >= t->nr_reports || !(device.seen >> r & 1))
			continue;
		__builtin_memcpy(outgoing, device.last[r & (NR_REPORTS - 1)], SEEN_BYTES);
		size = t->reports[r & (NR_REPORTS - 1)].size;
		barrier_var(size); /* clang would compare another register than it passes on */
		if (size > SEEN_BYTES)
			size = SEEN_BYTES;
		if (size)
			hid_bpf_input_report(hid, HID_INPUT_REPORT, outgoing, size);
	}
	hid_bpf_release_context(hid);
	return 0;
}

SEC(".struct_ops.link")
struct hid_bpf_ops remap = {
	.hid_device_event = (void *)remap_event,
};
