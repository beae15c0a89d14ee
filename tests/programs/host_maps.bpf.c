// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * host_maps: maps whose values are awkward (arrays, odd sizes, no types, no batches) and a ring buffer
 * with samples of several sizes. `fill` is run on request; what it writes is worked out from the index.
 */
#include "scx.h"

char _license[] SEC("license") = "GPL";

typedef u32 row_t[3];

struct odd {
	u8 a;
	u16 b;
	u8 c;
} __attribute__((packed)); /* 4 bytes: per-CPU slots and mapped entries are 8 apart */

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 4);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, u32);
	__type(value, row_t);
} rows SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 4);
	__type(key, u32);
	__type(value, row_t);
} percpu_rows SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 4);
	__type(key, u32);
	__type(value, struct odd);
} percpu_odd SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1000);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, u32);
	__type(value, struct odd);
} many_odd SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 8);
	__uint(key_size, 8);
	__uint(value_size, 12);
} untyped SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_QUEUE);
	__uint(max_entries, 8);
	__type(value, u64);
} queue SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} odd_events SEC(".maps");

SEC("syscall")
int fill(void *context)
{
	for (u32 i = 0; i < 4; i++) {
		struct odd odd = { .a = i, .b = 1000 * i, .c = 2 * i }, *odd_slot;
		u32 *row, key = i;

		row = bpf_map_lookup_elem(&rows, &key);
		if (row)
			row[0] = i, row[1] = 10 * i, row[2] = 100 * i;
		row = bpf_map_lookup_elem(&percpu_rows, &key);
		if (row)
			row[0] = i, row[1] = 10 * i, row[2] = 100 * i;
		odd_slot = bpf_map_lookup_elem(&percpu_odd, &key);
		if (odd_slot)
			*odd_slot = odd;
		key = i * 300;
		bpf_map_update_elem(&many_odd, &key, &odd, BPF_ANY);
	}
	return 0;
}

/* Four samples: 8, 16, 24 and again 16 bytes, each filled with words that count up from 1. */
SEC("syscall")
int emit_odd_sizes(void *context)
{
	u64 words[3] = { 1, 2, 3 };

	bpf_ringbuf_output(&odd_events, words, 8, 0);
	bpf_ringbuf_output(&odd_events, words, 16, 0);
	bpf_ringbuf_output(&odd_events, words, 24, 0);
	bpf_ringbuf_output(&odd_events, words, 16, 0);
	return 0;
}
