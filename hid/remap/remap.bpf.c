// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * remap: what keys, buttons and axes mean, by the rules of a file that `scxhid hid remap` compiles.
 *
 * One program for all devices and all rules. What it does stands in tables (table.h): which bits of
 * which report are which key, and what each key means in which layer. It takes the keys out of each
 * report, decides what they mean (meaning.h, machine.h), and puts what is pressed then into the report
 * instead (reports.h, flow.h). No other process sees a report before that, and none has to run for it.
 *
 * Where one report in has to become several out (a key that is pressed and released at once, a macro, a
 * key that the device says in another report), those before the last are injected. They pass through all
 * programs of the device again; this one lets them through.
 *
 * A device with several interfaces has a copy of it on each, and these share rules and state (shared.h).
 *
 * What has to come without a report in (a key that has been held for long enough; a key that another
 * interface says) comes from a timer or at once from a work queue, which may sleep, and injects a report
 * that asks to go on. So all decisions are made in one place, while the kernel holds the lock of the
 * interface. A report that it sends while that is under way is lost (hid_input_report() does not wait for
 * the lock); it is made good by the next one, since each says all that is pressed, or by asking the
 * device (resync.h).
 *
 * Backspace, escape and enter together, as the device says them, end all of it: reports pass as they are
 * until the program is attached anew. No rule can change that.
 */
#include "arithmetic.h"
#include "table.h"

#define DEVICE_VARIABLE	    DECLARE_TAG("policy") __attribute__((used))
#define SHARED		    SEC(".data.shared") __attribute__((used))
#define SHARED_VARIABLE	    DECLARE_TAG("policy") SHARED
#define PRIVATE(type, name) type name /* of this interface */

/* Set by the loader. */
DEVICE_VARIABLE const volatile u32 hid_id = 0;
DEVICE_VARIABLE const volatile u32 interface = 0; /* which one of the device */

#define LATER_TARGETS NR_INTERFACES
#include "later.h"

char _license[] SEC("license") = "GPL";

ABOUT("keys, buttons and axes by the rules of a file",
      "any keyboard or mouse: scxhid hid remap FILE");

STAT(reports, "reports that were looked at");
STAT(injected, "reports that were sent beside them");
STAT(waited, "times a timer had to be set, since time alone decides");
STAT(not_injected, "reports that the kernel did not take: what they said comes with the next one");
STAT(no_room, "times a key was pressed by the rules that found no place in a full report");
STAT(panics, "times the panic chord was typed");
STAT(injecting_us, "microseconds in which reports of the device would have been lost");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, NR_TABLES);
	__type(key, u32);
	__type(value, struct rules);
} all_rules SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, NR_TABLES *NR_INTERFACES);
	__type(key, u32);
	__type(value, struct places);
} all_places SEC(".maps");

u32 tables; /* those that count for the report that is under way */

static __always_inline const struct rules *current_rules(void)
{
	u32 key = tables & (NR_TABLES - 1);

	return bpf_map_lookup_elem(&all_rules, &key);
}

static __always_inline const struct places *places_at(u32 n)
{
	u32 key = n * NR_TABLES + (tables & (NR_TABLES - 1));

	return bpf_map_lookup_elem(&all_places, &key);
}

