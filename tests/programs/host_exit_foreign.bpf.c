// SPDX-License-Identifier: GPL-2.0-or-later
/* host_exit_foreign: the same in the variable that the sched-ext project's headers declare. */
#include "scx.h"

char _license[] SEC("license") = "GPL";

struct user_exit_info {
	int kind;
	s64 exit_code;
	char reason[128];
	char msg[1024];
};

struct user_exit_info uei SEC(".data");

SEC("syscall")
int leave(void *args)
{
	uei.exit_code = 5;
	__builtin_memcpy((void *)uei.reason, "a reason", 9);
	__builtin_memcpy((void *)uei.msg, "a message", 10);
	uei.kind = 65;
	return 0;
}
