// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * crowd SECONDS TASK...: runs tasks side by side and says how long each was kept from going on.
 *
 * A TASK is COUNTxKIND[,nice=N][,cpu=N][,policy=batch|idle][,cgroup=DIR]; cpu=-1 is the last one. For
 * each task one line: its words, its steps, the longest time between two of them in microseconds
 * (the time from the last one to the end counts), and errors, with tabs between.
 *
 * The kind "floor" is a real-time task that wakes often: no scheduler of sched_ext holds it up. What
 * it was late, the machine itself was late (an emulator that did not get its host's CPU).
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "crowd.h"

#define MOST_SLOTS 2048

struct crowd *crowd;
struct slot *self;
int nr_cpus;

static unsigned int random_state;

int64_t now_ns(void)
{
	struct timespec at;

	clock_gettime(CLOCK_MONOTONIC, &at);
	return at.tv_sec * NSEC_PER_SEC + at.tv_nsec;
}

void sleep_ns(int64_t ns)
{
	struct timespec span = { ns / NSEC_PER_SEC, ns % NSEC_PER_SEC };

	nanosleep(&span, NULL);
}

void burn(int64_t ns)
{
	int64_t end_ns = now_ns() + ns;

	do {
		for (volatile int i = 0; i < 1000; i++)
			;
	} while (now_ns() < end_ns);
}

void step_from_now(void)
{
	self->last_ns = now_ns();
}

void step_due(int64_t due_ns)
{
	self->last_ns = due_ns;
	step();
}

void step(void)
{
	int64_t now = now_ns(), waited_ns = now - self->last_ns;

	if (waited_ns > self->worst_ns)
		self->worst_ns = waited_ns;
	self->last_ns = now;
	self->steps++;
}

void wait_for_all(void)
{
	while (!crowd->over && (!crowd->whole || crowd->nr_ready < crowd->nr_slots))
		sleep_ns(NSEC_PER_MSEC);
}

unsigned int any_below(unsigned int n)
{
	random_state = random_state * 1664525u + 1013904223u; /* Numerical Recipes, ch. 7.1 */
	return (random_state >> 8) % n;
}

pid_t somebody(void)
{
	struct slot *slot = &crowd->slots[any_below(crowd->nr_slots)];

	/* Those with a comma asked for a place or a weight of their own, and keep it. */
	if (slot == self || strchr(slot->name, ',') || !strncmp(slot->name, "floor", 5))
		return 0;
	return slot->pid;
}

bool pin_to(pid_t pid, int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	for (int i = 0; i < nr_cpus; i++) {
		if (cpu < 0 || cpu == i)
			CPU_SET(i, &set);
	}
	return !sched_setaffinity(pid, sizeof(set), &set);
}

bool write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool written;

	if (fd < 0)
		return false;
	written = write(fd, text, strlen(text)) >= 0;
	close(fd);
	return written;
}

void give_up(const char *what)
{
	fprintf(stderr, "crowd: %s: %s\n", what, strerror(errno));
	exit(1);
}

static const struct kind *find_kind(const char *name)
{
	const struct kind *tables[] = { busy_kinds, pushed_kinds, kernel_kinds };

	for (int i = 0; i < 3; i++) {
		for (const struct kind *kind = tables[i]; kind->name; kind++) {
			if (!strcmp(kind->name, name))
				return kind;
		}
	}
	return NULL;
}

/* Sets NAME=VALUE for the calling task. */
static void take_on(char *option)
{
	char *value = strchr(option, '='), path[256];
	struct sched_param normal = { 0 };
	int number;

	if (!value)
		give_up(option);
	*value++ = 0;
	number = atoi(value);
	if (!strcmp(option, "nice")) {
		if (setpriority(PRIO_PROCESS, 0, number))
			give_up("nice");
	} else if (!strcmp(option, "cpu")) {
		if (!pin_to(0, number < 0 ? nr_cpus + number : number))
			give_up("cpu");
	} else if (!strcmp(option, "policy")) {
		int policy = *value == 'i' ? SCHED_IDLE : SCHED_BATCH;

		if (sched_setscheduler(0, policy, &normal))
			give_up("policy");
	} else if (!strcmp(option, "cgroup")) {
		snprintf(path, sizeof(path), "%s/cgroup.procs", value);
		if (!write_text(path, "0"))
			give_up(path);
	} else {
		errno = EINVAL;
		give_up(option);
	}
}

