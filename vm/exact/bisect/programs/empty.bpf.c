// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A scheduler with an empty callback: what the kernel's account of it says is the cost of the account
 * itself. Without callbacks for anything else the kernel queues first come, first served.
 */
#include "scx.h"

char _license[] SEC("license") = "GPL";

void BPF_STRUCT_OPS(empty_running, struct task_struct *p)
{
}

SEC(".struct_ops.link")
struct sched_ext_ops empty = {
	.running = (void *)empty_running,
	.name = "empty",
};
