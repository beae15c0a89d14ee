/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The shape of the sched-ext project's headers, in our own words: what an object built against them
 * leaves for its loader to fill in. For tests of our loader; schedulers of ours use declare.h.
 */
#ifndef SCXHID_ELSEWHERE_H
#define SCXHID_ELSEWHERE_H

#include "scx.h"

/* Stands for the kernel's enumerator of that name; the loader writes this kernel's value. */
#define KERNEL_CONSTANT(type, name) const volatile type __##name __attribute__((weak))

/* One element as compiled, in a section of its own, so that the loader can give it its size. */
#define SIZED_BY_LOADER(section, name) name[1] SEC("." #section "." #name)

struct user_exit_info {
	int kind;
	s32 exit_cpu;
	s64 exit_code;
	char reason[128];
	char msg[1024];
};

#define EXIT_VARIABLE(name)                                                                        \
	char SIZED_BY_LOADER(data, name##_dump);                                                   \
	const volatile u32 name##_dump_len;                                                        \
	struct user_exit_info name SEC(".data")

#define EXIT_VARIABLE_WRITE(name, ei)                                                              \
	({                                                                                         \
		bpf_probe_read_kernel_str(name.reason, sizeof(name.reason), (ei)->reason);         \
		bpf_probe_read_kernel_str(name.msg, sizeof(name.msg), (ei)->msg);                  \
		bpf_probe_read_kernel_str(name##_dump, name##_dump_len, (ei)->dump);               \
		name.exit_code = (ei)->exit_code;                                                  \
		name.exit_cpu = -1;                                                                \
		__sync_val_compare_and_swap(&name.kind, name.kind, (ei)->kind);                    \
	})

#endif /* SCXHID_ELSEWHERE_H */
