// SPDX-License-Identifier: GPL-2.0-or-later
/* refused_index: an index into a global array that nothing bounds. */
#include "scx.h"

char _license[] SEC("license") = "GPL";

u64 by_class[16];

void BPF_STRUCT_OPS(enqueue_refused, struct task_struct *p, u64 enq_flags)
{
	by_class[p->scx.weight] += 1;
	scx_bpf_dsq_insert(p, SCX_DSQ_GLOBAL, SCX_SLICE_DFL, enq_flags);
}

SEC(".struct_ops.link")
struct sched_ext_ops refused_index = {
	.enqueue = (void *)enqueue_refused,
	.timeout_ms = 5000,
	.name = "refused_index",
};
