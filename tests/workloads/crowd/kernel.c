// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Kinds of tasks that need the kernel's own threads, that the kernel pins for a while, and that take
 * processors away.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/membarrier.h>
#include <linux/userfaultfd.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "crowd.h"

#define PAGE 4096

/* Asks a kernel thread of each processor to do something, and waits for all (mm/vmstat.c). */
static void run_kworker(void)
{
	char text[8];

	for (;;) {
		int fd = open("/proc/sys/vm/stat_refresh", O_RDONLY);

		if (fd < 0)
			give_up("/proc/sys/vm/stat_refresh");
		step_from_now();
		if (read(fd, text, sizeof(text)) < 0)
			give_up("reading stat_refresh");
		step();
		close(fd);
		sleep_ns(5 * NSEC_PER_MSEC);
		step_from_now();
	}
}

/* Waits for RCU grace periods: for rcu_preempt and for every processor to pass by. */
static void run_rcu(void)
{
	for (;;) {
		if (syscall(__NR_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0))
			give_up("membarrier");
		step();
	}
}

/*
 * Belongs to one processor, another one each time, and is interrupted in the middle of RCU readers: the
 * kernel walks a path under rcu_read_lock(). Who waits for a grace period waits for it.
 */
static void run_lookup(void)
{
	char path[PAGE] = "/";
	struct stat found;

	for (int at = 1; at < PAGE - 3; at += 2)
		memcpy(path + at, "./", 3);
	for (int turn = 0;; turn++) {
		if (turn % 64 == 0)
			pin_to(0, any_below(nr_cpus)); /* fails if that one is offline: it stays */
		if (stat(path, &found))
			give_up("stat");
		step();
	}
}

static int bpf(int command, union bpf_attr *attr)
{
	return syscall(__NR_bpf, command, attr, sizeof(*attr));
}

/* One instruction: code, dst | src << 4, offset, immediate. */
#define INSN(c, d, s, o, i)                                                                        \
	(struct bpf_insn)                                                                          \
	{                                                                                          \
		.code = (c), .dst_reg = (d), .src_reg = (s), .off = (o), .imm = (i)                \
	}
#define MOV(d, s)      INSN(BPF_ALU64 | BPF_MOV | BPF_X, d, s, 0, 0)
#define MOV_IMM(d, i)  INSN(BPF_ALU64 | BPF_MOV | BPF_K, d, 0, 0, i)
#define ADD_IMM(d, i)  INSN(BPF_ALU64 | BPF_ADD | BPF_K, d, 0, 0, i)
#define SUB(d, s)      INSN(BPF_ALU64 | BPF_SUB | BPF_X, d, s, 0, 0)
#define STORE(d, o, s) INSN(BPF_STX | BPF_MEM | BPF_DW, d, s, o, 0)
#define CALL(f)	       INSN(BPF_JMP | BPF_CALL, 0, 0, 0, f)

/*
 * A program that reads user memory, and may sleep at that. The kernel runs it with migration
 * disabled. It writes to its context: the CPU after minus the CPU before (must be 0).
 */
static int load_reader(const void *memory)
{
	uint64_t address = (uintptr_t)memory;
	struct bpf_insn program[] = {
		MOV(BPF_REG_6, BPF_REG_1),
		CALL(BPF_FUNC_get_smp_processor_id),
		MOV(BPF_REG_7, BPF_REG_0),
		MOV(BPF_REG_1, BPF_REG_10),
		ADD_IMM(BPF_REG_1, -8),
		MOV_IMM(BPF_REG_2, 8),
		INSN(BPF_LD | BPF_DW | BPF_IMM, BPF_REG_3, 0, 0, (int32_t)address),
		INSN(0, 0, 0, 0, (int32_t)(address >> 32)),
		CALL(BPF_FUNC_copy_from_user),
		CALL(BPF_FUNC_get_smp_processor_id),
		SUB(BPF_REG_0, BPF_REG_7),
		STORE(BPF_REG_6, 0, BPF_REG_0),
		MOV_IMM(BPF_REG_0, 0),
		INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0),
	};
	union bpf_attr attr;
	int fd;

	memset(&attr, 0, sizeof(attr));
	attr.prog_type = BPF_PROG_TYPE_SYSCALL;
	attr.prog_flags = BPF_F_SLEEPABLE;
	attr.insns = (uintptr_t)program;
	attr.insn_cnt = sizeof(program) / sizeof(program[0]);
	attr.license = (uintptr_t) "GPL";
	fd = bpf(BPF_PROG_LOAD, &attr);
	if (fd < 0)
		give_up("loading the program that reads user memory");
	return fd;
}

