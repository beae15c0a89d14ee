// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * input: how long a HID device's report takes until a reader of its input device has it, by stages.
 *
 * The kernel takes one report of a device at a time (hid_device.driver_input_lock), in an interrupt or in
 * a task that may be moved to another CPU meanwhile. So a report under way is kept with its device, not
 * with a CPU or a task, and the input device's parent says which that is. From there on the record goes
 * with the reader: what was queued for it since it last read, of which the oldest report counts. A reader
 * that was awake has no stage for the wake and the wait.
 *
 * Readers of hidraw are not seen, nor what drivers make of a report later, by a timer or by another task.
 */
#include "readers.h"
#include "declare.h"

char _license[] SEC("license") = "GPL";

ABOUT("how long reports of HID devices take until they are read", "scxhid top");

u64 refused; /* reports of devices that there was no room for */

static struct seen_device nothing;

static __always_inline struct seen_device *device_of(u64 hid, u32 id)
{
	struct seen_device *seen = bpf_map_lookup_elem(&devices, &id);

	return seen && seen->hid == hid ? seen : NULL;
}

static __always_inline struct seen_device *new_device(u64 hid, u32 id)
{
	struct seen_device *seen;

	bpf_map_update_elem(&devices, &id, &nothing, BPF_NOEXIST);
	seen = bpf_map_lookup_elem(&devices, &id);
	if (seen)
		seen->hid = hid;
	return seen;
}

/* The innermost report of the device; NULL if there is none, or too many are nested. */
static __always_inline struct under_way *innermost(struct seen_device *seen)
{
	u64 depth = seen->depth;

	if (!depth || depth > MOST_NESTED)
		return NULL;
	return &seen->reports_in[(depth - 1) & (MOST_NESTED - 1)];
}

static __always_inline void count(u64 *histogram, u64 from, u64 to)
{
	u32 bucket = bucket_of(to > from ? to - from : 0);

	__sync_fetch_and_add(&histogram[bucket], 1);
}

/* ---- the report ---- */

SEC("fentry/__hid_input_report")
int BPF_PROG(report_in, struct hid_device *hid, int type)
{
	u64 now = bpf_ktime_get_ns(); /* what the probe itself takes is part of what is told */
	struct seen_device *seen;
	struct under_way *report;

	if (type != HID_INPUT_REPORT)
		return 0;
	seen = device_of((u64)hid, hid->id) ?: new_device((u64)hid, hid->id);
	if (!seen) {
		__sync_fetch_and_add(&refused, 1);
		return 0;
	}
	__sync_fetch_and_add(&seen->reports, 1);
	__sync_fetch_and_add(&seen->depth, 1);
	report = innermost(seen);
	if (!report)
		return 0;
	report->fixed = 0;
	report->is_given = 0;
	report->in = now;
	return 0;
}

SEC("fentry/hid_report_raw_event")
int BPF_PROG(report_fixed, struct hid_device *hid, int type)
{
	struct seen_device *seen = device_of((u64)hid, hid->id);
	struct under_way *report = seen ? innermost(seen) : NULL;

	if (type == HID_INPUT_REPORT && report && !report->fixed)
		report->fixed = bpf_ktime_get_ns();
	return 0;
}

SEC("fexit/__hid_input_report")
int BPF_PROG(report_done, struct hid_device *hid, int type)
{
	struct seen_device *seen = device_of((u64)hid, hid->id);
	struct under_way *report = seen ? innermost(seen) : NULL;

	if (type != HID_INPUT_REPORT || !seen || !seen->depth)
		return 0; /* it was under way when the probe was attached */
	if (report && !report->is_given)
		__sync_fetch_and_add(&seen->unread, 1);
	__sync_fetch_and_add(&seen->depth, -1);
	return 0;
}

/* ---- the reader's buffer ---- */

static __always_inline struct unread *reader_of(u64 client)
{
	struct unread none = {}, *unread = bpf_map_lookup_elem(&readers, &client);

	if (unread)
		return unread;
	bpf_map_update_elem(&readers, &client, &none, BPF_NOEXIST);
	return bpf_map_lookup_elem(&readers, &client);
}

static __always_inline void queue(struct evdev_client *client, u32 events, struct seen_device *seen,
				  u32 id, struct under_way *report)
{
	u32 size = client->bufsize, used = (client->head - client->tail) & (size - 1);
	bool overruns = used + events >= size; /* the kernel throws away all that it has then */
	struct unread *unread = reader_of((u64)client);

	report->is_given = 1;
	__sync_fetch_and_add(&seen->events, events);
	if (overruns)
		__sync_fetch_and_add(&seen->dropped, used);
	if (!unread)
		return;
	if (unread->in && !overruns) {
		if (unread->newest != report->in)
			__sync_fetch_and_add(&seen->coalesced, 1);
		unread->newest = report->in;
		return;
	}
	unread->fixed = report->fixed;
	unread->queued = bpf_ktime_get_ns();
	unread->newest = report->in;
	unread->device = id;
	unread->head = client->head;
	unread->in = report->in;
}

