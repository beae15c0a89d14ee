// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * error: ends itself with scx_bpf_error once `fail` is set. It has neither cpu_online nor
 * cpu_offline, so a hotplug ends it as well, with the kernel's own words.
 */
#include "scx.h"
#include "declare.h"
#include "exit_record.h"

char _license[] SEC("license") = "GPL";

ABOUT("a scheduler that finds an error in itself when told to",
      "testing what a loader says about it");

KNOB(bool, fail, false, false, true, "", "raise the error now");

void BPF_STRUCT_OPS(error_enqueue, struct task_struct *p, u64 enq_flags)
{
	scx_bpf_dsq_insert(p, SCX_DSQ_GLOBAL, SCX_SLICE_DFL, enq_flags);
	if (fail)
		scx_bpf_error("told to fail while queueing %s[%d]", p->comm, p->pid);
}

void BPF_STRUCT_OPS(error_exit, struct scx_exit_info *ei)
{
	EXIT_RECORD(ei);
}

SEC(".struct_ops.link")
struct sched_ext_ops error = {
	.enqueue = (void *)error_enqueue,
	.exit = (void *)error_exit,
	.timeout_ms = 5000,
	.name = "error",
};
