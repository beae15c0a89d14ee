// SPDX-License-Identifier: GPL-2.0-or-later
/* Calls a kfunc that no kernel has: libbpf refuses the whole object. */
#include <linux/types.h>
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "GPL";

void scxhid_no_such_kfunc(int cpu) __ksym;

SEC("?raw_tp/sched_switch")
int kfunc_missing(void *ctx)
{
	scxhid_no_such_kfunc(0);
	return 0;
}
