// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * extra_keys: adds keys to a device, so that rules may press what it cannot say by itself.
 *
 * It appends to the report descriptor what pyloader/hid/remap/extra.py made for the device: every usual
 * key, media keys and buttons, a bit each. The device never sends them; remap does. Once it is attached,
 * rules may change without the kernel having to ask the device anew.
 */
#include "hid_bpf.h"

char _license[] SEC("license") = "GPL";

ABOUT("keys that a device cannot say by itself", "what scxhid hid remap attaches where it must");

#define MOST_BYTES 512

/* Set by the loader. */
DECLARE_TAG("policy") DECLARE_KEPT u32 nr_appended = 0;
DECLARE_TAG("policy") DECLARE_KEPT u8 appended[MOST_BYTES] = {};

SEC("struct_ops/extra_keys_fixup")
int BPF_PROG(extra_keys_fixup, struct hid_bpf_ctx *hid)
{
	u8 *bytes = hid_bpf_get_data(hid, 0, HID_MAX_DESCRIPTOR_SIZE);
	u32 size = hid->size, n, at;

	if (!bytes || size + nr_appended > HID_MAX_DESCRIPTOR_SIZE)
		return 0;
	bpf_for(n, 0, MOST_BYTES) {
		at = size + n;
		if (n >= nr_appended || at >= HID_MAX_DESCRIPTOR_SIZE)
			break;
		bytes[at] = appended[n];
	}
	return size + nr_appended;
}

SEC(".struct_ops.link")
struct hid_bpf_ops extra_keys = {
	.hid_rdesc_fixup = (void *)extra_keys_fixup,
};
