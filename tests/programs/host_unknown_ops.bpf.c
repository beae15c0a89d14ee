// SPDX-License-Identifier: GPL-2.0-or-later
/* host_unknown_ops: a struct_ops map of a kind that no kernel has. */
#include "scx.h"

char _license[] SEC("license") = "GPL";

struct tide_ops {
	int (*ebb)(int hours);
	u32 height;
	char name[16];
};

SEC("struct_ops/ebb")
int BPF_PROG(ebb, int hours)
{
	return hours;
}

SEC(".struct_ops.link")
struct tide_ops tide = {
	.ebb = (void *)ebb,
	.height = 3,
	.name = "tide",
};
