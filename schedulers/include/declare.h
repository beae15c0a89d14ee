/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a BPF source says about itself: settings, statistics, a line on what it is.
 *
 * Each macro leaves its words in the object's BTF (declaration tags) and its values in ordinary
 * variables, so the compiled object alone tells every tool what can be turned and what is counted.
 * Works for any BPF program, not only for schedulers; needs <bpf/bpf_helpers.h> and u32, u64 first.
 */
#ifndef SCXHID_DECLARE_H
#define SCXHID_DECLARE_H

#define DECLARE_TAG(text) __attribute__((btf_decl_tag("scxhid:" text)))
#define DECLARE_KEPT	  __attribute__((used)) const volatile /* in .rodata, though unread */

/*
 * A setting that user space turns while the program runs:
 *
 *	KNOB(u64, slice_us, 5000, 100, 100000, "us", "time a task may run before it must yield");
 *
 * It is a plain variable, always in .data (zero would otherwise put it into .bss), read where it is
 * needed: a new value counts from the next read on. Default, minimum and maximum stand beside it in
 * .rodata, where any process finds them.
 */
#define KNOB(type, name, default_, min, max, unit, doc)                                            \
	DECLARE_LIMITS(type, name, default_, min, max);                                            \
	DECLARE_SETTING("knob", unit, doc) volatile type name SEC(".data") = default_

/*
 * A setting that is fixed when the object is loaded. The verifier knows its value and drops the
 * branches that it rules out, so it may choose between calls that exclude each other.
 */
#define KNOB_AT_LOAD(type, name, default_, min, max, unit, doc)                                    \
	DECLARE_LIMITS(type, name, default_, min, max);                                            \
	DECLARE_SETTING("knob_at_load", unit, doc) DECLARE_KEPT type name = default_

#define DECLARE_SETTING(what, unit, doc)                                                           \
	DECLARE_TAG(what) DECLARE_TAG("unit:" unit) DECLARE_TAG("doc:" doc)

#define DECLARE_LIMITS(type, name, default_, min, max)                                             \
	_Static_assert((min) <= (default_) && (default_) <= (max),                                 \
		       "the default of " #name " lies outside its range");                         \
	DECLARE_KEPT type name##__limits[3] = { default_, min, max }

/* What the program is, and what it is good for: once in a source. */
#define ABOUT(what, good_for)                                                                      \
	DECLARE_TAG("about:" what) DECLARE_TAG("for:" good_for) DECLARE_KEPT char about__ = 0

/*
 * Which settings of the kernel it does not honour, so that nobody turns them in vain: once in a source,
 * in the words "nice", "cpu.weight", "cpu.max", "cpu.idle" (of cgroups), or others where these do not
 * fit, with commas between them. IGNORES("") says that it honours all of them.
 */
#define IGNORES(what) DECLARE_TAG("ignores:" what) DECLARE_KEPT char ignores__ = 0

/*
 * A counter that is meant to be shown:
 *
 *	STAT(dispatched_local, "tasks placed straight on an idle CPU");
 *	...
 *	stat_inc(dispatched_local);
 *
 * All counters of one CPU lie side by side in one row, so that user space fetches every counter of
 * every CPU with a single system call.
 */
#define STATS_MAX 32

struct stat_row {
	u64 v[STATS_MAX];
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct stat_row);
} stats SEC(".maps");

enum { STAT_COUNTER_BASE = __COUNTER__ + 1 };

#define STAT(name, doc)                                                                            \
	enum { STAT_##name = __COUNTER__ - STAT_COUNTER_BASE };                                    \
	_Static_assert(STAT_##name < STATS_MAX, "more statistics than STATS_MAX");                 \
	DECLARE_TAG("stat") DECLARE_TAG("doc:" doc) DECLARE_KEPT u32 stat__##name = STAT_##name

#define stat_add(name, n) stat_add_at(STAT_##name, n)
#define stat_inc(name)	  stat_add(name, 1)

static __always_inline void stat_add_at(u32 index, u64 n)
{
	u32 key = 0;
	struct stat_row *row = bpf_map_lookup_elem(&stats, &key);

	if (row)
		row->v[index] += n;
}

#endif /* SCXHID_DECLARE_H */
