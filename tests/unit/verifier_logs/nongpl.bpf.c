// SPDX-License-Identifier: GPL-2.0-or-later
/* Declares itself proprietary to see the kernel refuse a GPL-only helper. */
#include <linux/types.h>
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "Proprietary";

SEC("?raw_tp/sched_switch")
int license_not_gpl(void *ctx)
{
	bpf_printk("refused");
	return 0;
}
