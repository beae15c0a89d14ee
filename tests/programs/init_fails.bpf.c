// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * init_fails: loads and attaches without an error, and never runs, because its init refuses.
 *
 * The kernel runs ops.init after the attach has been accepted: the system call returns 0 and only the
 * state in sysfs and the exit information tell. Two ways to fail, and no failure for comparison.
 */
#include "scx.h"
#include "declare.h"
#include "exit_record.h"

char _license[] SEC("license") = "GPL";

ABOUT("a scheduler that fails late, in its init", "testing what a loader says about it");

#define EINVAL_ 22

KNOB_AT_LOAD(u32, how, 1, 0, 2, "", "0: succeed, 1: return -EINVAL, 2: call scx_bpf_error");
KNOB(bool, fail_next, false, false, true, "", "fail when it is attached the next time");

s32 BPF_STRUCT_OPS_SLEEPABLE(init_fails_init)
{
	if (how == 1 || fail_next)
		return -EINVAL_;
	if (how == 2)
		scx_bpf_error("init gives up on purpose (how=%d)", how);
	return 0;
}

void BPF_STRUCT_OPS(init_fails_exit, struct scx_exit_info *ei)
{
	EXIT_RECORD(ei);
}

SEC(".struct_ops.link")
struct sched_ext_ops init_fails = {
	.init = (void *)init_fails_init,
	.exit = (void *)init_fails_exit,
	.timeout_ms = 5000,
	.name = "init_fails",
};
