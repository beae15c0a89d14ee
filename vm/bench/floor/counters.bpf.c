// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * counters: 32 counters a CPU in the two ways that a program may lay them out, to measure how fast
 * user space reads them. `entries` is a map of 32 counters; `row` is the layout of STAT in
 * declare.h, one entry that holds all 32. Needs no sched_ext and attaches to nothing.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#define COUNTERS 32

char _license[] SEC("license") = "GPL";

struct row {
	__u64 v[COUNTERS];
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, COUNTERS);
	__type(key, __u32);
	__type(value, __u64);
} entries SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct row);
} row SEC(".maps");
