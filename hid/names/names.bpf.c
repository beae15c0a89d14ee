// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * names: reads what a device is called, and gives it those names back.
 *
 * A fixup may write a name into the kernel's hid_device, and that outlives it. The kernel lets only
 * hid_bpf_ops write there, so one is attached for a moment, before all others, and called through a
 * request that it answers itself: no request reaches the device, and nothing is asked anew.
 */
#include "hid_bpf.h"

char _license[] SEC("license") = "GPL";

#define NAME_SIZE  128
#define OTHER_SIZE 64
#define ECANCELED  125
#define ENODEV	   19

struct hid_device___named {
	char name[NAME_SIZE];
	char phys[OTHER_SIZE];
	char uniq[OTHER_SIZE];
} __attribute__((preserve_access_index));

struct hid_bpf_ops___requests {
	int hid_id;
	u32 flags;
	int (*hid_hw_request)(struct hid_bpf_ctx *hid, unsigned char report,
			      enum hid_report_type type, enum hid_class_request request,
			      u64 source);
} __attribute__((preserve_access_index));

/* As the kernel has them: terminated, and no longer than its own. */
struct names {
	char name[NAME_SIZE];
	char phys[OTHER_SIZE];
	char uniq[OTHER_SIZE];
};

struct names names;
u64 own_request; /* tells the request below from those of others */

struct names_args {
	u32 hid;
	u32 type; /* of a report that the device has: 0 input, 1 output, 2 feature */
	u32 report;
};

SEC("syscall")
int read_names(struct names_args *args)
{
	struct hid_bpf_ctx *ctx = hid_bpf_allocate_context(args->hid);
	struct hid_device___named *hid;
	int failed;

	if (!ctx)
		return -ENODEV;
	hid = (void *)ctx->hid;
	failed = bpf_probe_read_kernel(names.name, NAME_SIZE, hid->name) ||
		 bpf_probe_read_kernel(names.phys, OTHER_SIZE, hid->phys) ||
		 bpf_probe_read_kernel(names.uniq, OTHER_SIZE, hid->uniq);
	hid_bpf_release_context(ctx);
	return failed ? -ENODEV : 0;
}

SEC("syscall")
int write_names(struct names_args *args)
{
	struct hid_bpf_ctx *ctx = hid_bpf_allocate_context(args->hid);
	u8 data[1] = { args->report };
	int result;

	if (!ctx)
		return -ENODEV;
	own_request = (u64)ctx;
	result = hid_bpf_hw_request(ctx, data, sizeof(data), args->type, HID_REQ_GET_REPORT);
	own_request = 0;
	hid_bpf_release_context(ctx);
	return result == -ECANCELED ? 0 : result;
}

/* All but the last byte, which the kernel keeps as the end of the text. */
#define write_text(to, from, size)                                                                 \
	do {                                                                                       \
		_Pragma("unroll") for (u32 i = 0; i < (size)-1; i++)(to)[i] = (from)[i];           \
	} while (0)

SEC("struct_ops/names_request")
int BPF_PROG(names_request, struct hid_bpf_ctx *hctx, unsigned char report,
	     enum hid_report_type type, enum hid_class_request request, u64 source)
{
	struct hid_device___named *hid;
	char *name, *phys, *uniq;

	if (!source || source != own_request)
		return 0;
	hid = (void *)hctx->hid;
	name = hid->name;
	phys = hid->phys;
	uniq = hid->uniq;
	write_text(name, names.name, NAME_SIZE);
	write_text(phys, names.phys, OTHER_SIZE);
	write_text(uniq, names.uniq, OTHER_SIZE);
	return -ECANCELED;
}

SEC(".struct_ops.link")
struct hid_bpf_ops___requests names_ops = {
	.flags = BPF_F_BEFORE,
	.hid_hw_request = (void *)names_request,
};
