// SPDX-License-Identifier: GPL-2.0-or-later
/* refused_context: the end of the arguments is passed: enqueue has two, a third is read. */
#include "scx.h"

char _license[] SEC("license") = "GPL";

SEC("struct_ops/refused_enqueue")
int enqueue_refused(unsigned long long *ctx)
{
	struct task_struct *p = (void *)ctx[0];

	scx_bpf_dsq_insert(p, SCX_DSQ_GLOBAL, ctx[2], ctx[1]);
	return 0;
}

SEC(".struct_ops.link")
struct sched_ext_ops refused_context = {
	.enqueue = (void *)enqueue_refused,
	.timeout_ms = 5000,
	.name = "refused_context",
};
