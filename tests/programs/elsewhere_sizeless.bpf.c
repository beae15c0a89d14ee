// SPDX-License-Identifier: GPL-2.0-or-later
/* elsewhere_sizeless: a map whose size its own loader decides, so nobody else can load it. */
#include "elsewhere.h"

char _license[] SEC("license") = "GPL";

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__type(key, u32);
	__type(value, u64);
} pairs SEC(".maps");

void BPF_STRUCT_OPS(sizeless_enqueue, struct task_struct *p, u64 enq_flags)
{
	u32 key = 0;
	u64 *pair = bpf_map_lookup_elem(&pairs, &key);

	if (pair)
		++*pair;
	scx_bpf_dsq_insert(p, SCX_DSQ_GLOBAL, SCX_SLICE_DFL, enq_flags);
}

SEC(".struct_ops.link")
struct sched_ext_ops sizeless_ops = {
	.enqueue = (void *)sizeless_enqueue,
	.timeout_ms = 5000,
	.name = "sizeless",
};
