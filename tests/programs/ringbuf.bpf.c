// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * ringbuf: events of one structure through a ring buffer. Needs no sched_ext. `emit` is run on request
 * and sends a known number of events with known content; `watch_syscalls` is attached and sends one for
 * each system call of one process.
 */
#include "scx.h"
#include "declare.h"

char _license[] SEC("license") = "GPL";

ABOUT("a source of events", "testing the reader of ring buffers");

enum event_kind { EVENT_SYNTHETIC = 1, EVENT_SYSCALL = 2 };

struct event {
	u64 seq;
	u64 time_ns;
	u32 tgid;
	enum event_kind kind;
	s16 delta;
	bool last;
	u8 cpu;
	s32 syscall;
	char comm[16];
};

/* The type would otherwise be missing from BTF, since only its size is used. */
struct event event__type;

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 20); /* bytes; 16384 events of 64 bytes with their headers */
} events SEC(".maps");

const volatile u32 target_tgid = 0;

STAT(sent, "events that were put into the ring buffer");
STAT(dropped, "events that found no room");

struct emit_args {
	u32 count;   /* events to send, up to 1000000 */
	u32 sent;    /* set by the program */
	u32 dropped; /* set by the program */
};

static __always_inline bool send(u64 seq, enum event_kind kind, bool last, s32 syscall)
{
	struct event *e = bpf_ringbuf_reserve(&events, sizeof(*e), 0);

	if (!e) {
		stat_inc(dropped);
		return false;
	}
	e->seq = seq;
	e->time_ns = bpf_ktime_get_ns();
	e->tgid = bpf_get_current_pid_tgid() >> 32;
	e->kind = kind;
	e->delta = -(s16)(seq & 0x7fff);
	e->last = last;
	e->cpu = bpf_get_smp_processor_id();
	e->syscall = syscall;
	bpf_get_current_comm(e->comm, sizeof(e->comm));
	bpf_ringbuf_submit(e, 0);
	stat_inc(sent);
	return true;
}

static long emit_one(u32 i, struct emit_args *args)
{
	if (send(i, EVENT_SYNTHETIC, i + 1 == args->count, -1))
		args->sent++;
	else
		args->dropped++;
	return 0;
}

/* Event i has seq = i, delta = -(i & 0x7fff), last only for the last one, syscall = -1. */
SEC("syscall")
int emit(struct emit_args *args)
{
	struct emit_args local = { .count = args->count };

	bpf_loop(local.count, emit_one, &local, 0);
	args->sent = local.sent;
	args->dropped = local.dropped;
	return 0;
}

SEC("raw_tp/sys_enter")
int BPF_PROG(watch_syscalls, void *regs, long id)
{
	if (target_tgid && bpf_get_current_pid_tgid() >> 32 == target_tgid)
		send(event__type.seq++, EVENT_SYSCALL, false, id);
	return 0;
}
