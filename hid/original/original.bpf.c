// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * original: reads a device's report descriptor at each stage.
 *
 * sysfs shows only the last: after HID-BPF programs and after the kernel's own driver. This is no fixup,
 * it is run once and attached to nothing.
 */
#include "hid_bpf.h"

char _license[] SEC("license") = "GPL";

/* By the device, by HID-BPF, by the driver; a size of 0 is one that could not be read. */
struct descriptors {
	u32 size[3];
	u8 bytes[3][HID_MAX_DESCRIPTOR_SIZE];
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct descriptors);
} found SEC(".maps");

struct original_args {
	u32 hid;
};

static __always_inline void copy(struct descriptors *to, u32 stage, const u8 *from, u32 size)
{
	if (!from || size > HID_MAX_DESCRIPTOR_SIZE)
		size = 0;
	if (size && bpf_probe_read_kernel(to->bytes[stage], size, from))
		size = 0;
	to->size[stage] = size;
}

SEC("syscall")
int original(struct original_args *args)
{
	u32 key = 0;
	struct descriptors *to = bpf_map_lookup_elem(&found, &key);
	struct hid_bpf_ctx *ctx;
	struct hid_device *hid;

	if (!to)
		return -1;
	ctx = hid_bpf_allocate_context(args->hid);
	if (!ctx)
		return -19; /* ENODEV */
	hid = ctx->hid;
	copy(to, 0, hid->dev_rdesc, hid->dev_rsize);
	if (bpf_core_field_exists(hid->bpf_rdesc))
		copy(to, 1, hid->bpf_rdesc, hid->bpf_rsize);
	copy(to, 2, hid->rdesc, hid->rsize);
	hid_bpf_release_context(ctx);
	return 0;
}