static __always_inline struct waker *this_waker(void)
{
	u32 key = 0;

	return bpf_map_lookup_elem(&wakers, &key);
}

SEC("fentry/evdev_pass_values")
int BPF_PROG(events_queued, struct evdev_client *client, void *values, unsigned int events)
{
	struct device *parent = client->evdev->handle.dev->dev.parent;
	u64 hid = (u64)parent - bpf_core_field_offset(struct hid_device, dev);
	struct waker *waker = this_waker();
	struct under_way *report;
	struct seen_device *seen;
	u32 id = 0;

	if (!parent || client->revoked)
		return 0;
	/* Whatever that is: only of a HID device it is the id of one at this address. */
	bpf_core_read(&id, sizeof(id), &((struct hid_device *)hid)->id);
	seen = device_of(hid, id);
	report = seen ? innermost(seen) : NULL;
	if (!report || !report->fixed)
		return 0; /* a key that repeats, say */
	if (waker) {
		waker->pid = (u32)bpf_get_current_pid_tgid();
		waker->wakes = 1;
	}
	queue(client, events, seen, id, report);
	return 0;
}

SEC("fexit/evdev_pass_values")
int BPF_PROG(events_told, struct evdev_client *client)
{
	struct waker *waker = this_waker();

	if (waker)
		waker->wakes = 0;
	return 0;
}

SEC("fentry/evdev_release")
int BPF_PROG(reader_gone, void *inode, struct file *file)
{
	u64 client = (u64)file->private_data;

	bpf_map_delete_elem(&readers, &client);
	return 0;
}

/* ---- the reader ---- */

SEC("tp_btf/sched_waking")
int BPF_PROG(reader_woken, struct task_struct *p)
{
	struct waker *waker = this_waker();
	struct woken *woken;

	if (!waker || !waker->wakes || waker->pid != (u32)bpf_get_current_pid_tgid())
		return 0;
	woken = bpf_task_storage_get(&tasks, p, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!woken)
		return 0;
	woken->ran = 0;
	woken->woken = bpf_ktime_get_ns();
	return 0;
}

SEC("tp_btf/sched_switch")
int BPF_PROG(reader_runs, bool preempt, struct task_struct *prev, struct task_struct *next)
{
	struct woken *woken;

	if (!next->pid)
		return 0;
	woken = bpf_task_storage_get(&tasks, next, NULL, 0);
	if (woken && !woken->ran)
		woken->ran = bpf_ktime_get_ns();
	return 0;
}

/* A report that was queued while the reader was on its way to a CPU waited for it from then on. */
static __always_inline u64 count_wait(struct seen_device *seen, u64 queued, struct woken *woken)
{
	u64 since;

	if (!woken || (woken->woken < queued && woken->ran <= queued))
		return queued;
	since = woken->woken > queued ? woken->woken : queued;
	count(seen->stages[STAGE_WAKE], queued, since);
	if (woken->ran <= since)
		return since; /* it had not gone to sleep yet */
	count(seen->stages[STAGE_WAIT], since, woken->ran);
	return woken->ran;
}

/* Whether something of the oldest report is not in the reader's buffer any more. */
static __always_inline bool is_read(struct evdev_client *client, struct unread *unread)
{
	u32 head = BPF_CORE_READ(client, head), mask = BPF_CORE_READ(client, bufsize) - 1;
	u32 left = (head - BPF_CORE_READ(client, tail)) & mask;

	return left < ((head - unread->head) & mask);
}

SEC("fexit/evdev_read")
int BPF_PROG(read_returns, struct file *file, char *buffer, u64 size, void *offset, s64 got)
{
	u64 client = (u64)file->private_data, now, began;
	struct unread *unread = bpf_map_lookup_elem(&readers, &client), taken;
	struct seen_device *seen;

	if (got <= 0 || !unread)
		return 0;
	taken = *unread;
	if (!taken.in || !is_read((struct evdev_client *)client, &taken))
		return 0;
	/* Another thread may read the same. */
	if (__sync_val_compare_and_swap(&unread->in, taken.in, 0) != taken.in)
		return 0;
	seen = bpf_map_lookup_elem(&devices, &taken.device);
	if (!seen)
		return 0;
	count(seen->stages[STAGE_FIXUPS], taken.in, taken.fixed);
	count(seen->stages[STAGE_CORE], taken.fixed, taken.queued);
	began = count_wait(seen, taken.queued,
			   bpf_task_storage_get(&tasks, bpf_get_current_task_btf(), NULL, 0));
	now = bpf_ktime_get_ns(); /* as late as can be: the reader waits for the probe as well */
	count(seen->stages[STAGE_READ], began, now);
	count(seen->total, taken.in, now);
	return 0;
}
