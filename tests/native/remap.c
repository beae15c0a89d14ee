// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The remap program as a library for tests: the device's reports in, the system's out, time as given,
 * for several interfaces. All but what the kernel does: injected reports are written down instead. What
 * happens on another CPU meanwhile happens where interrupt() says, at a point where it may.
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
#define SHARED		     static
#define SHARED_VARIABLE	     static
#define SEC(name)
#define __uint(name, value) int(*name)[value]
#define __type(name, value) value *name
#define MOST_OUT	    2048

enum { BPF_MAP_TYPE_ARRAY };

struct hid_bpf_ctx;
struct bpf_spin_lock {
	bool is_held;
};

static struct bpf_spin_lock the_lock;
static u32 interface;

static void may_be_interrupted(void);

#define bpf_map_lookup_elem(map, key) ((void)*(key), &the_lock)

static inline void bpf_spin_lock(struct bpf_spin_lock *lock)
{
	if (lock->is_held)
		__builtin_trap();
	lock->is_held = true;
}

static inline void bpf_spin_unlock(struct bpf_spin_lock *lock)
{
	lock->is_held = false;
	may_be_interrupted();
}

#include "arithmetic.h"
#include "table.h"

static struct rules rules[NR_TABLES];
static struct places places[NR_INTERFACES][NR_TABLES];
static u32 tables[NR_INTERFACES];

static inline const struct rules *current_rules(void)
{
	return &rules[tables[interface]];
}

static inline const struct places *current_places(void)
{
	return &places[interface][tables[interface]];
}

static u8 out[MOST_OUT][SEEN_BYTES];
static u32 sizes[MOST_OUT], interfaces[MOST_OUT], nr_out, awaited;

static int inject(struct hid_bpf_ctx *hid, u8 *bytes, u32 size)
{
	if (nr_out == MOST_OUT)
		__builtin_trap();
	memcpy(out[nr_out], bytes, SEEN_BYTES);
	interfaces[nr_out] = interface;
	sizes[nr_out++] = size;
	may_be_interrupted();
	return size;
}

#define PRIVATE(type, name) static type name##_of[NR_INTERFACES]
#define device		    device_of[interface]
#define rest		    rest_of[interface]
u64 stat_no_room;
#define stat_inc(name) (stat_##name++)

#include "flow.h"

static struct {
	u32 after, interface, size;
	u64 now;
	u8 report[SEEN_BYTES];
} other;

static void end(u32 r, u32 size)
{
	if (r < NR_REPORTS && current_places()->reports[r].size > size)
		size = current_places()->reports[r].size;
	awaited |= rest.awaited & present;
	inject(NULL, device.scratch, size);
}

static void take(const u8 *report, u32 size, u64 now)
{
	u32 r;

	tables[interface] = current_tables;
	memset(device.scratch, 0, SEEN_BYTES);
	memcpy(device.scratch, report, size < SEEN_BYTES ? size : SEEN_BYTES);
	r = find_report(device.scratch[0]);
	if (r < NR_REPORTS) {
		if (!is_bypassed) {
			if (take_in(NULL, r, now))
				put_out(NULL, r, now);
		} else if (!pass_on(NULL, r, true)) {
			memset(device.scratch, 0, SEEN_BYTES);
			memcpy(device.scratch, report, size < SEEN_BYTES ? size : SEEN_BYTES);
		}
	}
	end(r, size);
}

static void may_be_interrupted(void)
{
	u32 before = interface;

	if (!other.after || other.interface == interface || --other.after)
		return;
	interface = other.interface;
	take(other.report, other.size, other.now);
	interface = before;
}

void start(u32 nr)
{
	memset(&machine, 0, sizeof(machine));
	memset(device_of, 0, sizeof(device_of));
	memset(rest_of, 0, sizeof(rest_of));
	memset(outputs, 0, sizeof(outputs));
	memset(says, 0, sizeof(says));
	memset(&incoming, 0, sizeof(incoming));
	for (interface = 0; interface < NR_INTERFACES; interface++)
		rest.deadline = NEVER;
	machine.deadline = NEVER;
	is_running = is_bypassed = false;
	awaited = 0;
	other.after = 0;
	present = (1 << nr) - 1;
}

/* Rules, or the places of an interface, that count from flip() on; -1: that is none. */
int set_rules(const void *from, u32 size)
{
	if (size != sizeof(struct rules))
		return -1;
	memcpy(&rules[!current_tables], from, size);
	return 0;
}

int set_places(u32 n, const void *from, u32 size)
{
	if (size != sizeof(struct places))
		return -1;
	memcpy(&places[n][!current_tables], from, size);
	return 0;
}

void flip(void)
{
	current_tables ^= 1;
}

/* The report that another interface sends during the next feed or poke, at the n-th point. */
void interrupt(u32 after, u32 n, const u8 *report, u32 size, u64 now)
{
	other.after = after;
	other.interface = n;
	other.size = size;
	other.now = now;
	memcpy(other.report, report, size < SEEN_BYTES ? size : SEEN_BYTES);
}

/* Whether that did not happen. */
bool is_left(void)
{
	bool is = other.after;

	other.after = 0;
	return is;
}

/* A report of an interface; how many come out. */
int feed(u32 n, const u8 *report, u32 size, u64 now)
{
	nr_out = 0;
	interface = n;
	take(report, size, now);
	return nr_out;
}

/* What the timer and the work queue do. */
int poke(u32 n, u64 now)
{
	nr_out = 0;
	interface = n;
	tables[interface] = current_tables;
	awaited &= ~(1 << n);
	if (is_bypassed) {
		pass_on(NULL, 0, false);
	} else {
		make_base(0);
		put_out(NULL, 0, now);
	}
	end(0, 0);
	return nr_out;
}

/* The interface is unplugged. */
void leave(u32 n, u64 now)
{
	interface = n;
	tables[interface] = current_tables;
	awaited |= forget_interface(n, now) & present;
	awaited &= ~(1 << n);
	rest.deadline = NEVER;
}

/* Interfaces that are to be poked, a bit each. */
u32 get_awaited(void)
{
	return awaited;
}

u64 deadline(u32 n)
{
	return is_bypassed ? NEVER : rest_of[n].deadline;
}

u32 get_out(u32 n, u8 *bytes, u32 *from)
{
	memcpy(bytes, out[n], SEEN_BYTES);
	*from = interfaces[n];
	return sizes[n];
}

bool bypassed(void)
{
	return is_bypassed;
}

void resume(void)
{
	machine.is_stale = true;
}
