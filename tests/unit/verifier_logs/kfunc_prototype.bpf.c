// SPDX-License-Identifier: GPL-2.0-or-later
/* Declares a kfunc otherwise than the kernel does. */
#include <linux/types.h>
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "GPL";

int bpf_task_under_cgroup(int wrong, int prototype) __ksym;

SEC("?raw_tp/sched_switch")
int kfunc_prototype_differs(void *ctx)
{
	return bpf_task_under_cgroup(1, 2);
}
