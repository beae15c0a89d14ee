// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Programs that the verifier refuses, one mistake each. record.c loads them one by one and keeps
 * what the kernel said; the logs beside this file were made so. A test names the line that the
 * refusal must point at, so adding a program belongs at the end.
 */
#include <stdbool.h>
#include <linux/types.h>
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

char LICENSE[] SEC("license") = "GPL";

struct task_struct {
	int pid;
	int tgid;
	struct task_struct *last_wakee;
} __attribute__((preserve_access_index));

struct mm_struct___missing {
	int no_such_field;
} __attribute__((preserve_access_index));

struct bpf_cpumask {
};

struct bpf_cpumask *bpf_cpumask_create(void) __ksym;
void bpf_cpumask_release(struct bpf_cpumask *mask) __ksym;
struct task_struct *bpf_task_from_pid(int pid) __ksym;
struct task_struct *bpf_task_acquire(struct task_struct *p) __ksym;
void bpf_task_release(struct task_struct *p) __ksym;
void bpf_rcu_read_lock(void) __ksym;
void bpf_rcu_read_unlock(void) __ksym;
void scxhid_no_such_weak_kfunc(int cpu) __ksym __weak;

struct value {
	__u64 pointer;
	int index;
	__u32 count;
	__u32 slots[16];
};

struct locked {
	struct bpf_spin_lock lock;
	int count;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16);
	__type(key, __u32);
	__type(value, struct value);
} values SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct locked);
} locks SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} events SEC(".maps");

const volatile __u32 limit = 4;
__u64 total;

SEC("?tp_btf/sched_switch")
int BPF_PROG(no_null_check, bool preempt, struct task_struct *prev)
{
	__u32 key = prev->pid;
	struct value *v = bpf_map_lookup_elem(&values, &key);

	v->slots[0]++;
	return 0;
}

SEC("?tp_btf/sched_switch")
int BPF_PROG(index_unbounded, bool preempt, struct task_struct *prev)
{
	__u32 key = 0;
	struct value *v = bpf_map_lookup_elem(&values, &key);

	if (!v)
		return 0;
	v->slots[bpf_get_prandom_u32()]++;
	return 0;
}

SEC("?tp_btf/sched_switch")
int BPF_PROG(index_too_large, bool preempt, struct task_struct *prev)
{
	__u32 key = 0, i = bpf_get_prandom_u32();
	struct value *v = bpf_map_lookup_elem(&values, &key);

	if (!v || i > 16)
		return 0;
	v->slots[i]++;
	return 0;
}

SEC("?tp_btf/sched_switch")
int BPF_PROG(index_negative, bool preempt, struct task_struct *prev)
{
	__u32 key = 0;
	struct value *v = bpf_map_lookup_elem(&values, &key);
	long i;

	if (!v)
		return 0;
	i = v->index;
	asm volatile("" : "+r"(i));
	if (i < 16)
		v->slots[i]++;
	return 0;
}

SEC("?tp_btf/sched_switch")
int BPF_PROG(scalar_as_pointer, bool preempt, struct task_struct *prev)
{
	__u32 key = 0;
	struct value *v = bpf_map_lookup_elem(&values, &key);

	if (!v)
		return 0;
	total += *(__u64 *)v->pointer;
	return 0;
}

SEC("?tp_btf/sched_switch")
__attribute__((naked)) int register_never_set(void)
{
	asm volatile("r0 = r7\n"
		     "exit");
}

SEC("?tp_btf/sched_switch")
__attribute__((naked)) int stack_too_low(void)
{
	asm volatile("r1 = 0\n"
		     "*(u64 *)(r10 - 520) = r1\n"
		     "r0 = 0\n"
		     "exit");
}

SEC("?tp_btf/sched_switch")
__attribute__((naked)) int stack_misaligned(void)
{
	asm volatile("r1 = 0\n"
		     "*(u64 *)(r10 - 12) = r1\n"
		     "r0 = 0\n"
		     "exit");
}

SEC("?tp_btf/sched_switch")
__attribute__((naked)) int no_way_out(void)
{
	asm volatile("r0 = 0\n"
		     "1: if r0 == 1 goto 2f\n"
		     "goto 1b\n"
		     "2: exit");
}

SEC("?tp_btf/sched_switch")
__attribute__((naked)) int code_never_reached(void)
{
	asm volatile("r0 = 0\n"
		     "exit\n"
		     "r0 = 1\n"
		     "exit");
}

SEC("?tp_btf/sched_switch")
int BPF_PROG(reference_kept, bool preempt, struct task_struct *prev)
{
	struct bpf_cpumask *mask = bpf_cpumask_create();

	if (!mask)
		return 0;
	total++;
	return 0;
}

SEC("?tp_btf/sched_switch")
int BPF_PROG(ringbuf_kept, bool preempt, struct task_struct *prev)
{
	__u64 *event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);

	if (!event)
		return 0;
	*event = prev->pid;
	if (prev->tgid == 1)
		return 0;
	bpf_ringbuf_submit(event, 0);
	return 0;
}

