// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * hosted_error: a policy for the host that ends it, when told to, with an error.
 *
 * It has the knob slice_us like `simple`, in a narrower range.
 */
#include "policy.h"

char _license[] SEC("license") = "GPL";

ABOUT("a policy that ends its host with an error", "seeing what the loader does about it");
HOSTABLE(0, "enqueue dispatch cpu_online cpu_offline");

#define SHARED_DSQ POLICY_DSQ(0)

KNOB(bool, fail, false, false, true, "", "end the host with an error");
KNOB(u64, slice_us, 2000, 1000, 4000, "us", "time a task may run");

STAT(dispatched_global, "tasks placed in the queue that all CPUs share");

void POLICY_OP(hosted_error_enqueue, struct task_struct *p, u64 enq_flags)
{
	if (fail)
		scx_bpf_error("hosted_error was told to fail");
	stat_inc(dispatched_global);
	scx_bpf_dsq_insert(p, SHARED_DSQ, slice_us * 1000, enq_flags);
}

void POLICY_OP(hosted_error_dispatch, s32 cpu, struct task_struct *prev)
{
	scx_bpf_dsq_move_to_local(SHARED_DSQ);
}

void POLICY_OP(hosted_error_cpu_online, s32 cpu)
{
}

void POLICY_OP(hosted_error_cpu_offline, s32 cpu)
{
}

POLICY_INIT(hosted_error)
{
	return policy_create_dsq(0, -1);
}

POLICY_FINI(hosted_error)
{
}

SEC(".struct_ops.link")
struct sched_ext_ops hosted_error = {
	.enqueue = (void *)hosted_error_enqueue,
	.dispatch = (void *)hosted_error_dispatch,
	.cpu_online = (void *)hosted_error_cpu_online,
	.cpu_offline = (void *)hosted_error_cpu_offline,
	.init = (void *)hosted_error_init,
	.exit = (void *)hosted_error_exit,
	.timeout_ms = 3000,
	.name = "hosted_error",
};
