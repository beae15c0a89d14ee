// SPDX-License-Identifier: GPL-2.0-or-later
/* refused_mask: an index into an array in a map value, bounded by a mask that is too wide. */
#include "scx.h"

char _license[] SEC("license") = "GPL";

struct classes {
	u64 nr[16];
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct classes);
} classes SEC(".maps");

void BPF_STRUCT_OPS(enqueue_refused, struct task_struct *p, u64 enq_flags)
{
	u32 key = 0;
	struct classes *c = bpf_map_lookup_elem(&classes, &key);

	if (c)
		c->nr[p->pid & 0x1f] += 1;
	scx_bpf_dsq_insert(p, SCX_DSQ_GLOBAL, SCX_SLICE_DFL, enq_flags);
}

SEC(".struct_ops.link")
struct sched_ext_ops refused_mask = {
	.enqueue = (void *)enqueue_refused,
	.timeout_ms = 5000,
	.name = "refused_mask",
};
