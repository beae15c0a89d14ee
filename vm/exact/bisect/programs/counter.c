// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A plugin for QEMU's emulator: how often the guest ran each instruction of its BPF programs.
 *
 * It counts what lies where the kernel puts code made at run time, between two marks that the guest's
 * program runs (START_COUNTING and STOP_COUNTING of programs_stats.c), and writes one line for each
 * instruction that ran: its address and how often. The guest runs not one instruction more for it, and
 * its clock, which counts instructions, sees nothing.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * What is used here of QEMU's interface for plugins, version 3 (QEMU 9.1 and newer); distributions
 * do not package its header.
 */
struct qemu_plugin_tb;
struct qemu_plugin_insn;
struct qemu_plugin_scoreboard;
struct qemu_info;
typedef uint64_t qemu_plugin_id_t;
typedef struct {
	struct qemu_plugin_scoreboard *score;
	size_t offset;
} qemu_plugin_u64;

enum qemu_plugin_cb_flags { QEMU_PLUGIN_CB_NO_REGS };
enum qemu_plugin_op { QEMU_PLUGIN_INLINE_ADD_U64 };

typedef void (*tb_callback)(qemu_plugin_id_t id, struct qemu_plugin_tb *tb);
typedef void (*cpu_callback)(unsigned int cpu, void *data);

void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t id, tb_callback translated);
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *insn, cpu_callback ran,
					    enum qemu_plugin_cb_flags flags, void *data);
void qemu_plugin_register_vcpu_insn_exec_inline_per_vcpu(struct qemu_plugin_insn *insn,
							 enum qemu_plugin_op op,
							 qemu_plugin_u64 entry, uint64_t value);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb, size_t index);
uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *insn);
size_t qemu_plugin_insn_data(const struct qemu_plugin_insn *insn, void *to, size_t size);
struct qemu_plugin_scoreboard *qemu_plugin_scoreboard_new(size_t element_size);
uint64_t qemu_plugin_u64_sum(qemu_plugin_u64 entry);
void qemu_plugin_u64_set(qemu_plugin_u64 entry, unsigned int cpu, uint64_t value);
int qemu_plugin_num_vcpus(void);

#define EXPORT __attribute__((visibility("default")))

EXPORT int qemu_plugin_version = 3;

/* Modules and BPF on x86-64 (Documentation/arch/x86/x86_64/mm.rst); an exact guest has no modules. */
#define FIRST 0xffffffffa0000000ull
#define LAST  0xffffffffff000000ull

/* nopl 0x5c7b000N(%rax) without its last byte but three, which is N. */
static const uint8_t MARK[] = { 0x0f, 0x1f, 0x80 };
#define MARK_BASE 0x5c7b0000u
#define START	  1
#define STOP	  2

#define MAX_COUNTERS (1u << 17) /* a power of two: it is a hash table with open addresses */

static uint64_t addresses[MAX_COUNTERS]; /* 0: free */
static unsigned int nr_counters;
static struct qemu_plugin_scoreboard *counters;
static FILE *out;

static qemu_plugin_u64 counter(unsigned int index)
{
	return (qemu_plugin_u64){ counters, index * sizeof(uint64_t) };
}

static unsigned int index_of(uint64_t address)
{
	unsigned int index = (address * 0x9e3779b97f4a7c15ull) >> 47;

	while (addresses[index] && addresses[index] != address)
		index = (index + 1) % MAX_COUNTERS;
	if (!addresses[index]) {
		/* Half full, and whoever reads sees that no end was written. */
		if (++nr_counters > MAX_COUNTERS / 2)
			exit(1);
		addresses[index] = address;
	}
	return index;
}

static void start(unsigned int cpu, void *data)
{
	(void)cpu;
	(void)data;
	for (unsigned int i = 0; i < MAX_COUNTERS; i++)
		for (int one = 0; addresses[i] && one < qemu_plugin_num_vcpus(); one++)
			qemu_plugin_u64_set(counter(i), one, 0);
}

static void stop(unsigned int cpu, void *data)
{
	(void)cpu;
	(void)data;
	for (unsigned int i = 0; i < MAX_COUNTERS; i++) {
		uint64_t times = addresses[i] ? qemu_plugin_u64_sum(counter(i)) : 0;

		if (times)
			fprintf(out, "%llx %llu\n", (unsigned long long)addresses[i],
				(unsigned long long)times);
	}
	fprintf(out, "end\n");
	fflush(out);
}

/* START or STOP, or 0 for any other instruction. */
static uint32_t mark(const struct qemu_plugin_insn *insn)
{
	uint8_t bytes[16];
	uint32_t word;

	if (qemu_plugin_insn_data(insn, bytes, sizeof(bytes)) != sizeof(MARK) + sizeof(word) ||
	    memcmp(bytes, MARK, sizeof(MARK)))
		return 0;
	memcpy(&word, bytes + sizeof(MARK), sizeof(word));
	return word - MARK_BASE;
}

static void translated(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
	(void)id;
	for (size_t i = 0; i < qemu_plugin_tb_n_insns(tb); i++) {
		struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
		uint64_t address = qemu_plugin_insn_vaddr(insn);
		uint32_t marked;

		if (address >= FIRST && address < LAST) {
			qemu_plugin_register_vcpu_insn_exec_inline_per_vcpu(
				insn, QEMU_PLUGIN_INLINE_ADD_U64, counter(index_of(address)), 1);
			continue;
		}
		marked = mark(insn);
		if (marked == START || marked == STOP)
			qemu_plugin_register_vcpu_insn_exec_cb(insn, marked == START ? start : stop,
							       QEMU_PLUGIN_CB_NO_REGS, NULL);
	}
}

EXPORT int qemu_plugin_install(qemu_plugin_id_t id, const struct qemu_info *info, int argc,
			       char **argv)
{
	(void)info;
	if (argc != 1 || strncmp(argv[0], "to=", 3))
		return 1;
	out = fopen(argv[0] + 3, "w");
	counters = qemu_plugin_scoreboard_new(MAX_COUNTERS * sizeof(uint64_t));
	if (!out || !counters)
		return 1;
	qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
	return 0;
}
