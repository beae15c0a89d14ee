// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * refused_too_long: a loop that ends, after more steps than the verifier follows (one million). A
 * tracing program, so that any kernel can refuse it.
 */
#include "scx.h"

char _license[] SEC("license") = "GPL";

volatile u64 rounds SEC(".data") = 100;
u64 sum;

SEC("raw_tp/sched_switch")
int refused_too_long(void *ctx)
{
	u64 n = rounds;

	for (u64 i = 0; i < n; i++)
		sum += i ^ (n << 3);
	return 0;
}
