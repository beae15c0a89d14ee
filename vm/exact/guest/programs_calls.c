// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Which functions of the kernel the scheduler's programs call, and where: found in the machine code
 * that the JIT made of them.
 */
#include "guest.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_CODE  (1 << 20)
#define MAX_FUNCS 256
#define MAX_SITES 8192

/* The kernel's own code on x86-64 (Documentation/arch/x86/x86_64/mm.rst), without modules and BPF. */
#define FIRST 0xffffffff80000000ull
#define LAST  0xffffffffa0000000ull

#define CALL 0xe8 /* with a distance of 32 bits */

struct site {
	u64 from, to;
	char name[64];
};

static struct site sites[MAX_SITES];
static u32 nr_sites;

static int by_target(const void *a, const void *b)
{
	const struct site *one = a, *other = b;

	return one->to < other->to ? -1 : one->to > other->to;
}

/*
 * Whatever looks like a call into the kernel. What only happens to look so names no function's very
 * beginning, but by a chance that no scheduler has met.
 */
static void scan(const unsigned char *code, u64 address, u32 length)
{
	for (u32 i = 0; i + 5 <= length; i++) {
		int distance;
		u64 to;

		if (code[i] != CALL)
			continue;
		memcpy(&distance, code + i + 1, sizeof(distance));
		to = address + i + 5 + distance;
		if (to < FIRST || to >= LAST)
			continue;
		if (nr_sites == MAX_SITES)
			fail("the scheduler calls too many functions");
		sites[nr_sites++] = (struct site){ .from = address + i, .to = to };
	}
}

static void scan_program(const struct bpf_program *program)
{
	static unsigned char code[MAX_CODE];
	static u64 functions[MAX_FUNCS];
	static u32 lengths[MAX_FUNCS];
	struct bpf_prog_info info = {
		.jited_prog_len = sizeof(code),
		.jited_prog_insns = (u64)code,
		.nr_jited_ksyms = MAX_FUNCS,
		.jited_ksyms = (u64)functions,
		.nr_jited_func_lens = MAX_FUNCS,
		.jited_func_lens = (u64)lengths,
	};
	u32 size = sizeof(info), at = 0;

	if (bpf_obj_get_info_by_fd(bpf_program__fd(program), &info, &size))
		fail("the code of %s cannot be read: %s", bpf_program__name(program),
		     strerror(errno));
	for (u32 i = 0; i < info.nr_jited_func_lens && i < MAX_FUNCS; i++) {
		if (at + lengths[i] > sizeof(code))
			fail("the program %s is too large", bpf_program__name(program));
		scan(code + at, functions[i], lengths[i]);
		at += lengths[i];
	}
}

/* Names the targets, which are sorted. */
static void name_targets(void)
{
	FILE *symbols = fopen("/proc/kallsyms", "r");
	char line[512];

	while (symbols && fgets(line, sizeof(line), symbols)) {
		struct site key = { .to = strtoull(line, NULL, 16) }, *found;
		char name[256];

		found = bsearch(&key, sites, nr_sites, sizeof(*sites), by_target);
		if (!found || found->name[0] || sscanf(line, "%*s %*s %255s", name) != 1)
			continue;
		while (found > sites && found[-1].to == key.to)
			found--;
		for (; found < sites + nr_sites && found->to == key.to; found++)
			snprintf(found->name, sizeof(found->name), "%.63s", name);
	}
	if (symbols)
		fclose(symbols);
}

void report_calls(void)
{
	struct bpf_program *program;

	nr_sites = 0;
	bpf_object__for_each_program(program, attached_object()) if (bpf_program__fd(program) >= 0)
		scan_program(program);
	qsort(sites, nr_sites, sizeof(*sites), by_target);
	name_targets();
	for (u32 i = 0; i < nr_sites; i++)
		if (sites[i].name[0])
			report("call %llx %s", (unsigned long long)sites[i].from, sites[i].name);
}
