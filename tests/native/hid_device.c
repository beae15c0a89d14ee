// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A HID device in virtual time, with the program of -DSOURCE and -DOPS on it. Lines on standard input:
 *
 *	set NAME WIDTH WORD ...	a variable of the program: so many numbers of WIDTH bytes
 *	lag NS			how long after its timer a work queue runs
 *	refuse N		the next N reports of the program find no driver
 *	at NS HEX		the device sends a report
 *	until NS		nothing happens until then
 *	stat NAME		a statistic
 *
 * What comes out, report by report: NS HEX, and an asterisk behind those that the device did not send.
 */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include SOURCE

static u64 now_ns = 1000000000, lag_ns, work_ns; /* work_ns: when the work queue runs; 0: never */
static u64 value_of_map[32];			 /* of the one map that programs have, later_map */
static int refusals;
static u8 buffer[128];
static struct hid_device device = { .id = 7 };

static struct bpf_timer *timer;
static int (*work)(void *map, int *key, void *value);

u8 *hid_bpf_get_data(struct hid_bpf_ctx *hid, unsigned int at, size_t size)
{
	return at + size <= 64 ? buffer + at : NULL;
}

struct hid_bpf_ctx *hid_bpf_allocate_context(unsigned int hid_id)
{
	struct hid_bpf_ctx *hid = calloc(1, sizeof(*hid));

	if (hid_id != device.id)
		abort();
	hid->hid = &device;
	return hid;
}

void hid_bpf_release_context(struct hid_bpf_ctx *hid)
{
	free(hid);
}

static int pass(const u8 *report, size_t size, u64 source)
{
	struct hid_bpf_ctx hid = { .hid = &device, .size = size };
	int ret;

	memset(buffer, 0, sizeof(buffer));
	memcpy(buffer, report, size);
	ret = OPS.hid_device_event(&hid, HID_INPUT_REPORT, source);
	if (ret < 0)
		return ret;
	printf("%llu ", (unsigned long long)now_ns);
	for (int i = 0; i < (ret ?: (int)size); i++)
		printf("%02x", buffer[i]);
	puts(source ? " *" : "");
	return 0;
}

int hid_bpf_input_report(struct hid_bpf_ctx *hid, enum hid_report_type type, u8 *report,
			 size_t size)
{
	return refusals-- > 0 ? -19 : pass(report, size, (u64)hid);
}

void *bpf_map_lookup_elem(void *map, const void *key)
{
	return value_of_map;
}

int bpf_timer_init(struct bpf_timer *new, void *map, u64 clock)
{
	timer = new;
	return 0;
}

int bpf_timer_start(struct bpf_timer *which, u64 ns, u64 flags)
{
	which->due_ns = now_ns + ns;
	return 0;
}

u64 bpf_ktime_get_ns(void)
{
	return now_ns;
}

#ifdef SCXHID_LATER_H
int bpf_wq_init(struct bpf_wq *wq, void *map, unsigned int flags)
{
	return 0;
}

int bpf_wq_set_callback(struct bpf_wq *wq, int(callback)(void *map, int *key, void *value),
			unsigned int flags)
{
	work = callback;
	return 0;
}

int bpf_wq_set_callback_impl(struct bpf_wq *wq, int(callback)(void *map, int *key, void *value),
			     unsigned int flags, void *aux)
{
	abort();
}

int bpf_wq_start(struct bpf_wq *wq, unsigned int flags)
{
	if (!work_ns)
		work_ns = now_ns + lag_ns;
	return 0;
}
#endif

static void go_on_until(u64 ns)
{
	int key = 0;

	for (;;) {
		u64 timer_ns = timer && timer->due_ns ? timer->due_ns : ns;

		if (work_ns && work_ns <= timer_ns && work_ns <= ns) {
			now_ns = work_ns;
			work_ns = 0;
			work(NULL, &key, value_of_map);
		} else if (timer && timer->due_ns && timer->due_ns <= ns) {
			now_ns = timer->due_ns;
			timer->due_ns = 0;
			timer->callback(NULL, &key, value_of_map);
		} else {
			break;
		}
	}
	now_ns = ns;
}

static void *variable(const char *prefix, const char *name)
{
	char whole[128];
	void *found;

	snprintf(whole, sizeof(whole), "%s%s", prefix, name);
	found = dlsym(NULL, whole);
	if (!found) {
		fprintf(stderr, "the program has no %s\n", whole);
		exit(1);
	}
	return found;
}

static void set(char *words)
{
	char *name = strtok(words, " \n"), *word;
	int width = atoi(strtok(NULL, " \n"));
	u8 *at = variable("", name);

	while ((word = strtok(NULL, " \n"))) {
		u64 value = strtoull(word, NULL, 0);

		memcpy(at, &value, width);
		at += width;
	}
}

static void send(char *words)
{
	char *hex;
	u8 report[64];
	size_t size = 0;
	unsigned int byte;

	go_on_until(strtoull(words, &hex, 10));
	for (hex++; sscanf(hex, "%2x", &byte) == 1; hex += 2)
		report[size++] = byte;
	pass(report, size, 0);
}

int main(void)
{
	static char line[16384];

	while (fgets(line, sizeof(line), stdin)) {
		char *words = strchr(line, ' ') + 1;

		if (!strncmp(line, "set ", 4))
			set(words);
		else if (!strncmp(line, "lag ", 4))
			lag_ns = strtoull(words, NULL, 10);
		else if (!strncmp(line, "refuse ", 7))
			refusals = atoi(words);
		else if (!strncmp(line, "at ", 3))
			send(words);
		else if (!strncmp(line, "until ", 6))
			go_on_until(strtoull(words, NULL, 10));
		else if (!strncmp(line, "stat ", 5))
			printf("%s %llu\n", strtok(words, "\n"),
			       *(unsigned long long *)variable("stat_", strtok(words, "\n")));
		else
			return 1;
	}
	return 0;
}
