// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What each program of the attached scheduler did between two moments, by the kernel's own account
 * (BPF_ENABLE_STATS): calls, and the time from just before to just after each. In a machine whose
 * clock counts instructions that time is the number of instructions, with those of the functions that
 * the program calls in the kernel.
 */
#include "guest.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define MAX_PROGRAMS 256
#define MAX_LINES    8192
#define MAX_FUNCS    256

/* The host's counter of instructions, where there is one, starts and stops at these (see counter.c). */
#define START_COUNTING() asm volatile("nopl 0x5c7b0001(%%rax)" : : : "memory")
#define STOP_COUNTING()	 asm volatile("nopl 0x5c7b0002(%%rax)" : : : "memory")

/* A program's line information as the kernel keeps it, and where the JIT put each of them. */
struct lines {
	struct bpf_line_info info[MAX_LINES];
	u64 address[MAX_LINES];
	u64 function[MAX_FUNCS];
	u32 length[MAX_FUNCS];
};

static struct {
	u64 calls, ns;
} before[MAX_PROGRAMS];
static s64 began_ns;

static void look(const struct bpf_program *program, struct bpf_prog_info *info)
{
	u32 size = sizeof(*info);

	if (bpf_obj_get_info_by_fd(bpf_program__fd(program), info, &size))
		fail("nothing is known of the program %s: %s", bpf_program__name(program),
		     strerror(errno));
}

void stats_begin(void)
{
	static int stats = -1; /* they count while somebody holds it */
	struct bpf_program *program;
	u32 n = 0;

	if (stats < 0)
		stats = bpf_enable_stats(BPF_STATS_RUN_TIME);
	if (stats < 0)
		fail("the kernel keeps no account of programs: %s", strerror(errno));
	if (!attached_object())
		fail("no scheduler is attached whose programs could be counted");
	bpf_object__for_each_program(program, attached_object())
	{
		struct bpf_prog_info info = {};

		if (bpf_program__fd(program) < 0)
			continue;
		if (n == MAX_PROGRAMS)
			fail("the scheduler has more than %u programs", MAX_PROGRAMS);
		look(program, &info);
		before[n].calls = info.run_cnt;
		before[n++].ns = info.run_time_ns;
	}
	began_ns = now_ns();
	START_COUNTING();
}

/* Where the JIT put each function of a program, and each of its lines. */
static void report_lines(const struct bpf_program *program, const struct btf *btf)
{
	static struct lines lines;
	struct bpf_prog_info info = {
		.nr_line_info = MAX_LINES,
		.line_info_rec_size = sizeof(lines.info[0]),
		.line_info = (u64)lines.info,
		.nr_jited_line_info = MAX_LINES,
		.jited_line_info_rec_size = sizeof(lines.address[0]),
		.jited_line_info = (u64)lines.address,
		.nr_jited_ksyms = MAX_FUNCS,
		.jited_ksyms = (u64)lines.function,
		.nr_jited_func_lens = MAX_FUNCS,
		.jited_func_lens = (u64)lines.length,
	};

	look(program, &info);
	if (info.nr_line_info > MAX_LINES || info.nr_jited_ksyms > MAX_FUNCS)
		fail("the program %s is too large to be told line by line",
		     bpf_program__name(program));
	for (u32 i = 0; i < info.nr_jited_ksyms && i < info.nr_jited_func_lens; i++)
		report("code %llx %u", (unsigned long long)lines.function[i], lines.length[i]);
	for (u32 i = 0; btf && i < info.nr_jited_line_info && i < info.nr_line_info; i++)
		report("line %llx %u %u %s", (unsigned long long)lines.address[i],
		       BPF_LINE_INFO_LINE_NUM(lines.info[i].line_col), lines.info[i].insn_off,
		       btf__name_by_offset(btf, lines.info[i].file_name_off));
}

void stats_end(const char *name)
{
	struct bpf_program *program;
	u32 n = 0;

	STOP_COUNTING();
	report("programs %s %lld", name, (long long)(now_ns() - began_ns));
	bpf_object__for_each_program(program, attached_object())
	{
		struct bpf_prog_info info = {};
		struct btf *btf;
		char tag[2 * BPF_TAG_SIZE + 1];

		if (bpf_program__fd(program) < 0)
			continue;
		look(program, &info);
		for (u32 i = 0; i < BPF_TAG_SIZE; i++)
			sprintf(tag + 2 * i, "%02x", info.tag[i]);
		report("prog %s %llu %llu %u %u %u %s", bpf_program__name(program),
		       (unsigned long long)(info.run_cnt - before[n].calls),
		       (unsigned long long)(info.run_time_ns - before[n].ns), info.jited_prog_len,
		       info.xlated_prog_len, info.verified_insns, tag);
		n++;
		btf = info.btf_id ? btf__load_from_kernel_by_id(info.btf_id) : NULL;
		report_lines(program, btf);
		btf__free(btf);
	}
}