/* The kind of a task by its words, of which the options are cut off into *options. */
static const struct kind *parse(char *words, char **options)
{
	const struct kind *kind;

	*options = strchr(words, ',');
	if (*options)
		*(*options)++ = 0;
	kind = find_kind(words);
	if (!kind) {
		errno = EINVAL;
		give_up(words);
	}
	return kind;
}

static bool start(struct slot *slot, const char *words)
{
	char copy[sizeof(slot->name)], *options;
	const struct kind *kind;
	pid_t pid;

	snprintf(slot->name, sizeof(slot->name), "%s", words);
	strcpy(copy, slot->name);
	kind = parse(copy, &options);
	slot->last_ns = now_ns();
	pid = fork();
	if (pid < 0)
		give_up("fork");
	if (pid) {
		slot->pid = pid;
		return kind->restores;
	}
	self = slot;
	random_state = getpid();
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (char *option = options ? strtok(options, ",") : NULL; option;
	     option = strtok(NULL, ","))
		take_on(option);
	prctl(PR_SET_NAME, copy);
	crowd->nr_ready++;
	step_from_now();
	kind->run();
	exit(0);
}

/* No task ends by itself before the crowd does. */
static void count_the_dead(void)
{
	for (int i = 0; i < crowd->nr_slots; i++) {
		if (waitpid(crowd->slots[i].pid, NULL, WNOHANG) == crowd->slots[i].pid) {
			fprintf(stderr, "crowd: %s ended too early\n", crowd->slots[i].name);
			crowd->slots[i].errors++;
		}
	}
}

/* Lets those that have something to put back do it, and waits for them. */
static void restore(const bool *restores)
{
	crowd->over = true;
	for (int i = 0; i < crowd->nr_slots; i++) {
		if (restores[i])
			waitpid(crowd->slots[i].pid, NULL, 0);
	}
}

static void end(const bool *restores)
{
	for (int i = 0; i < crowd->nr_slots; i++) {
		if (!restores[i])
			kill(crowd->slots[i].pid, SIGKILL);
	}
	while (wait(NULL) > 0)
		;
}

static void report(int64_t end_ns)
{
	for (int i = 0; i < crowd->nr_slots; i++) {
		struct slot *slot = &crowd->slots[i];
		int64_t open_ns = end_ns - slot->last_ns, worst_ns = slot->worst_ns;

		printf("%s\t%lld\t%lld\t%lld\n", slot->name, (long long)slot->steps,
		       (long long)(open_ns > worst_ns ? open_ns : worst_ns) / 1000,
		       (long long)slot->errors);
	}
}

int main(int argc, char **argv)
{
	static bool restores[MOST_SLOTS];
	/* This one must be there in time; its children must not be like it. */
	struct sched_param urgent = { .sched_priority = 60 };
	int64_t end_ns;

	if (argc == 2 && !strcmp(argv[1], "exit"))
		return 0;
	if (argc < 3) {
		fprintf(stderr, "usage: crowd SECONDS [COUNTx]KIND[,OPTION=VALUE...]...\n");
		return 2;
	}
	nr_cpus = sysconf(_SC_NPROCESSORS_CONF);
	crowd = mmap(NULL, sizeof(*crowd) + MOST_SLOTS * sizeof(struct slot),
		     PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (crowd == MAP_FAILED)
		give_up("memory");
	/* What crowd's tasks leave behind when they are killed comes to it, and is waited for. */
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	if (sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &urgent))
		give_up("SCHED_FIFO");
	for (int i = 2; i < argc; i++) {
		char *words = argv[i];
		long count = strtol(argv[i], &words, 10);

		words = words != argv[i] && *words == 'x' ? words + 1 : argv[i];
		for (long n = words == argv[i] ? 1 : count; n > 0; n--) {
			if (crowd->nr_slots == MOST_SLOTS)
				give_up("too many tasks");
			restores[crowd->nr_slots] = start(&crowd->slots[crowd->nr_slots], words);
			crowd->nr_slots++;
		}
	}
	crowd->whole = true;
	sleep_ns(atof(argv[1]) * NSEC_PER_SEC);
	count_the_dead();
	restore(restores);
	end_ns = now_ns();
	report(end_ns);
	fflush(stdout);
	end(restores);
	return 0;
}
