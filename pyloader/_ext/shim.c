// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The little that cffi cannot express on top of libbpf: a va_list callback,
 * option structs whose layout grows between releases, and loops per sample.
 */
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <gelf.h>
#include <libelf.h>
#include <linux/btf.h>
#include <stdbool.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel_btf.h"

/* Newer than the <linux/bpf.h> of Debian 12 (6.1); the numbers are the kernel's ABI since 6.4. */
#define ATTACH_TYPE_STRUCT_OPS 44
#define LINK_TYPE_STRUCT_OPS   9

/* What libbpf.a calls stderr in this module, see builder.py. */
FILE *shim_stderr;

__attribute__((constructor)) static void know_stderr(void)
{
	shim_stderr = stderr;
}

static __thread char *log_text;
static __thread size_t log_used, log_room;

static int keep_words(enum libbpf_print_level level, const char *format, va_list args)
{
	va_list again;
	int length;

	if (level == LIBBPF_DEBUG)
		return 0;
	va_copy(again, args);
	length = vsnprintf(NULL, 0, format, again);
	va_end(again);
	if (length <= 0)
		return 0;
	if (log_used + length + 1 > log_room) {
		size_t room = (log_used + length + 1) * 2;
		char *grown = realloc(log_text, room);

		if (!grown)
			return 0;
		log_text = grown;
		log_room = room;
	}
	vsnprintf(log_text + log_used, length + 1, format, args);
	log_used += length;
	return length;
}

/*
 * The verifier's log of the load under way; the kernel keeps its end (since 6.4), where the reason
 * stands. Without a buffer of ours libbpf grows one until all fits: a loop that is too long writes
 * 139 MB in half a minute.
 */
static char verifier_log[1 << 20];

static const char *shim_verifier_log(void)
{
	return verifier_log;
}

static void shim_log_start(void)
{
	libbpf_set_print(keep_words);
	verifier_log[0] = 0;
	log_used = 0;
	if (log_text)
		log_text[0] = 0;
}

static const char *shim_log_text(void)
{
	return log_used ? log_text : "";
}

static int shim_errno(void)
{
	return errno;
}

static struct bpf_object *shim_open(const void *data, size_t size, const char *name)
{
	LIBBPF_OPTS(bpf_object_open_opts, opts, .object_name = name, .kernel_log_buf = verifier_log,
		    .kernel_log_size = sizeof(verifier_log));

	return bpf_object__open_mem(data, size, &opts);
}

static int shim_run(int prog_fd, void *ctx, __u32 ctx_size, __u32 *retval)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts, .ctx_in = ctx_size ? ctx : NULL,
		    .ctx_size_in = ctx_size);
	int err = bpf_prog_test_run_opts(prog_fd, &opts);

	*retval = opts.retval;
	return err;
}

static int shim_struct_ops_link(int map_fd)
{
	return bpf_link_create(map_fd, 0, ATTACH_TYPE_STRUCT_OPS, NULL);
}

static int shim_lookup_batch(int fd, void *cursor, bool first, void *keys, void *values,
			     __u32 *count)
{
	return bpf_map_lookup_batch(fd, first ? NULL : cursor, cursor, keys, values, count, NULL);
}

struct shim_map_info {
	__u32 id, type, key_size, value_size, max_entries, map_flags;
	__u32 btf_id, btf_key_type_id, btf_value_type_id, btf_vmlinux_value_type_id;
	char name[16];
};

static int shim_map_info(int fd, struct shim_map_info *out)
{
	struct bpf_map_info info = {};
	__u32 size = sizeof(info);
	int err = bpf_map_get_info_by_fd(fd, &info, &size);

	if (err)
		return err;
	out->id = info.id;
	out->type = info.type;
	out->key_size = info.key_size;
	out->value_size = info.value_size;
	out->max_entries = info.max_entries;
	out->map_flags = info.map_flags;
	out->btf_id = info.btf_id;
	out->btf_key_type_id = info.btf_key_type_id;
	out->btf_value_type_id = info.btf_value_type_id;
	out->btf_vmlinux_value_type_id = info.btf_vmlinux_value_type_id;
	memcpy(out->name, info.name, sizeof(out->name));
	return 0;
}

struct shim_link_info {
	__u32 id, type, map_id;
};

