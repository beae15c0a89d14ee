/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Why a scheduler ended, kept where user space can read it afterwards.
 *
 * The kernel tells the reason once, to ops.exit, and forgets it. The record lives in a map, which
 * outlasts the scheduler for as long as somebody holds or pins it. User space sets it to zero
 * before an attach.
 */
#ifndef SCXHID_EXIT_RECORD_H
#define SCXHID_EXIT_RECORD_H

#include "scx.h"

/* The sizes are the kernel's own: SCX_EXIT_MSG_LEN, SCX_EXIT_DUMP_DFL_LEN. */
struct exit_record {
	u32 recorded; /* 1 once everything below is complete */
	s32 kind;     /* enum scx_exit_kind */
	s64 exit_code;
	u64 boot_ns; /* when, on CLOCK_BOOTTIME */
	char reason[128];
	char msg[1024];
	char dump[32768];
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct exit_record);
} exit_record SEC(".maps");

/* To be called by ops.exit with the scx_exit_info that it was given. */
#define EXIT_RECORD(ei) exit_record_write(ei)

static __always_inline void exit_record_write(const struct scx_exit_info *ei)
{
	u32 key = 0;
	struct exit_record *record = bpf_map_lookup_elem(&exit_record, &key);

	if (!record)
		return;
	record->kind = ei->kind;
	record->exit_code = ei->exit_code;
	record->boot_ns = bpf_ktime_get_boot_ns();
	bpf_probe_read_kernel_str(record->reason, sizeof(record->reason), ei->reason);
	bpf_probe_read_kernel_str(record->msg, sizeof(record->msg), ei->msg);
	bpf_probe_read_kernel_str(record->dump, sizeof(record->dump), ei->dump);
	__sync_val_compare_and_swap(&record->recorded, 0, 1); /* after all that stands above it */
}

#endif /* SCXHID_EXIT_RECORD_H */
