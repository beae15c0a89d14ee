// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The gap between two schedulers: the least that C on libbpf can do, and what a supervisor does that
 * stops one loader process and starts another.
 *
 *	swap_gap preloaded OBJECT OBJECT	both are open and loaded; detach one, attach the other
 *	swap_gap respawn OBJECT OBJECT		end one process, start the next
 *	swap_gap hold OBJECT			such a process: open, load, attach, say so, stay
 *
 * The first two answer each line with the ns in which neither ran: from before the detach (the
 * signal) until the attach of the second has returned (the process has said so). Each has run for
 * SETTLED_US before it is taken off: detaching one that has just been attached takes a fifth less.
 */
#define _GNU_SOURCE
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "measure.h"

#define SETTLED_US 400000

static struct bpf_map *load(const char *path)
{
	struct bpf_object *object = bpf_object__open_file(path, NULL);
	struct bpf_map *map;

	if (!object || bpf_object__load(object))
		fail(path);
	bpf_object__for_each_map(map, object)
	{
		if (bpf_map__type(map) == BPF_MAP_TYPE_STRUCT_OPS)
			return map;
	}
	errno = ENOENT;
	fail(path);
	return NULL;
}

static struct bpf_link *attach(struct bpf_map *ops)
{
	struct bpf_link *link = bpf_map__attach_struct_ops(ops);

	if (!link)
		fail("attach");
	return link;
}

static void detach(struct bpf_link *link)
{
	if (bpf_link_detach(bpf_link__fd(link)) || bpf_link__destroy(link))
		fail("detach");
}

static long long preloaded(struct bpf_map *first, struct bpf_map *second)
{
	struct bpf_link *link = attach(first);
	long long started;

	usleep(SETTLED_US);
	started = now_ns();
	detach(link);
	link = attach(second);
	started = now_ns() - started;
	usleep(SETTLED_US);
	detach(link);
	return started;
}

/* Starts `swap_gap hold OBJECT` and returns when that has attached. */
static pid_t hold(char *path)
{
	char *arguments[] = { "swap_gap", "hold", path, NULL };
	int said[2];
	pid_t pid;
	char word;

	if (pipe(said))
		fail("pipe");
	pid = vfork();
	if (pid < 0)
		fail("fork");
	if (!pid) {
		dup2(said[1], 1);
		close(said[0]);
		execv("/proc/self/exe", arguments);
		_exit(127);
	}
	close(said[1]);
	if (read(said[0], &word, 1) != 1)
		fail("the process that should hold the scheduler");
	close(said[0]);
	return pid;
}

/* The kernel detaches when the last descriptor of the link goes, which is before the end. */
static void end(pid_t pid)
{
	if (kill(pid, SIGTERM) || waitpid(pid, NULL, 0) != pid)
		fail("the end of a process");
}

static long long respawn(char *first, char *second)
{
	pid_t pid = hold(first);
	long long started;

	usleep(SETTLED_US);
	started = now_ns();
	end(pid);
	pid = hold(second);
	started = now_ns() - started;
	usleep(SETTLED_US);
	end(pid);
	return started;
}

static int quiet(enum libbpf_print_level level, const char *format, va_list args)
{
	return level == LIBBPF_WARN ? vfprintf(stderr, format, args) : 0;
}

int main(int argc, char **argv)
{
	struct bpf_map *first = NULL, *second = NULL;
	int loaded = argc == 4 && !strcmp(argv[1], "preloaded");
	char line[64];

	libbpf_set_print(quiet);
	if (argc == 3 && !strcmp(argv[1], "hold")) {
		attach(load(argv[2]));
		if (write(1, "\n", 1) != 1)
			fail("write");
		for (;;)
			pause();
	}
	if (!loaded && !(argc == 4 && !strcmp(argv[1], "respawn"))) {
		fprintf(stderr, "usage: swap_gap preloaded|respawn OBJECT OBJECT | hold OBJECT\n");
		return 2;
	}
	if (loaded) {
		first = load(argv[2]);
		second = load(argv[3]);
	}
	while (fgets(line, sizeof(line), stdin)) {
		printf("%lld\n", loaded ? preloaded(first, second) : respawn(argv[2], argv[3]));
		fflush(stdout);
	}
	return 0;
}