static int shim_link_info(int fd, struct shim_link_info *out)
{
	union {
		struct bpf_link_info any;
		struct {
			__u32 type, id, prog_id;
			__u32 map_id __attribute__((aligned(8)));
		} ops;
	} info = {};
	__u32 size = sizeof(info);
	int err = bpf_obj_get_info_by_fd(fd, &info, &size);

	if (err)
		return err;
	out->id = info.any.id;
	out->type = info.any.type;
	out->map_id = info.any.type == LINK_TYPE_STRUCT_OPS ? info.ops.map_id : 0;
	return 0;
}

/*
 * The id of the first enum type after that one whose name starts with prefix; 0 at the end. The
 * kernel's BTF has 150,000 types: in Python a walk through them takes most of a second.
 */
static __u32 shim_next_enum(const struct btf *btf, __u32 after, const char *prefix)
{
	__u32 count = btf__type_cnt(btf), id;

	for (id = after + 1; id < count; id++) {
		const struct btf_type *t = btf__type_by_id(btf, id);
		const char *name;

		if (!btf_is_any_enum(t))
			continue;
		name = btf__name_by_offset(btf, t->name_off);
		if (name && !strncmp(name, prefix, strlen(prefix)))
			return id;
	}
	return 0;
}

struct shim_ring {
	struct ring_buffer *ring;
	char *items;
	__u32 item_size, capacity, filled, odd_sizes;
};

/* Negative ends the round; libbpf counts the sample as consumed all the same. */
static int keep_sample(void *ctx, void *data, size_t size)
{
	struct shim_ring *ring = ctx;
	char *item = ring->items + (size_t)ring->filled * ring->item_size;

	if (size != ring->item_size) {
		ring->odd_sizes++;
		memset(item, 0, ring->item_size);
	}
	memcpy(item, data, size < ring->item_size ? size : ring->item_size);
	return ++ring->filled == ring->capacity ? -ENOSPC : 0;
}

static struct shim_ring *shim_ring_open(int map_fd, __u32 item_size)
{
	struct shim_ring *ring = calloc(1, sizeof(*ring));

	if (!ring)
		return NULL;
	ring->item_size = item_size;
	ring->ring = ring_buffer__new(map_fd, keep_sample, ring, NULL);
	if (!ring->ring) {
		int saved = errno;

		free(ring);
		errno = saved;
		return NULL;
	}
	return ring;
}

static int shim_ring_read(struct shim_ring *ring, void *items, __u32 capacity, int timeout_ms,
			  __u32 *odd_sizes)
{
	int err;

	ring->items = items;
	ring->capacity = capacity;
	ring->filled = ring->odd_sizes = 0;
	/* What is there already costs no system call; only an empty ring is waited for. */
	err = ring_buffer__consume(ring->ring);
	if (!err && timeout_ms)
		err = ring_buffer__poll(ring->ring, timeout_ms);
	*odd_sizes = ring->odd_sizes;
	return err < 0 && err != -ENOSPC ? err : (int)ring->filled;
}

static int shim_ring_epoll_fd(struct shim_ring *ring)
{
	return ring_buffer__epoll_fd(ring->ring);
}

static void shim_ring_close(struct shim_ring *ring)
{
	ring_buffer__free(ring->ring);
	free(ring);
}

/* 0 found, 1 no such section, -1 no ELF file at all; *out points into data. */
static int shim_elf_section(const void *data, size_t size, const char *name, const void **out,
			    size_t *out_size)
{
	Elf_Scn *section = NULL;
	GElf_Shdr header;
	size_t names;
	int found = 1;
	Elf *elf;

	elf_version(EV_CURRENT);
	elf = elf_memory((char *)data, size);
	if (!elf || elf_kind(elf) != ELF_K_ELF || elf_getshdrstrndx(elf, &names)) {
		elf_end(elf);
		return -1;
	}
	while (found && (section = elf_nextscn(elf, section))) {
		const char *this = NULL;

		if (gelf_getshdr(section, &header))
			this = elf_strptr(elf, names, header.sh_name);
		if (!this || strcmp(this, name))
			continue;
		if (header.sh_type == SHT_NOBITS || header.sh_offset > size ||
		    header.sh_size > size - header.sh_offset)
			continue;
		*out = (const char *)data + header.sh_offset;
		*out_size = header.sh_size;
		found = 0;
	}
	elf_end(elf);
	return found;
}
