/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Takes the place of hid_bpf.h and declare.h, so that a HID program's source compiles as an ordinary
 * program. Put before it with -include. hid_device.c has the functions.
 */
#ifndef HID_STANDIN_H
#define HID_STANDIN_H

#define SCXHID_HID_BPF_H
#define SCXHID_DECLARE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int8_t s8;
typedef int16_t s16;
typedef int32_t s32;
typedef int64_t s64;

#define HID_MAX_DESCRIPTOR_SIZE 4096

struct hid_device {
	u32 id;
};

struct hid_bpf_ctx {
	struct hid_device *hid;
	s32 size;
};

struct hid_bpf_ops {
	int (*hid_device_event)(struct hid_bpf_ctx *hid, u32 type, u64 source);
	int (*hid_rdesc_fixup)(struct hid_bpf_ctx *hid);
};

enum hid_report_type {
	HID_INPUT_REPORT,
};

struct bpf_wq {
	u64 opaque[2];
};

struct bpf_timer {
	u64 due_ns; /* 0: never */
	int (*callback)(void *map, int *key, void *value);
};

#define SEC(name)
#define __ksym
#define __weak
#define __always_inline		inline
#define __uint(name, val)	int(*name)[val]
#define __type(name, val)	typeof(val) *name
#define BPF_MAP_TYPE_ARRAY	2
#define BPF_PROG(name, args...) name(args)
#define DECLARE_TAG(text)
#define DECLARE_KEPT volatile
#define ABOUT(what, good_for)
#define KNOB(type, name, default_, min, max, unit, doc)		volatile type name = default_
#define KNOB_AT_LOAD(type, name, default_, min, max, unit, doc) volatile type name = default_
#define STAT(name, doc)						u64 stat_##name
#define stat_add(name, n)					(stat_##name += (n))
#define stat_inc(name)						(stat_##name++)
#define bpf_for(i, start, end)					for ((i) = (start); (i) < (end); (i)++)
#define barrier_var(value)
#define bpf_ksym_exists(name) true
#define bpf_timer_set_callback(timer, function)                                                    \
	((timer)->callback = (int (*)(void *, int *, void *))(function), 0)

u8 *hid_bpf_get_data(struct hid_bpf_ctx *hid, unsigned int at, size_t size);
struct hid_bpf_ctx *hid_bpf_allocate_context(unsigned int hid_id);
void hid_bpf_release_context(struct hid_bpf_ctx *hid);
int hid_bpf_input_report(struct hid_bpf_ctx *hid, enum hid_report_type type, u8 *report,
			 size_t size);
void *bpf_map_lookup_elem(void *map, const void *key);
int bpf_timer_init(struct bpf_timer *timer, void *map, u64 clock);
int bpf_timer_start(struct bpf_timer *timer, u64 ns, u64 flags);
u64 bpf_ktime_get_ns(void);

#endif /* HID_STANDIN_H */