static __always_inline const struct places *current_places(void)
{
	return places_at(interface);
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

#include "resync.h" /* uses the above, and so do all that it includes */

/* A suspend that was shorter than this went unnoticed by anybody. */
#define SUSPEND_NS (200 * NSEC_PER_MS)

u32 is_leaving;
SHARED u64 asleep_ns = 0; /* how long the machine has been suspended since it booted */

/* ---- What later.h wants to know ---- */

/* Of reports that a copy of this program injects, on whatever interface. */
SHARED u64 sources[NR_INTERFACES] = {};
SHARED u32 has_passed[NR_INTERFACES] = {};

static __always_inline u32 later_hid_id(struct later *later, u32 target)
{
	return hid_ids[target & (NR_INTERFACES - 1)];
}

static __always_inline bool later_under_way(struct later *later, u32 target, u64 source)
{
	sources[interface & (NR_INTERFACES - 1)] = source;
	if (source)
		has_passed[interface & (NR_INTERFACES - 1)] = false;
	return has_passed[interface & (NR_INTERFACES - 1)];
}

static __always_inline void later_make(u32 target)
{
	const struct places *t = places_at(target & (NR_INTERFACES - 1));

	__builtin_memset(later_report, 0, sizeof(later_report));
	later_bytes = t ? t->reports[0].size : 0;
	later_report[0] = t ? t->reports[0].id : 0;
}

/* Its keys are up, and somebody else goes on: this interface, if it is there itself. */
static __always_inline void later_is_gone(u32 target)
{
	struct later *later = later_state();
	u32 awaited = forget_interface(target, bpf_ktime_get_ns());
	u32 mine = 1 << LATER_SELF;

	if (!later)
		return;
	awaited |= present & mine ?: present & -present;
	later->is_wanted = true;
	__sync_fetch_and_or(&later->targets, awaited & present);
	if (awaited & present)
		bpf_wq_start(&later->wq, 0);
}

static __always_inline void later_took(u64 ns)
{
	stat_add(injecting_us, ns / 1000);
}

/* Whether a report is one that asks this interface to go on. */
static __always_inline bool is_poke(u64 source)
{
	u32 n;

	if (!source)
		return false;
	for (n = 0; n < NR_INTERFACES; n++) {
		if (sources[n] != source)
			continue;
		has_passed[n] = true;
		return true;
	}
	return false;
}

/* What there is left to do: when time alone decides, and on other interfaces. */
static __always_inline void see_to_the_rest(struct hid_bpf_ctx *hid, u64 now)
{
	if (rest.deadline != NEVER) {
		stat_inc(waited);
		later_in(hid, rest.deadline > now ? rest.deadline - now : 0);
	}
	if (rest.awaited)
		later_to(hid, rest.awaited & present);
}

/* What a report is. */
enum kind {
	OWN,   /* the device sent it */
	POKE,  /* asks to go on, and says nothing */
	NEWS,  /* the device was asked, and said this */
	OTHER, /* injected here a moment ago, or by another program */
};

static __always_inline enum kind kind_of(u64 source)
{
	bool is_news = false;

	if (!source)
		return OWN;
	if (is_poke(source))
		return POKE;
	if (is_answer(source, &is_news))
		return is_news ? NEWS : POKE;
	return OTHER;
}

/* Makes of the report in scratch what the system is to see. */
static __always_inline void go_through(struct hid_bpf_ctx *hid, u32 r, enum kind kind)
{
	u64 now = bpf_ktime_get_ns(), asleep = bpf_ktime_get_boot_ns() - now;

	stat_inc(reports);
	if (asleep > asleep_ns + SUSPEND_NS && asleep_ns)
		machine.is_stale = true;
	asleep_ns = asleep;
	if (kind != POKE && !take_in(hid, r, now)) {
		stat_inc(panics);
	} else {
		if (kind != OWN)
			make_base(r); /* movement was told already */
		put_out(hid, r, now);
	}
	see_to_the_rest(hid, now);
	if (kind == POKE)
		resync();
}

/* It was thought to be gone, since nothing could be injected: it had no driver for a while. */
static __always_inline void come_back(void)
{
	output_of(interface)->is_short = true;
	__sync_fetch_and_or(&present, 1 << (interface & (NR_INTERFACES - 1)));
}

SEC("struct_ops/remap_event")
int BPF_PROG(remap_event, struct hid_bpf_ctx *hid, u32 type, u64 source)
{
	enum kind kind = kind_of(source);
	const struct places *t;
	u32 r, size;
	u8 *bytes;

	/* The kernel drops a report of no bytes: it does not say that nothing is pressed. */
	if (type != HID_INPUT_REPORT || kind == OTHER || !hid->size)
		return 0;
	tables = current_tables;
	t = current_places();
	bytes = hid_bpf_get_data(hid, 0, SEEN_BYTES);
	if (!bytes || !t)
		return 0;
	r = find_report(bytes[0]);
	if (r >= NR_REPORTS)
		return 0;
	__builtin_memcpy(device.scratch, bytes, SEEN_BYTES);
	if (is_leaving) {
		if (kind != OWN)
			return -1;
		take_report(r); /* what it says last is what remap_stop() repeats */
		return 0;
	}
	if (kind == OWN && !(present >> (interface & (NR_INTERFACES - 1)) & 1))
		come_back();
	if (!is_bypassed)
		go_through(hid, r, kind);
	else if (!pass_on(hid, r, kind == OWN))
		return 0;
	/* What was injected went through the same memory. */
	bytes = hid_bpf_get_data(hid, 0, SEEN_BYTES);
	if (!bytes)
		return 0;
	__builtin_memcpy(bytes, device.scratch, SEEN_BYTES);
	size = t->reports[r & (NR_REPORTS - 1)].size;
	return size <= SEEN_BYTES && hid->size < (s32)size ? size : 0;
}

/* Run by the loader before the program is attached: nobody has been here before. */
SEC("syscall")
int remap_start(void *ctx)
{
	struct output *mine = output_of(interface);
	u32 n, thing;

	tables = current_tables;
	forget_interface(interface, bpf_ktime_get_ns());
	bpf_for(n, 0, NR_THINGS)
		if (!take_thing(&thing))
			break;
	mine->is_short = false;
	hid_ids[interface & (NR_INTERFACES - 1)] = hid_id;
	__sync_fetch_and_or(&present, 1 << (interface & (NR_INTERFACES - 1)));
	return 0;
}

/* Says of the interface of which hid is what the device said last. */
static __always_inline void repeat_all(struct hid_bpf_ctx *hid)
{
	const struct places *t = current_places();
	u64 size;
	u32 r;

	if (!t)
		return;
	bpf_for(r, 0, NR_REPORTS) {
		if (r >= t->nr_reports || !(device.seen >> r & 1))
			continue;
		__builtin_memcpy(device.outgoing, device.last[r & (NR_REPORTS - 1)], SEEN_BYTES);
		size = t->reports[r & (NR_REPORTS - 1)].size;
		barrier_var(size); /* clang would compare another register than it passes on */
		if (size > SEEN_BYTES)
			size = SEEN_BYTES;
		if (size)
			hid_bpf_input_report(hid, HID_INPUT_REPORT, device.outgoing, size);
	}
}

/* Run by the loader before the program is taken off: what the device itself says is true again. */
SEC("syscall")
int remap_stop(void *ctx)
{
	struct hid_bpf_ctx *hid;
	struct later *later = later_state();
	u32 n, awaited;

	is_leaving = true;
	later_never();
	tables = current_tables;
	awaited = is_bypassed ? 0 : forget_interface(interface, bpf_ktime_get_ns());
	hid = hid_bpf_allocate_context(hid_id);
	if (hid) {
		repeat_all(hid);
		hid_bpf_release_context(hid);
	}
	if (!later)
		return 0;
	bpf_for(n, 0, NR_INTERFACES)
		if ((awaited & present) >> n & 1)
			later_inject(later, n);
	return hid ? 0 : -19; /* ENODEV */
}

SEC(".struct_ops.link")
struct hid_bpf_ops remap = {
	.hid_device_event = (void *)remap_event,
};
