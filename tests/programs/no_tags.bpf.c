// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * no_tags: a scheduler made elsewhere, as far as a loader can tell. It has none of our tags, maps or
 * records: plain variables in .rodata, .data and .bss, an exit structure and a dump array of its own
 * in the manner of the sched-ext project's headers, and an ops.name that is not the variable's.
 */
#include "scx.h"

char _license[] SEC("license") = "GPL";

enum mode { MODE_BATCH, MODE_FAST, MODE_LAST = 7 };

const volatile u64 slice_ns = 10000000;
const volatile u32 nr_layers = 3;
const volatile bool smt_enabled = true;
const volatile s32 exit_dump_len = 4096;
const volatile enum mode mode = MODE_FAST;

volatile u32 busy_percent SEC(".data") = 80;
u64 domain_load[4] = { 1, 2, 3, 4 };

u64 nr_enqueues, nr_dispatches;
static s64 drift;

struct user_exit_info {
	int kind;
	s64 exit_code;
	char reason[128];
	char msg[1024];
};

struct user_exit_info uei SEC(".data");
char RESIZABLE_ARRAY_uei_dump[1] SEC(".data.uei_dump");

void BPF_STRUCT_OPS(foreign_enqueue, struct task_struct *p, u64 enq_flags)
{
	__sync_fetch_and_add(&nr_enqueues, 1);
	if (mode == MODE_BATCH && busy_percent > 50)
		drift--;
	else
		drift += domain_load[p->pid & 3];
	scx_bpf_dsq_insert(p, SCX_DSQ_GLOBAL, slice_ns / nr_layers, enq_flags);
}

void BPF_STRUCT_OPS(foreign_dispatch, s32 cpu, struct task_struct *prev)
{
	if (smt_enabled)
		__sync_fetch_and_add(&nr_dispatches, 1);
}

void BPF_STRUCT_OPS(foreign_exit, struct scx_exit_info *ei)
{
	bpf_probe_read_kernel_str(uei.reason, sizeof(uei.reason), ei->reason);
	bpf_probe_read_kernel_str(uei.msg, sizeof(uei.msg), ei->msg);
	if (exit_dump_len)
		bpf_probe_read_kernel_str(RESIZABLE_ARRAY_uei_dump, 1, ei->dump);
	uei.exit_code = ei->exit_code;
	__sync_val_compare_and_swap(&uei.kind, uei.kind, ei->kind);
}

SEC(".struct_ops.link")
struct sched_ext_ops foreign_ops = {
	.enqueue = (void *)foreign_enqueue,
	.dispatch = (void *)foreign_dispatch,
	.exit = (void *)foreign_exit,
	.timeout_ms = 5000,
	.name = "foreign_0.9.1",
};
