// SPDX-License-Identifier: GPL-2.0-or-later
/* hid_fixup: a fixup of the report descriptor, by hand: what was a mouse calls itself a joystick. */
#include "hid_bpf.h"

char _license[] SEC("license") = "GPL";

SEC("struct_ops/hid_fixup")
int BPF_PROG(hid_fixup, struct hid_bpf_ctx *hid)
{
	u8 *data = hid_bpf_get_data(hid, 0, 4);

	if (data && data[2] == 0x09 && data[3] == 0x02)
		data[3] = 0x04;
	return 0;
}

SEC(".struct_ops.link")
struct hid_bpf_ops fixup = {
	.hid_rdesc_fixup = (void *)hid_fixup,
};
