// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The floor of attaching a scheduler: the least that a C program on libbpf does to open, load, pin,
 * attach, confirm by sysfs and detach again. It stays alive and does it once for each line that it
 * reads, so that no start of a process is in the figure.
 *
 *	attach OBJECT DIRECTORY-IN-BPFFS
 *
 * Answers each line with the times in ns: all, open, load, pin, attach, confirm, detach.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define ROOT	   "/sys/kernel/sched_ext/"
#define TIMEOUT_NS 5000000000ll

static long long now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ll + t.tv_nsec;
}

static void fail(const char *what, int err)
{
	fprintf(stderr, "attach: %s: %s\n", what, strerror(err < 0 ? -err : errno));
	exit(1);
}

static int quiet(enum libbpf_print_level level, const char *format, va_list args)
{
	return level == LIBBPF_WARN ? vfprintf(stderr, format, args) : 0;
}

static void pin_path(char *path, size_t size, const char *directory, const char *name)
{
	char *at = path + strlen(directory);

	if (snprintf(path, size, "%s/%s", directory, name) >= (int)size)
		fail(name, -ENAMETOOLONG);
	while ((at = strchr(at, '.')))
		*at = '_';
}

static int reads(const char *name, char *text, size_t size)
{
	FILE *file = fopen(name, "r");
	int ok;

	if (!file)
		return 0;
	ok = fgets(text, size, file) != NULL;
	fclose(file);
	text[strcspn(text, "\n")] = 0;
	return ok;
}

static int runs(const char *ops, long long seq_before)
{
	char text[128];

	return reads(ROOT "state", text, sizeof(text)) && !strcmp(text, "enabled") &&
	       reads(ROOT "root/ops", text, sizeof(text)) && !strcmp(text, ops) &&
	       reads(ROOT "enable_seq", text, sizeof(text)) && atoll(text) > seq_before;
}

static void cycle(const char *object, const char *directory)
{
	struct bpf_map *map, *ops = NULL;
	long long at[8], seq, deadline;
	char path[512], text[128];
	struct bpf_object *obj;
	struct bpf_link *link;
	int err;

	seq = reads(ROOT "enable_seq", text, sizeof(text)) ? atoll(text) : 0;
	at[0] = now_ns();
	obj = bpf_object__open_file(object, NULL);
	if (!obj)
		fail("open", 0);
	at[1] = now_ns();
	err = bpf_object__load(obj);
	if (err)
		fail("load", err);
	at[2] = now_ns();
	if (mkdir(directory, 0700) && errno != EEXIST)
		fail(directory, 0);
	bpf_object__for_each_map(map, obj)
	{
		pin_path(path, sizeof(path), directory, bpf_map__name(map));
		err = bpf_obj_pin(bpf_map__fd(map), path);
		if (err)
			fail(path, err);
		if (bpf_map__type(map) == BPF_MAP_TYPE_STRUCT_OPS)
			ops = map;
	}
	at[3] = now_ns();
	link = ops ? bpf_map__attach_struct_ops(ops) : NULL;
	if (!link)
		fail("attach", 0);
	pin_path(path, sizeof(path), directory, "link");
	err = bpf_obj_pin(bpf_link__fd(link), path);
	if (err)
		fail(path, err);
	at[4] = now_ns();
	for (deadline = at[4] + TIMEOUT_NS; !runs(bpf_map__name(ops), seq); usleep(1000))
		if (now_ns() > deadline)
			fail("it does not run", -ETIMEDOUT);
	at[5] = now_ns();
	err = bpf_link_detach(bpf_link__fd(link));
	if (err)
		fail("detach", err);
	unlink(path);
	bpf_object__for_each_map(map, obj)
	{
		pin_path(path, sizeof(path), directory, bpf_map__name(map));
		unlink(path);
	}
	rmdir(directory);
	bpf_link__destroy(link);
	bpf_object__close(obj);
	at[6] = now_ns();
	printf("%lld", at[6] - at[0]);
	for (int i = 1; i < 7; i++)
		printf(" %lld", at[i] - at[i - 1]);
	printf("\n");
	fflush(stdout);
}

int main(int argc, char **argv)
{
	char line[64];

	if (argc != 3) {
		fprintf(stderr, "usage: attach OBJECT DIRECTORY-IN-BPFFS\n");
		return 2;
	}
	libbpf_set_print(quiet);
	while (fgets(line, sizeof(line), stdin))
		cycle(argv[1], argv[2]);
	return 0;
}
