// SPDX-License-Identifier: GPL-2.0-or-later
/* A loop whose million steps the verifier walks one by one, until it gives up. */
#include <linux/types.h>
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "GPL";

__u64 total;

SEC("?raw_tp/sched_switch")
int loop_too_long(void *ctx)
{
	__u64 sum = 0, i;

	for (i = 0; i < 50000000; i++) {
		asm volatile("" : "+r"(i));
		sum += i;
	}
	total = sum;
	return 0;
}
