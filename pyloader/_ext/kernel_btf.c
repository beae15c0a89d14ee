// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The running kernel's types, read once a process.
 *
 * Left alone, libbpf reads and checks all 6 MB of them for each object that it loads, walks all
 * 150,000 for each name, and, if a weak kfunc is not among them (compat.h has several), reads
 * those of every kernel module too. The linker sends its calls here (--wrap, see builder.py).
 */
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "kernel_btf.h"

struct btf *__real_btf__load_vmlinux_btf(void);
void __real_btf__free(struct btf *btf);
int __real_bpf_btf_get_next_id(__u32 start_id, __u32 *next_id);
__s32 __real_btf__find_by_name_kind(const struct btf *btf, const char *name, __u32 kind);

/* A name that was looked for, and its id or the error. */
struct found {
	char *name;
	__u32 kind;
	__s32 id;
	struct found *next;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct btf *kernels;
static struct found *finds[256];
static __thread bool without_modules;

void shim_leave_modules_out(bool leave_out)
{
	without_modules = leave_out;
}

struct btf *__wrap_btf__load_vmlinux_btf(void)
{
	struct btf *btf;
	int saved = 0;

	pthread_mutex_lock(&lock);
	if (!kernels) {
		kernels = __real_btf__load_vmlinux_btf();
		saved = errno;
	}
	btf = kernels;
	pthread_mutex_unlock(&lock);
	if (!btf)
		errno = saved;
	return btf;
}

/* Whoever has the kernel's only borrowed it. */
void __wrap_btf__free(struct btf *btf)
{
	if (btf != kernels)
		__real_btf__free(btf);
}

/* How libbpf walks through the types of all modules. */
int __wrap_bpf_btf_get_next_id(__u32 start_id, __u32 *next_id)
{
	if (without_modules) {
		errno = ENOENT;
		return -ENOENT;
	}
	return __real_bpf_btf_get_next_id(start_id, next_id);
}

static unsigned int bucket(const char *name)
{
	unsigned int hash = 5381;

	while (*name)
		hash = hash * 33 + (unsigned char)*name++;
	return hash % (sizeof(finds) / sizeof(finds[0]));
}

__s32 __wrap_btf__find_by_name_kind(const struct btf *btf, const char *name, __u32 kind)
{
	struct found **chain = &finds[bucket(name)], *find;
	__s32 id;

	if (!btf || btf != kernels)
		return __real_btf__find_by_name_kind(btf, name, kind);
	pthread_mutex_lock(&lock);
	for (find = *chain; find; find = find->next) {
		if (find->kind == kind && !strcmp(find->name, name))
			break;
	}
	if (!find) {
		id = __real_btf__find_by_name_kind(btf, name, kind);
		find = calloc(1, sizeof(*find));
		if (find)
			find->name = strdup(name);
		if (!find || !find->name) {
			free(find);
			pthread_mutex_unlock(&lock);
			return id;
		}
		find->kind = kind;
		find->id = id;
		find->next = *chain;
		*chain = find;
	}
	id = find->id;
	pthread_mutex_unlock(&lock);
	if (id < 0)
		errno = -id;
	return id;
}
