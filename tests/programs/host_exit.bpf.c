// SPDX-License-Identifier: GPL-2.0-or-later
/* host_exit: records an exit on request, as ops.exit would, in the record that our schedulers keep. */
#include "scx.h"
#include "exit_record.h"

char _license[] SEC("license") = "GPL";

struct leave_args {
	s32 kind;
	u32 complete; /* 0: stop before the record is marked as complete */
	s64 exit_code;
};

SEC("syscall")
int leave(struct leave_args *args)
{
	u32 key = 0;
	struct exit_record *record = bpf_map_lookup_elem(&exit_record, &key);

	if (!record)
		return 1;
	record->kind = args->kind;
	record->exit_code = args->exit_code;
	record->boot_ns = bpf_ktime_get_boot_ns();
	__builtin_memcpy(record->reason, "a reason", 9);
	__builtin_memcpy(record->msg, "a message", 10);
	__builtin_memcpy(record->dump, "a dump", 7);
	if (args->complete)
		record->recorded = 1;
	return 0;
}
