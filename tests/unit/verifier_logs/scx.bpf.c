// SPDX-License-Identifier: GPL-2.0-or-later
/* Schedulers that the verifier refuses, one mistake each: see refusals.bpf.c. */
#include <stdbool.h>
#include <linux/types.h>
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

char LICENSE[] SEC("license") = "GPL";

struct sched_ext_entity {
	__u64 slice;
	__u64 dsq_vtime;
} __attribute__((preserve_access_index));

struct task_struct {
	int pid;
	int prio;
	struct sched_ext_entity scx;
} __attribute__((preserve_access_index));

struct sched_ext_ops {
	__s32 (*select_cpu)(struct task_struct *p, __s32 prev_cpu, __u64 wake_flags);
	void (*enqueue)(struct task_struct *p, __u64 enq_flags);
	void (*dispatch)(__s32 cpu, struct task_struct *prev);
	void (*tick)(struct task_struct *p);
	void (*running)(struct task_struct *p);
	__s32 (*init)(void);
	char name[128];
} __attribute__((preserve_access_index));

struct task_context {
	__u64 runs;
};

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct task_context);
} task_contexts SEC(".maps");

__s32 scx_bpf_create_dsq(__u64 dsq_id, __s32 node) __ksym;
void scx_bpf_dsq_insert(struct task_struct *p, __u64 dsq_id, __u64 slice, __u64 flags) __ksym;
void scx_bpf_dispatch(struct task_struct *p, __u64 dsq_id, __u64 slice, __u64 flags) __ksym __weak;
struct task_struct *bpf_task_from_pid(int pid) __ksym;

__u64 total;

#define REFUSED(member, program)                                                                   \
	SEC(".struct_ops.link")                                                                    \
	struct sched_ext_ops ops_##program = {                                                     \
		.member = (void *)program,                                                         \
		.name = #program,                                                                  \
	}

SEC("struct_ops/enqueue")
void BPF_PROG(storage_unchecked, struct task_struct *p, __u64 enq_flags)
{
	struct task_context *context = bpf_task_storage_get(&task_contexts, p, 0, 0);

	context->runs++;
}
REFUSED(enqueue, storage_unchecked);

SEC("struct_ops/enqueue")
void BPF_PROG(makes_queue_in_enqueue, struct task_struct *p, __u64 enq_flags)
{
	scx_bpf_create_dsq(1, -1);
}
REFUSED(enqueue, makes_queue_in_enqueue);

SEC("struct_ops/running")
void BPF_PROG(writes_priority, struct task_struct *p)
{
	p->prio = 1;
}
REFUSED(running, writes_priority);

SEC("struct_ops/dispatch")
void BPF_PROG(task_kept, __s32 cpu, struct task_struct *prev)
{
	if (bpf_task_from_pid(1))
		total += bpf_ktime_get_ns();
}
REFUSED(dispatch, task_kept);

SEC("struct_ops/dispatch")
void BPF_PROG(prev_unchecked, __s32 cpu, struct task_struct *prev)
{
	total += prev->scx.slice;
}
REFUSED(dispatch, prev_unchecked);

SEC("struct_ops/tick")
void BPF_PROG(old_kfunc, struct task_struct *p)
{
	scx_bpf_dispatch(p, 1, 0, 0);
}
REFUSED(tick, old_kfunc);

SEC("?tp_btf/sched_switch")
int BPF_PROG(inserts_from_tracing, bool preempt, struct task_struct *prev)
{
	scx_bpf_dsq_insert(prev, 0, 0, 0);
	return 0;
}
