// SPDX-License-Identifier: GPL-2.0-or-later
/* hid_burns: holds every report up for as long as it is told. */
#include "hid_bpf.h"
#include "declare.h"

char _license[] SEC("license") = "GPL";

KNOB(u64, burn_us, 0, 0, 100000, "us", "how long a report is held up");

SEC("struct_ops/hid_burns")
int BPF_PROG(hid_burns, struct hid_bpf_ctx *hid)
{
	u64 until = bpf_ktime_get_ns() + burn_us * 1000;
	u32 n;

	bpf_for(n, 0, 1 << 22)
		if (bpf_ktime_get_ns() >= until)
			break;
	return 0;
}

SEC(".struct_ops.link")
struct hid_bpf_ops burns = {
	.hid_device_event = (void *)hid_burns,
};
