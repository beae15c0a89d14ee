// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * globals: variables and maps of every shape, filled with values that a test can work out. Needs no
 * sched_ext. `fill` is run on request and fills everything from one seed; `count_syscalls` is attached
 * and counts the system calls of one process.
 */
#include "scx.h"
#include "declare.h"

char _license[] SEC("license") = "GPL";

ABOUT("variables and maps of every shape", "testing the loader");

#define EINVAL_ 22

enum colour { RED, GREEN = 5, BLUE = -3 };
enum wide { NARROW = 1, FULL = 0xffffffff };

struct point {
	s32 x;
	s32 y;
};

struct shape {
	u8 kind;
	bool filled;
	u16 nr_points;
	enum colour colour;
	struct point points[3];
	struct {
		u64 area;
		s64 offset;
	} inner;
	char name[16];
};

/* .rodata */
const volatile u8 ro_u8 = 200;
const volatile s8 ro_s8 = -100;
const volatile u16 ro_u16 = 60000;
const volatile s16 ro_s16 = -30000;
const volatile u32 ro_u32 = 4000000000u;
const volatile s32 ro_s32 = -2000000000;
const volatile u64 ro_u64 = 18000000000000000000ull;
const volatile s64 ro_s64 = -9000000000000000000ll;
const volatile bool ro_bool = true;
const volatile enum colour ro_enum = GREEN;
const volatile u32 ro_array[4] = { 1, 2, 3, 4 };
const volatile char ro_text[16] = "read only";
const volatile u32 target_tgid = 0;

/* .data */
volatile u8 data_u8 SEC(".data") = 1;
volatile s8 data_s8 SEC(".data") = -1;
volatile u16 data_u16 SEC(".data") = 2;
volatile s16 data_s16 SEC(".data") = -2;
volatile u32 data_u32 SEC(".data") = 3;
volatile s32 data_s32 SEC(".data") = -3;
volatile u64 data_u64 SEC(".data") = 4;
volatile s64 data_s64 SEC(".data") = -4;
volatile bool data_bool SEC(".data") = false;
volatile enum colour data_enum SEC(".data") = BLUE;
volatile enum wide data_wide SEC(".data") = FULL;
volatile s32 data_array[2][3] SEC(".data") = { { 1, 2, 3 }, { 4, 5, 6 } };
struct shape data_shape SEC(".data") = {
	.kind = 3,
	.filled = true,
	.nr_points = 3,
	.colour = GREEN,
	.points = { { 1, -1 }, { 2, -2 }, { 3, -3 } },
	.inner = { 7, -7 },
	.name = "triangle",
};

/* .bss */
u64 nr_calls;
s32 bss_s32;
bool bss_bool;
struct shape bss_shape;
u64 bss_array[8];

KNOB(u64, period_us, 0, 0, 1000000, "us", "a live setting whose default is 0");
KNOB(s32, bias, -5, -10, 10, "", "a signed live setting");
KNOB(bool, enabled, true, false, true, "", "a live switch");
KNOB_AT_LOAD(u32, nr_rounds, 4, 1, 16, "", "a setting that is fixed at load");
KNOB_AT_LOAD(bool, quick, false, false, true, "", "a switch that is fixed at load");

STAT(fills, "times fill has run");
STAT(syscalls, "system calls seen");

struct sample {
	u64 count;
	s32 delta;
	u16 kind;
	bool valid;
	struct point at;
	u8 bytes[5];
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 16);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, u32);
	__type(value, struct sample);
} samples SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 32);
	__type(key, u32);
	__type(value, u64);
} counters SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 4);
	__type(key, u32);
	__type(value, struct sample);
} percpu_samples SEC(".maps");

struct pair_key {
	u32 a;
	u32 b;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 256);
	__type(key, struct pair_key);
	__type(value, struct sample);
} by_pair SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(max_entries, 64);
	__type(key, u32);
	__type(value, u64);
} percpu_by_id SEC(".maps");

static __always_inline struct sample sample_of(u32 seed, u32 i)
{
	struct sample s = {};

	s.count = (u64)seed * 1000 + i;
	s.delta = -(s32)(seed + i);
	s.kind = i;
	s.valid = i & 1;
	s.at.x = i;
	s.at.y = -(s32)i;
	s.bytes[0] = i;
	s.bytes[4] = seed;
	return s;
}

/* The argument of fill, which test_run takes as ctx_in. */
struct fill_args {
	u32 seed;
	u32 filled; /* set by the program: entries written to by_pair */
};

/*
 * Entry i of every map gets sample_of(seed, i); on this CPU counters[i] = seed * i and
 * percpu_by_id[i] = seed + i (i < 32); bss_array[i] = seed * i.
 */
SEC("syscall")
int fill(struct fill_args *args)
{
	u32 seed = args->seed;

	if (seed == 0)
		return -EINVAL_;
	args->filled = 0;
	for (u32 i = 0; i < 32; i++) {
		struct sample s = sample_of(seed, i), *percpu;
		struct pair_key pair = { .a = i, .b = seed };
		u64 id_value = seed + i, *counter;
		u32 key = i; /* a copy: the verifier forgets a counter whose address is passed */

		if (i < 16)
			bpf_map_update_elem(&samples, &key, &s, BPF_ANY);
		counter = bpf_map_lookup_elem(&counters, &key);
		if (counter)
			*counter = (u64)seed * i;
		percpu = i < 4 ? bpf_map_lookup_elem(&percpu_samples, &key) : NULL;
		if (percpu)
			*percpu = s;
		if (!bpf_map_update_elem(&by_pair, &pair, &s, BPF_ANY))
			args->filled++;
		bpf_map_update_elem(&percpu_by_id, &key, &id_value, BPF_ANY);
		if (i < 8)
			bss_array[i] = (u64)seed * i;
	}
	bss_s32 = -(s32)seed;
	bss_bool = true;
	bss_shape = data_shape;
	bss_shape.colour = BLUE;
	bss_shape.inner.area = seed;
	stat_inc(fills);
	return 0;
}

/* The sum of the live settings and variables as the program sees them, for tests of live writes. */
SEC("syscall")
int sum_live(struct fill_args *args)
{
	args->filled = period_us + bias + enabled + nr_rounds + quick + data_u8 + data_u32 +
		       data_s32 + data_bool + data_array[1][2] + ro_array[3];
	return 0;
}

/* Names every variable once, so that the compiler keeps it. */
SEC("syscall")
int touch(struct fill_args *args)
{
	args->filled = ro_u8 + ro_s8 + ro_u16 + ro_s16 + ro_u32 + ro_s32 + ro_u64 + ro_s64 +
		       ro_bool + ro_enum + ro_text[0] + data_s8 + data_u16 + data_s16 + data_u64 +
		       data_s64 + data_enum + data_wide;
	return 0;
}

SEC("raw_tp/sys_enter")
int BPF_PROG(count_syscalls, void *regs, long id)
{
	if (target_tgid && bpf_get_current_pid_tgid() >> 32 != target_tgid)
		return 0;
	__sync_fetch_and_add(&nr_calls, 1);
	stat_inc(syscalls);
	return 0;
}
