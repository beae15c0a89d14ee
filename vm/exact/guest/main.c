// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Reads /plan, one command a line, and does it:
 *
 *	module FILE                           load a module of the kernel
 *	sleep MS                              let the machine come to rest
 *	ready                                 from here on rounds of CPUs are short
 *	set VARIABLE HEX                      of the object that is loaded next
 *	direct FILE OPS                       attach a scheduler
 *	host FILE                             attach the resident host
 *	policy SLOT GENERATION FILE MEMBER=PROGRAM …
 *	switch SLOT                           make a policy the current one
 *	phase NAME KEY=NUMBER …               run the workload once (see struct phase)
 *	run FILE WORD …                       any other program, to its end
 *	count | counted NAME                  from here on, up to here: what its programs did
 *	calls                                 which functions of the kernel they call
 *	align MS                              wait for the next multiple of so much
 *	detach
 *
 * The seed comes from the kernel's command line, which hands unknown words to the first program.
 */
#define _GNU_SOURCE
#include "guest.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/random.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#define MAX_WORDS 64

s64 now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * NS_PER_S + t.tv_nsec;
}

void sleep_until(s64 at_ns)
{
	struct timespec t = { at_ns / NS_PER_S, at_ns % NS_PER_S };

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL) == EINTR)
		;
}

u64 next_random(u64 *state)
{
	u64 z = *state += 0x9e3779b97f4a7c15ull;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
	return z ^ (z >> 31);
}

void pin_to(u32 cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		fail("there is no CPU %u", cpu);
}

static void mount_at(const char *type, const char *path)
{
	if (mount(type, path, type, 0, NULL))
		fail("%s cannot be mounted: %s", path, strerror(errno));
}

/*
 * Nothing here gives the kernel chance, and without any it hashes anew for each number that it draws:
 * 20 us for each new page of small objects (CONFIG_SLAB_FREELIST_RANDOM), which no machine that has
 * run for a minute spends. That would be most of what tells one scheduler from another.
 */
static void give_chance(u64 seed)
{
	struct {
		struct rand_pool_info info;
		u64 words[4];
	} pool = { .info = { .entropy_count = 256, .buf_size = sizeof(pool.words) } };
	int fd = open("/dev/random", O_WRONLY);

	for (u32 i = 0; i < 4; i++)
		pool.words[i] = next_random(&seed);
	if (fd < 0 || ioctl(fd, RNDADDENTROPY, &pool))
		fail("the kernel takes no chance: %s", strerror(errno));
	close(fd);
}

static void load_module(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || syscall(SYS_finit_module, fd, "", 0))
		fail("the module %s cannot be loaded: %s", path, strerror(errno));
	close(fd);
}

/* The number behind KEY= among the words, or what is meant without it. */
static s64 number(char **words, int count, const char *key, s64 otherwise)
{
	size_t length = strlen(key);

	for (int i = 0; i < count; i++)
		if (!strncmp(words[i], key, length) && words[i][length] == '=')
			return atoll(words[i] + length + 1);
	return otherwise;
}

static void phase(char **words, int count, u64 seed)
{
	struct phase p = {
		.name = words[0],
		.cpu = number(words, count, "cpu", 0),
		.hogs = number(words, count, "hogs", 0),
		.fifo = number(words, count, "fifo", 0),
		.warm_ns = number(words, count, "warm_ms", 100) * NS_PER_MS,
		.length_ns = number(words, count, "ms", 1000) * NS_PER_MS,
		.period_ns = number(words, count, "period_us", 2000) * NS_PER_US,
		.work = number(words, count, "work", 0),
		.swap_every_ns = number(words, count, "swap_every_us", 0) * NS_PER_US,
		.stay = number(words, count, "stay", 0),
	};

	run_phase(&p, seed);
}

static void command(char **words, int count, u64 seed)
{
	const char *verb = words[0];

	if (!strcmp(verb, "sleep") && count == 2)
		sleep_until(now_ns() + atoll(words[1]) * NS_PER_MS);
	else if (!strcmp(verb, "module") && count == 2)
		load_module(words[1]);
	else if (!strcmp(verb, "ready") && count == 1)
		report_ready();
	else if (!strcmp(verb, "set") && count == 3)
		set_variable(words[1], words[2]);
	else if (!strcmp(verb, "watchdog") && count == 2)
		set_watchdog(atoi(words[1]));
	else if (!strcmp(verb, "direct") && count == 3)
		attach_direct(words[1], words[2]);
	else if (!strcmp(verb, "host") && count == 2)
		attach_host(words[1]);
	else if (!strcmp(verb, "policy") && count >= 4)
		load_policy(atoi(words[1]), atoi(words[2]), words[3], words + 4, count - 4);
	else if (!strcmp(verb, "switch") && count == 2) {
		switch_to(atoi(words[1]));
		check_running();
	} else if (!strcmp(verb, "phase") && count >= 2)
		phase(words + 1, count - 1, seed);
	else if (!strcmp(verb, "run") && count >= 2)
		run_program(words + 1);
	else if (!strcmp(verb, "align") && count == 2)
		sleep_until((now_ns() / NS_PER_MS / atoll(words[1]) + 1) * atoll(words[1]) *
			    NS_PER_MS);
	else if (!strcmp(verb, "count") && count == 1)
		stats_begin();
	else if (!strcmp(verb, "counted") && count == 2)
		stats_end(words[1]);
	else if (!strcmp(verb, "calls") && count == 1)
		report_calls();
	else if (!strcmp(verb, "detach") && count == 1)
		detach();
	else
		fail("the plan has an unknown command: %s", verb);
}

int main(void)
{
	struct sched_param first = { .sched_priority = 2 };
	const char *word = getenv("scxhid_seed");
	u64 seed = word ? strtoull(word, NULL, 10) : 0;
	char line[4096], *words[MAX_WORDS + 1];
	struct utsname name;
	FILE *plan;

	report_open();
	mount_at("proc", "/proc");
	mount_at("sysfs", "/sys");
	uname(&name);
	report("kernel %s", name.release);
	report("seed %llu", (unsigned long long)seed);
	give_chance(seed);
	/*
	 * Never held up by what it measures, and out of the way of the sleeper, which is on the last
	 * CPU. What it starts goes back to the normal class and to where it belongs.
	 */
	sched_setscheduler(0, SCHED_FIFO, &first);
	pin_to(0);
	plan = fopen("/plan", "r");
	if (!plan)
		fail("there is no /plan");
	while (fgets(line, sizeof(line), plan)) {
		char *rest = line, *next;
		int count = 0;

		while (count < MAX_WORDS && (next = strsep(&rest, " \n")))
			if (*next)
				words[count++] = next;
		words[count] = NULL;
		if (count)
			command(words, count, seed);
	}
	finish();
}
