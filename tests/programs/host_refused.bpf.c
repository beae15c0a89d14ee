// SPDX-License-Identifier: GPL-2.0-or-later
/* host_refused: the mistake of refused.bpf.c in a program that any kernel with BPF looks at. */
#include "scx.h"

char _license[] SEC("license") = "GPL";

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16);
	__type(key, u32);
	__type(value, u64);
} counts SEC(".maps");

SEC("syscall")
int refused(void *context)
{
	u32 key = 1;
	u64 *count = bpf_map_lookup_elem(&counts, &key);

	*count += 1;
	return 0;
}
