// SPDX-License-Identifier: GPL-2.0-or-later
/* host_large: as much data as the schedulers for large machines keep, for tests of how long that takes. */
#include "scx.h"

char _license[] SEC("license") = "GPL";

struct context {
	u64 words[8];
	u32 a;
	u32 b;
	char name[16];
} contexts[16384];

SEC("syscall")
int touch(void *context)
{
	contexts[3].a++;
	return 0;
}
