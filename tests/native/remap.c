// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The remap program as a library for tests: the device's reports in, the system's out, time as given.
 * All but what the kernel does: injected reports are written down instead.
 */
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int32_t s32;
typedef int64_t s64;

#define SCXHID_HID_BPF_H
#define __noinline __attribute__((noinline)) static
#undef __always_inline
#define __always_inline	     inline
#define bpf_for(i, from, to) for ((i) = (from); (i) < (to); (i)++)
#define MOST_OUT	     512

struct hid_bpf_ctx;

#include "arithmetic.h"
#include "table.h"

static struct table tables[2];
static u32 current_tables;
static volatile bool is_bypassed;

static inline const struct table *current_table(void)
{
	return &tables[current_tables & 1];
}

static u8 out[MOST_OUT][SEEN_BYTES];
static u32 sizes[MOST_OUT], nr_out;

static int inject(struct hid_bpf_ctx *hid, u8 *bytes, u32 size)
{
	if (nr_out == MOST_OUT)
		return -1;
	memcpy(out[nr_out], bytes, SEEN_BYTES);
	sizes[nr_out++] = size;
	return size;
}

#include "flow.h"

static int end(u32 r, u32 size)
{
	if (r < NR_REPORTS && tables[current_tables].reports[r].size > size)
		size = tables[current_tables].reports[r].size;
	inject(NULL, scratch, size);
	return nr_out;
}

void start(void)
{
	memset(&machine, 0, sizeof(machine));
	memset(&device, 0, sizeof(device));
	machine.deadline = NEVER;
	is_bypassed = false;
}

/* The rules that count from the next report on; -1: that is no table. */
int set_table(const void *table, u32 size)
{
	if (size != sizeof(struct table))
		return -1;
	current_tables ^= 1;
	memcpy(&tables[current_tables], table, size);
	return 0;
}

/* A report of the device; how many come out. */
int feed(const u8 *report, u32 size, u64 now)
{
	u32 r;

	nr_out = 0;
	memset(scratch, 0, SEEN_BYTES);
	memcpy(scratch, report, size < SEEN_BYTES ? size : SEEN_BYTES);
	r = is_bypassed ? NO_REPORT : find_report(scratch[0]);
	if (r < NR_REPORTS && take_in(NULL, r, now))
		put_out(NULL, r, now);
	return end(r, size);
}

/* What the timer does. */
int poke(u64 now)
{
	nr_out = 0;
	if (is_bypassed)
		return 0;
	make_base(0);
	put_out(NULL, 0, now);
	return end(0, 0);
}

u64 deadline(void)
{
	return is_bypassed ? NEVER : machine.deadline;
}

u32 get_out(u32 n, u8 *bytes)
{
	memcpy(bytes, out[n], SEEN_BYTES);
	return sizes[n];
}

bool bypassed(void)
{
	return is_bypassed;
}

void resume(void)
{
	forget_pending();
}
