// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * elsewhere_half: the kernel's half of a scheduler that a user-space program is meant to complete. It
 * offers tasks in one queue and looks for decisions in another, reads a table that nobody fills, knows
 * the CPUs' places only from an array of constants, has a program for its setup and one that would be
 * attached beside it. It never waits for any of that, so that it runs without.
 */
#include "elsewhere.h"

char _license[] SEC("license") = "GPL";

#define MAX_CPUS 64

const volatile s32 usersched_pid;
const volatile u32 cpu_to_core[MAX_CPUS];
const volatile u32 powers[4] = { 1, 2, 4, 8 };

u64 decisions, boosted;

struct {
	__uint(type, BPF_MAP_TYPE_QUEUE);
	__uint(max_entries, 1024);
	__type(value, s32);
} offered SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_QUEUE);
	__uint(max_entries, 1024);
	__type(value, s32);
} decided SEC(".maps");

/* Both ends of this one are here: nobody is missed. */
struct {
	__uint(type, BPF_MAP_TYPE_QUEUE);
	__uint(max_entries, 1024);
	__type(value, s32);
} own SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, s32);
	__type(value, u32);
} boost_of_pid SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} events SEC(".maps");

/* Declared by sizes alone. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 2);
	__uint(key_size, sizeof(u32));
	__uint(value_size, sizeof(u64));
} counted SEC(".maps");

void BPF_STRUCT_OPS(half_enqueue, struct task_struct *p, u64 enq_flags)
{
	s32 pid = p->pid, other;
	u32 *boost = bpf_map_lookup_elem(&boost_of_pid, &pid), key = 1;
	u64 *n = bpf_map_lookup_elem(&counted, &key);

	if (n)
		++*n;
	if (boost)
		boosted += *boost + powers[pid & 3];
	if (pid != usersched_pid)
		bpf_map_push_elem(&offered, &pid, 0);
	bpf_map_push_elem(&own, &pid, 0);
	bpf_map_pop_elem(&own, &other);
	scx_bpf_dsq_insert(p, SCX_DSQ_GLOBAL, SCX_SLICE_DFL, enq_flags);
}

void BPF_STRUCT_OPS(half_dispatch, s32 cpu, struct task_struct *prev)
{
	s32 pid;

	if (!bpf_map_pop_elem(&decided, &pid))
		decisions += cpu_to_core[cpu & (MAX_CPUS - 1)];
}

SEC("syscall") int half_setup(void *ctx)
{
	return 0;
}

SEC("tp_btf/sched_switch") int half_switch(void *ctx)
{
	u64 *event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);

	if (event) {
		*event = bpf_ktime_get_ns();
		bpf_ringbuf_submit(event, 0);
	}
	return 0;
}

SEC(".struct_ops.link")
struct sched_ext_ops half_ops = {
	.enqueue = (void *)half_enqueue,
	.dispatch = (void *)half_dispatch,
	.timeout_ms = 5000,
	.name = "half",
};
