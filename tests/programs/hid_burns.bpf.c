// SPDX-License-Identifier: GPL-2.0-or-later
/* hid_burns: holds every report up for as long as it is told. */
#include "hid_bpf.h"
#include "declare.h"

char _license[] SEC("license") = "GPL";

KNOB(u64, burn_us, 0, 0, 100000, "us", "how long a report is held up");
KNOB(u64, spread_us, 0, 0, 100000, "us", "up to how much longer, at random");

SEC("struct_ops/hid_burns")
int BPF_PROG(hid_burns, struct hid_bpf_ctx *hid)
{
	u64 more_ns = spread_us ? bpf_get_prandom_u32() % (spread_us * 1000) : 0;
	u64 until = bpf_ktime_get_ns() + burn_us * 1000 + more_ns;
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
