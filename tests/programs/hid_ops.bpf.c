// SPDX-License-Identifier: GPL-2.0-or-later
/* hid_ops: a good object that is no scheduler: its struct_ops map is for a HID device. */
#include "scx.h"

char _license[] SEC("license") = "GPL";

struct hid_bpf_ctx {
	u32 size;
} __attribute__((preserve_access_index));

struct hid_bpf_ops {
	int hid_id;
	u32 flags;
	int (*hid_device_event)(struct hid_bpf_ctx *ctx, u32 type, u64 source);
};

SEC("struct_ops/hid_ops_event")
int BPF_PROG(hid_ops_event, struct hid_bpf_ctx *hid, u32 type, u64 source)
{
	return 0; /* the report stays as it is */
}

SEC(".struct_ops.link")
struct hid_bpf_ops hid_ops = {
	.hid_device_event = (void *)hid_ops_event,
};
