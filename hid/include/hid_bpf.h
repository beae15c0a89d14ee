/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * HID-BPF as our programs see it: types, kernel functions, constants.
 *
 * The structures name only the members that are used; libbpf finds them in the running kernel by
 * name (CO-RE).
 */
#ifndef SCXHID_HID_BPF_H
#define SCXHID_HID_BPF_H

#include "types.h"
#include "declare.h"

#define HID_MAX_DESCRIPTOR_SIZE 4096

/* In hid_bpf_ops.flags: called before those that are attached already. */
#ifndef BPF_F_BEFORE
#define BPF_F_BEFORE (1U << 3)
#endif

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct hid_device {
	u32 id;		     /* the number after the dot of its name in sysfs */
	u32 quirks;	     /* HID_QUIRK_ */
	const u8 *dev_rdesc; /* as the device gave it */
	u32 dev_rsize;
	const u8 *bpf_rdesc; /* as HID-BPF left it */
	u32 bpf_rsize;
	const u8 *rdesc; /* as the driver left it: what all others see */
	u32 rsize;
};

struct hid_bpf_ctx {
	struct hid_device *hid;
	s32 size; /* of the report in bytes */
};

/* Its device is set by the loader, before the load. */
struct hid_bpf_ops {
	int hid_id;
	u32 flags;
	/* Return 0: the report stays; more: its new size; less: it is dropped. */
	int (*hid_device_event)(struct hid_bpf_ctx *hid, u32 type, u64 source);
	int (*hid_rdesc_fixup)(struct hid_bpf_ctx *hid);
};

#pragma clang attribute pop

#define HID_QUIRK_NOGET 8 /* it must not be asked for reports */

enum hid_report_type {
	HID_INPUT_REPORT,
	HID_OUTPUT_REPORT,
	HID_FEATURE_REPORT,
};

/* In name as the kernel's, which is what libbpf compares. */
enum hid_class_request {
	HID_REQ_GET_REPORT = 1,
};

/* Bytes of the report, or of the descriptor in a fixup; NULL if there are fewer. */
extern u8 *hid_bpf_get_data(struct hid_bpf_ctx *hid, unsigned int at,
			    const __SIZE_TYPE__ size) __ksym;
extern struct hid_bpf_ctx *hid_bpf_allocate_context(unsigned int hid_id) __ksym;
extern void hid_bpf_release_context(struct hid_bpf_ctx *ctx) __ksym;

/* As if the device had sent it. Sleeps until no report is under way; one that comes meanwhile is lost. */
extern int hid_bpf_input_report(struct hid_bpf_ctx *ctx, enum hid_report_type type, u8 *report,
				const __SIZE_TYPE__ report__sz) __ksym;

/* Asks the device for a report, or tells it one. Sleeps; returns its bytes, or a negative errno. */
extern int hid_bpf_hw_request(struct hid_bpf_ctx *ctx, u8 *report, __SIZE_TYPE__ report__sz,
			      enum hid_report_type type, enum hid_class_request request) __ksym;

/* As if the device had sent it, from hid_device_event, before the report that is under way, whose bytes it overwrites. */
extern int hid_bpf_try_input_report(struct hid_bpf_ctx *ctx, enum hid_report_type type, u8 *report,
				    const __SIZE_TYPE__ report__sz) __ksym;

#endif /* SCXHID_HID_BPF_H */
