// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * host_layout: structures that are hard to read: bit fields with and without a sign and across bytes,
 * packed and padded members, anonymous structures and unions, arrays of structures. Initialised, so that
 * the values tell whether the reader agrees with the compiler about where everything lies.
 */
#include "scx.h"

char _license[] SEC("license") = "GPL";

enum level { LOW = -2, MIDDLE = 0, HIGH = 7 };

struct bits {
	u32 one : 1;
	u32 five : 5;
	s32 minus : 7;
	u32 : 3;
	u32 sixteen : 16;
	u64 wide : 40;
	s64 wide_minus : 20;
	u8 last;
};

struct padded {
	u8 first;
	u64 second;
	u16 third;
};

struct packed {
	u8 first;
	u64 second;
	u16 third;
} __attribute__((packed));

struct nested {
	u8 tag;
	union {
		u32 whole;
		struct {
			u16 low;
			u16 high;
		};
	};
	struct padded rows[2];
	void *pointer;
	char text[5];
	u8 raw[3];
};

volatile struct bits bits SEC(".data") = {
	.one = 1,
	.five = 21,
	.minus = -33,
	.sixteen = 54321,
	.wide = 0xabcdef0123,
	.wide_minus = -500000,
	.last = 9,
};
volatile struct packed packed SEC(".data") = { 1, 0x1122334455667788, 0x99aa };
volatile struct nested nested SEC(".data") = {
	.tag = 7,
	.whole = 0x00020001,
	.rows = { { 1, 2, 3 }, { 4, 5, 6 } },
	.text = "four",
	.raw = { 10, 20, 30 },
};
volatile enum level level SEC(".data") = LOW;
volatile u8 grid[2][2][3] SEC(".data") = { { { 1, 2, 3 }, { 4, 5, 6 } },
					   { { 7, 8, 9 }, { 10, 11, 12 } } };
volatile u64 odd_place SEC(".data") __attribute__((aligned(1)));

/* The only variable of .bss, and static: libbpf would not let the section be mapped. */
static u64 nr_copies;

SEC("syscall")
int copy(void *context)
{
	nr_copies++;
	bits.last = bits.five;
	packed.first = packed.third;
	nested.raw[0] = nested.tag;
	return grid[1][1][2] + level + odd_place;
}