/* Lets each fault on the page wait for 3 ms, then fills it. */
static void serve_faults(int faults, void *page)
{
	struct uffd_msg message;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	while (read(faults, &message, sizeof(message)) == sizeof(message)) {
		struct uffdio_zeropage fill = { .range = { (uintptr_t)page, PAGE } };

		sleep_ns(3 * NSEC_PER_MSEC);
		ioctl(faults, UFFDIO_ZEROPAGE, &fill);
	}
	_exit(0);
}

/* Falls asleep and wakes with migration disabled: it must go on where it was, whoever schedules. */
static void run_unmovable(void)
{
	void *page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int faults = syscall(__NR_userfaultfd, O_CLOEXEC);
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register watched = { .range = { (uintptr_t)page, PAGE },
					   .mode = UFFDIO_REGISTER_MODE_MISSING };
	int program = load_reader(page);

	if (page == MAP_FAILED || faults < 0 || ioctl(faults, UFFDIO_API, &api) ||
	    ioctl(faults, UFFDIO_REGISTER, &watched))
		give_up("userfaultfd");
	if (fork() == 0)
		serve_faults(faults, page);
	for (;;) {
		int64_t moved_by = -1;
		union bpf_attr attr;

		memset(&attr, 0, sizeof(attr));
		attr.test.prog_fd = program;
		attr.test.ctx_in = (uintptr_t)&moved_by;
		attr.test.ctx_size_in = sizeof(moved_by);
		madvise(page, PAGE, MADV_DONTNEED);
		if (bpf(BPF_PROG_TEST_RUN, &attr))
			give_up("running the program that reads user memory");
		if (moved_by)
			self->errors++;
		step();
		/*
		 * A processor goes offline only when nobody is pinned to it who sleeps: this one may
		 * be moved away here, and nowhere else.
		 */
		sched_yield();
	}
}

static void set_online(int cpu, bool online)
{
	char path[64];

	snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu%d/online", cpu);
	write_text(path, online ? "1" : "0");
	step();
}

/* Takes one processor after the other off, and puts it back. */
static void run_hotplug(void)
{
	wait_for_all();
	while (!crowd->over) {
		for (int cpu = 1; cpu < nr_cpus && !crowd->over; cpu++) {
			set_online(cpu, false);
			sleep_ns(100 * NSEC_PER_MSEC);
			set_online(cpu, true);
			sleep_ns(100 * NSEC_PER_MSEC);
			step_from_now();
		}
	}
}

/* Takes all but the first one off, as a suspend does, and puts them back. */
static void run_suspend(void)
{
	wait_for_all();
	while (!crowd->over) {
		for (int cpu = nr_cpus - 1; cpu > 0; cpu--)
			set_online(cpu, false);
		sleep_ns(200 * NSEC_PER_MSEC);
		for (int cpu = 1; cpu < nr_cpus; cpu++)
			set_online(cpu, true);
		sleep_ns(300 * NSEC_PER_MSEC);
		step_from_now();
	}
}

const struct kind kernel_kinds[] = {
	{ "kworker", run_kworker },
	{ "rcu", run_rcu },
	{ "lookup", run_lookup },
	{ "unmovable", run_unmovable },
	{ "hotplug", run_hotplug, true },
	{ "suspend", run_suspend, true },
	{ 0 },
};
