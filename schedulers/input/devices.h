/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Input devices: what the kernel knows of one, which of them count, and who hands out a report now.
 */
#ifndef SCXHID_INPUT_DEVICES_H
#define SCXHID_INPUT_DEVICES_H

#include "scx.h"
#include "declare.h"

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct input_id {
	u16 bustype;
	u16 vendor;
	u16 product;
};

struct input_dev {
	struct input_id id;
};

struct input_handle {
	struct input_dev *dev;
};

struct hid_device {
	u16 bus;
	u32 vendor;
	u32 product;
};

#pragma clang attribute pop

#define HID_INPUT_REPORT 0

#define MOST_DEVICES 256

/* A model of device, by which it is known again when it is plugged in anew: struct input_id. */
#define DEVICE(bus, vendor, product)                                                               \
	((u64)(bus) << 32 | (u64)((vendor)&0xffff) << 16 | ((product)&0xffff))

enum choice {
	CHOICE_NONE, /* of the user: what holds for all */
	CHOICE_IN,
	CHOICE_OUT,
};

struct device {
	u64 choice;
	u64 reports; /* that were handed out */
	u64 events;  /* of these, such as woke somebody */
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, MOST_DEVICES);
	__type(key, u64); /* DEVICE() */
	__type(value, struct device);
} devices SEC(".maps");

/* Whether devices count of which the user has said nothing. Set with the choices, not a knob. */
DECLARE_TAG("policy") __attribute__((used)) volatile u64 others_count SEC(".data") = 1;

static struct device no_choice;

/* The device if it counts; NULL if it does not, or there is no room for it. */
static __always_inline struct device *wanted(u64 key)
{
	struct device *device = bpf_map_lookup_elem(&devices, &key);

	if (!device) {
		bpf_map_update_elem(&devices, &key, &no_choice, BPF_NOEXIST);
		device = bpf_map_lookup_elem(&devices, &key);
	}
	if (!device || device->choice == CHOICE_OUT)
		return NULL;
	return others_count || device->choice == CHOICE_IN ? device : NULL;
}

/*
 * A report that is being handed out: whoever is woken meanwhile is woken by it. In an interrupt that
 * belongs to the CPU; in a task, which may be moved meanwhile, to the task.
 */
enum opener {
	OPENED_NOT,
	OPENED_BY_HID,	 /* hid_report_raw_event(): everything that reads HID devices */
	OPENED_BY_EVDEV, /* evdev_events(): other devices, and reports that drivers take apart */
};

struct report {
	u64 opener;
	u64 device; /* DEVICE() */
	u64 began;  /* ns */
	u64 event;  /* its number; 0 until it wakes somebody */
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct report);
} in_interrupt SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct report);
} in_task SEC(".maps");

static __always_inline struct report *report_here(bool is_task, u64 flags)
{
	u32 key = 0;

	if (is_task)
		return bpf_task_storage_get(&in_task, bpf_get_current_task_btf(), NULL, flags);
	return bpf_map_lookup_elem(&in_interrupt, &key);
}

#endif /* SCXHID_INPUT_DEVICES_H */
