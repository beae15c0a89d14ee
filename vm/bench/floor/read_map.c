// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The floor of reading a map: system calls and memory copies of the same size, from C with buffers
 * that are there already.
 *
 *	read_map MAP-ID POSSIBLE-CPUS
 *
 * Reads lines "batch N", "lookup N", "copy N"; does that N times (one system call for the whole map,
 * one for each entry, one memcpy of the map's size) and answers with the ns for one reading.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static long long now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ll + t.tv_nsec;
}

static void fail(const char *what)
{
	fprintf(stderr, "read_map: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void read_batch(int fd, __u32 entries, __u32 *keys, char *values)
{
	__u32 count = entries, cursor = 0;

	/* ENOENT says that the end of the map was reached. */
	if (bpf_map_lookup_batch(fd, NULL, &cursor, keys, values, &count, NULL) && errno != ENOENT)
		fail("lookup_batch");
}

static void read_each(int fd, __u32 entries, char *values, size_t entry_size)
{
	for (__u32 key = 0; key < entries; key++)
		if (bpf_map_lookup_elem(fd, &key, values + key * entry_size))
			fail("lookup");
}

int main(int argc, char **argv)
{
	struct bpf_map_info info = {};
	__u32 info_size = sizeof(info);
	size_t entry_size, size;
	char what[16], *values, *other;
	long long started;
	__u32 *keys;
	int fd, times;

	if (argc != 3) {
		fprintf(stderr, "usage: read_map MAP-ID POSSIBLE-CPUS\n");
		return 2;
	}
	fd = bpf_map_get_fd_by_id(strtoul(argv[1], NULL, 10));
	if (fd < 0 || bpf_map_get_info_by_fd(fd, &info, &info_size))
		fail("map");
	entry_size = (info.value_size + 7) / 8 * 8 * strtoul(argv[2], NULL, 10);
	size = entry_size * info.max_entries;
	keys = calloc(info.max_entries, sizeof(*keys));
	values = calloc(1, size);
	other = calloc(1, size);
	if (!keys || !values || !other)
		fail("memory");
	while (scanf("%15s %d", what, &times) == 2) {
		started = now_ns();
		for (int i = 0; i < times; i++) {
			if (!strcmp(what, "batch"))
				read_batch(fd, info.max_entries, keys, values);
			else if (!strcmp(what, "lookup"))
				read_each(fd, info.max_entries, values, entry_size);
			else
				memcpy(other, values, size);
			/* The copy is made although nobody reads it. */
			__asm__ volatile("" : : "r"(other), "r"(values) : "memory");
		}
		printf("%lld\n", (now_ns() - started) / times);
		fflush(stdout);
	}
	return 0;
}
