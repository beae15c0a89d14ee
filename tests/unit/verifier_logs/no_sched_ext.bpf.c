// SPDX-License-Identifier: GPL-2.0-or-later
/* The least scheduler: a kernel built without sched_ext has no such struct_ops type. */
#include <linux/types.h>
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "GPL";

struct sched_ext_ops {
	char name[128];
};

SEC(".struct_ops.link")
struct sched_ext_ops no_sched_ext = {
	.name = "no_sched_ext",
};
