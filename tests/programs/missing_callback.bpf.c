// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * missing_callback: fills a callback that no kernel knows. A loader can still load it, by leaving that
 * program out and the member empty.
 */
#include "scx.h"

char _license[] SEC("license") = "GPL";

struct sched_ext_ops___future {
	void (*enqueue)(struct task_struct *p, u64 enq_flags);
	void (*moonrise)(s32 cpu);
	u32 timeout_ms;
	char name[128];
};

void BPF_STRUCT_OPS(missing_callback_enqueue, struct task_struct *p, u64 enq_flags)
{
	scx_bpf_dsq_insert(p, SCX_DSQ_GLOBAL, SCX_SLICE_DFL, enq_flags);
}

void BPF_STRUCT_OPS(missing_callback_moonrise, s32 cpu)
{
}

SEC(".struct_ops.link")
struct sched_ext_ops___future missing_callback = {
	.enqueue = (void *)missing_callback_enqueue,
	.moonrise = (void *)missing_callback_moonrise,
	.timeout_ms = 5000,
	.name = "missing_callback",
};
