// SPDX-License-Identifier: GPL-2.0-or-later
/* elsewhere_optional: its only table of callbacks is in the optional section, so that is the one. */
#include "elsewhere.h"

char _license[] SEC("license") = "GPL";

SEC("?struct_ops/optional_enqueue")
void BPF_PROG(optional_enqueue, struct task_struct *p, u64 enq_flags)
{
	scx_bpf_dsq_insert(p, SCX_DSQ_GLOBAL, SCX_SLICE_DFL, enq_flags);
}

SEC("?.struct_ops.link")
struct sched_ext_ops optional_ops = {
	.enqueue = (void *)optional_enqueue,
	.timeout_ms = 5000,
	.name = "optional",
};