SEC("?tp_btf/sched_switch")
int BPF_PROG(ringbuf_no_null_check, bool preempt, struct task_struct *prev)
{
	__u64 *event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);

	*event = prev->pid;
	bpf_ringbuf_submit(event, 0);
	return 0;
}

SEC("?tp_btf/sched_switch")
int BPF_PROG(null_to_kfunc, bool preempt, struct task_struct *prev)
{
	bpf_task_release(bpf_task_from_pid(1));
	return 0;
}

SEC("?tp_btf/sched_switch")
int BPF_PROG(untrusted_to_kfunc, bool preempt, struct task_struct *prev)
{
	struct task_struct *p = bpf_task_acquire(prev->last_wakee);

	if (p)
		bpf_task_release(p);
	return 0;
}

SEC("?tc")
int kfunc_not_for_this_type(struct __sk_buff *skb)
{
	struct bpf_cpumask *mask = bpf_cpumask_create();

	if (mask)
		bpf_cpumask_release(mask);
	return 0;
}

SEC("?tp_btf/sched_switch")
int BPF_PROG(weak_kfunc_missing, bool preempt, struct task_struct *prev)
{
	scxhid_no_such_weak_kfunc(0);
	return 0;
}

SEC("?tp_btf/sched_switch")
int BPF_PROG(core_relocation_fails, bool preempt, struct task_struct *prev)
{
	struct mm_struct___missing *mm = (void *)prev;

	return mm->no_such_field;
}

SEC("?tp_btf/sched_switch")
int BPF_PROG(helper_not_for_this_type, bool preempt, struct task_struct *prev)
{
	return bpf_redirect(1, 0);
}

SEC("?tp_btf/sched_switch")
int BPF_PROG(sleeps_in_atomic, bool preempt, struct task_struct *prev)
{
	__u64 value;

	return bpf_copy_from_user(&value, sizeof(value), (void *)8);
}

SEC("?syscall")
int sleeps_under_rcu(void *ctx)
{
	__u64 value;

	bpf_rcu_read_lock();
	bpf_copy_from_user(&value, sizeof(value), (void *)8);
	bpf_rcu_read_unlock();
	return 0;
}

SEC("?syscall")
int rcu_not_unlocked(void *ctx)
{
	bpf_rcu_read_lock();
	total++;
	return 0;
}

static __attribute__((noinline)) int deep_leaf(__u32 seed)
{
	volatile char block[300];

	block[seed & 0xff] = seed;
	return block[(seed + 1) & 0xff];
}

SEC("?tc")
int stack_too_deep(struct __sk_buff *skb)
{
	volatile char block[300];

	block[skb->len & 0xff] = 1;
	return deep_leaf(block[skb->mark & 0xff]);
}

SEC("?cgroup/sock_create")
int return_out_of_range(struct bpf_sock *ctx)
{
	return 7;
}

SEC("?tp_btf/sched_switch")
int BPF_PROG(writes_rodata, bool preempt, struct task_struct *prev)
{
	*(volatile __u32 *)&limit = 8;
	return 0;
}

SEC("?tp_btf/sched_switch")
int BPF_PROG(writes_task, bool preempt, struct task_struct *prev)
{
	prev->pid = 1;
	return 0;
}

SEC("?tp_btf/sched_switch")
int BPF_PROG(writes_context, bool preempt, struct task_struct *prev)
{
	*(volatile __u64 *)ctx = 1;
	return 0;
}

SEC("?tp_btf/sched_switch")
int BPF_PROG(beyond_task, bool preempt, struct task_struct *prev)
{
	return *(volatile int *)((char *)prev + 1000000);
}

SEC("?tp_btf/sched_switch")
int BPF_PROG(task_pointer_arithmetic, bool preempt, struct task_struct *prev)
{
	return *(volatile int *)((char *)prev + (bpf_get_prandom_u32() & 0xff));
}

SEC("?tc")
int call_under_lock(struct __sk_buff *skb)
{
	__u32 key = 0;
	struct locked *l = bpf_map_lookup_elem(&locks, &key);

	if (!l)
		return 0;
	bpf_spin_lock(&l->lock);
	l->count = bpf_get_prandom_u32();
	bpf_spin_unlock(&l->lock);
	return 0;
}

SEC("?tc")
int lock_not_released(struct __sk_buff *skb)
{
	__u32 key = 0;
	struct locked *l = bpf_map_lookup_elem(&locks, &key);

	if (!l)
		return 0;
	bpf_spin_lock(&l->lock);
	l->count++;
	return 0;
}

SEC("?tc")
int packet_unchecked(struct __sk_buff *skb)
{
	return *(__u8 *)(long)skb->data;
}

SEC("?tp_btf/sched_switch")
int BPF_PROG(wrong_argument, bool preempt, struct task_struct *prev)
{
	return bpf_map_delete_elem(&values, (void *)8L);
}
