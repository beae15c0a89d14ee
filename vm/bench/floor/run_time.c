// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * How long BPF programs ran, by the kernel's own statistics.
 *
 *	run_time NAME
 *
 * Reads lines: "on" and "off" (the kernel keeps them only when asked to, since they cost two readings
 * of the clock for each run), "read". Answers with the ns and the number of runs of each program of
 * that name, the one that was loaded first comes first.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void fail(const char *what)
{
	fprintf(stderr, "run_time: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void print_program(__u32 id, const char *name)
{
	struct bpf_prog_info info = {};
	__u32 size = sizeof(info);
	int fd = bpf_prog_get_fd_by_id(id);

	if (fd < 0)
		return; /* gone meanwhile */
	if (bpf_obj_get_info_by_fd(fd, &info, &size))
		fail("a program");
	close(fd);
	if (!strcmp(info.name, name))
		printf("%llu %llu ", (unsigned long long)info.run_time_ns,
		       (unsigned long long)info.run_cnt);
}

int main(int argc, char **argv)
{
	char what[16];
	int stats = -1;

	if (argc != 2) {
		fprintf(stderr, "usage: run_time NAME\n");
		return 2;
	}
	while (scanf("%15s", what) == 1) {
		if (!strcmp(what, "on") && stats < 0 &&
		    (stats = bpf_enable_stats(BPF_STATS_RUN_TIME)) < 0)
			fail("statistics");
		if (!strcmp(what, "off") && stats >= 0) {
			close(stats);
			stats = -1;
		}
		for (__u32 id = 0; !bpf_prog_get_next_id(id, &id);)
			print_program(id, argv[1]);
		printf("0\n"); /* never an empty line */
		fflush(stdout);
	}
	return 0;
}
