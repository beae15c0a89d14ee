// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * hid_foreign: an object in the form of udev-hid-bpf. It names its devices, has two struct_ops and an
 * optional third, is told a property and finds one out, and gives the device a name.
 *
 * REFUSES makes its probe say no, BROKEN the verifier.
 */
#include "hid_bpf.h"

char _license[] SEC("license") = "GPL";

union {
	struct {
		int (*name)[0];
		int (*bus)[3];
		int (*group)[0];
		int (*vid)[0x1209];
		int (*pid)[0];
	} _entry1;
} _device_ids SEC(".hid_bpf_config");

struct hid_device___named {
	char name[128];
} __attribute__((preserve_access_index));

struct probe_args {
	u32 hid;
	u32 rdesc_size;
	u8 rdesc[HID_MAX_DESCRIPTOR_SIZE];
	s32 retval;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, u8[32]);
} UDEV_PROP_HID_HEARD SEC(".maps");

char UDEV_PROP_HID_WORD[16];
u32 events;

SEC("syscall")
int probe(struct probe_args *args)
{
	u32 key = 0;
	u8 *heard = bpf_map_lookup_elem(&UDEV_PROP_HID_HEARD, &key);

	if (heard)
		bpf_probe_read_kernel(heard, sizeof(UDEV_PROP_HID_WORD), UDEV_PROP_HID_WORD);
#ifdef REFUSES
	args->retval = -22;
#else
	args->retval = 0;
#endif
	return 0;
}

SEC("struct_ops/foreign_fixup")
int BPF_PROG(foreign_fixup, struct hid_bpf_ctx *hid)
{
	u8 *data = hid_bpf_get_data(hid, 0, 4);
	struct hid_device___named *device = (void *)hid->hid;
	char *name = device->name;

#ifdef BROKEN
	return *(int *)(data + 4096);
#endif
	name[0] = 'F';
	name[1] = 'i';
	name[2] = 'x';
	name[3] = '\0';
	if (data && data[2] == 0x09 && data[3] == 0x02)
		data[3] = 0x04;
	return 0;
}

SEC("struct_ops/foreign_event")
int BPF_PROG(foreign_event, struct hid_bpf_ctx *hid, u32 type, u64 source)
{
	u8 *data = hid_bpf_get_data(hid, 0, 2);

	events++;
	if (data)
		data[1] = 42;
	return 0;
}

SEC(".struct_ops.link")
struct hid_bpf_ops foreign_rdesc = {
	.hid_rdesc_fixup = (void *)foreign_fixup,
};

SEC(".struct_ops.link")
struct hid_bpf_ops foreign_events = {
	.hid_device_event = (void *)foreign_event,
};

SEC("?.struct_ops.link")
struct hid_bpf_ops foreign_optional = {
	.hid_device_event = (void *)foreign_event,
};
