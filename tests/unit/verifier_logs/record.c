// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * record OBJECT DIRECTORY SUFFIX: loads each program of the object alone (for struct_ops: each
 * map alone) and writes what libbpf and the verifier say to DIRECTORY/PROGRAM-SUFFIX.log.
 * A program that makes the verifier walk a million instructions is recorded bare: the last
 * 16 kB of the verifier's own log, with none of libbpf's words.
 *
 * As root, on the kernel in question (in a virtual machine), from the project's folder:
 *   clang -g -O2 -target bpf -mcpu=v3 -D__TARGET_ARCH_x86 -fdebug-prefix-map=$PWD/= \
 *     -I/usr/include/x86_64-linux-gnu -c tests/unit/verifier_logs/X.bpf.c -o X.bpf.o
 *   cc record.c -o record -lbpf -lelf -lz && ./record X.bpf.o tests/unit/verifier_logs $(uname -r)
 * no_root is what nongpl.bpf.o gives without privilege; "-KERNEL" is the plain version.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <bpf/libbpf.h>

#define BARE "loop_too_long"

static FILE *out;
static char bare_log[16 << 10];

static int print(enum libbpf_print_level level, const char *format, va_list args)
{
	return level == LIBBPF_DEBUG || !out ? 0 : vfprintf(out, format, args);
}

static int record(const char *path, const char *directory, const char *suffix, const char *name)
{
	struct bpf_object *obj = bpf_object__open_file(path, NULL);
	struct bpf_program *prog;
	struct bpf_map *map;
	char file[4096];
	int err;

	if (!obj)
		return -errno;
	bpf_object__for_each_program(prog, obj)
		bpf_program__set_autoload(prog, !strcmp(bpf_program__name(prog), name));
	bpf_object__for_each_map(map, obj) if (bpf_map__type(map) == BPF_MAP_TYPE_STRUCT_OPS)
		bpf_map__set_autocreate(map, !strcmp(bpf_map__name(map), name));
	snprintf(file, sizeof(file), "%s/%s-%s.log", directory, name, suffix);
	out = fopen(file, "w");
	prog = bpf_object__find_program_by_name(obj, name);
	if (prog && !strcmp(name, BARE)) {
		bpf_program__set_log_buf(prog, bare_log, sizeof(bare_log));
		bpf_program__set_log_level(prog, 1);
	}
	err = bpf_object__load(obj);
	if (out && !strcmp(name, BARE)) {
		rewind(out);
		fputs(bare_log, out);
		(void)!ftruncate(fileno(out), ftell(out));
	}
	if (out)
		fclose(out);
	out = NULL;
	bpf_object__close(obj);
	printf("%s %d\n", name, err);
	if (!err)
		remove(file);
	return 0;
}

int main(int argc, char **argv)
{
	struct bpf_object *obj;
	struct bpf_program *prog;
	struct bpf_map *map;

	if (argc != 4)
		return 2;
	libbpf_set_print(print);
	obj = bpf_object__open_file(argv[1], NULL);
	if (!obj)
		return 1;
	bpf_object__for_each_program(prog,
				     obj) if (bpf_program__type(prog) != BPF_PROG_TYPE_STRUCT_OPS)
		record(argv[1], argv[2], argv[3], bpf_program__name(prog));
	bpf_object__for_each_map(map, obj) if (bpf_map__type(map) == BPF_MAP_TYPE_STRUCT_OPS)
		record(argv[1], argv[2], argv[3], bpf_map__name(map));
	bpf_object__close(obj);
	return 0;
}
