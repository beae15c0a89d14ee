/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What pyloader/libbpf/ calls, as cffi reads it: declarations of libbpf 1.4 and of shim.c. */

typedef uint8_t __u8;
typedef uint16_t __u16;
typedef uint32_t __u32;
typedef int32_t __s32;
typedef uint64_t __u64;

struct bpf_object;
struct bpf_program;
struct bpf_map;
struct bpf_link;
struct btf;

/* objects */
__u32 libbpf_major_version(void);
__u32 libbpf_minor_version(void);
struct bpf_object *shim_open(const void *data, size_t size, const char *name);
int bpf_object__load(struct bpf_object *obj);
void bpf_object__close(struct bpf_object *obj);
struct btf *bpf_object__btf(const struct bpf_object *obj);

/* programs */
struct bpf_program *bpf_object__next_program(const struct bpf_object *obj,
					     struct bpf_program *prog);
const char *bpf_program__name(const struct bpf_program *prog);
const char *bpf_program__section_name(const struct bpf_program *prog);
size_t bpf_program__insn_cnt(const struct bpf_program *prog);
int bpf_program__type(const struct bpf_program *prog);
const char *libbpf_bpf_prog_type_str(int type);
int bpf_program__fd(const struct bpf_program *prog);
int bpf_program__set_autoload(struct bpf_program *prog, bool autoload);
struct bpf_link *bpf_program__attach(const struct bpf_program *prog);
int shim_run(int prog_fd, void *ctx, __u32 ctx_size, __u32 *retval);

/* maps of an object */
struct bpf_map *bpf_object__next_map(const struct bpf_object *obj, const struct bpf_map *map);
const char *bpf_map__name(const struct bpf_map *map);
int bpf_map__type(const struct bpf_map *map);
const char *libbpf_bpf_map_type_str(int type);
int bpf_map__fd(const struct bpf_map *map);
int bpf_map__reuse_fd(struct bpf_map *map, int fd);
__u32 bpf_map__key_size(const struct bpf_map *map);
__u32 bpf_map__value_size(const struct bpf_map *map);
__u32 bpf_map__max_entries(const struct bpf_map *map);
int bpf_map__set_max_entries(struct bpf_map *map, __u32 max_entries);
int bpf_map__set_value_size(struct bpf_map *map, __u32 size);
bool bpf_map__autocreate(const struct bpf_map *map);
int bpf_map__set_autocreate(struct bpf_map *map, bool autocreate);
__u32 bpf_map__map_flags(const struct bpf_map *map);
int bpf_map__set_map_flags(struct bpf_map *map, __u32 flags);
__u32 bpf_map__btf_key_type_id(const struct bpf_map *map);
__u32 bpf_map__btf_value_type_id(const struct bpf_map *map);
bool bpf_map__is_internal(const struct bpf_map *map);
void *bpf_map__initial_value(const struct bpf_map *map, size_t *psize);
struct bpf_link *bpf_map__attach_struct_ops(const struct bpf_map *map);

/* links */
int bpf_link__fd(const struct bpf_link *link);
int bpf_link__destroy(struct bpf_link *link);
int shim_struct_ops_link(int map_fd);
int bpf_iter_create(int link_fd);

/* maps by descriptor */
int bpf_map_lookup_elem(int fd, const void *key, void *value);
int bpf_map_update_elem(int fd, const void *key, const void *value, __u64 flags);
int bpf_map_delete_elem(int fd, const void *key);
int bpf_map_get_next_key(int fd, const void *key, void *next_key);
int shim_lookup_batch(int fd, void *cursor, bool first, void *keys, void *values, __u32 *count);
int libbpf_num_possible_cpus(void);

/* pins and kernel objects */
int bpf_obj_pin(int fd, const char *path);
int bpf_obj_get(const char *path);
struct shim_map_info {
	__u32 id, type, key_size, value_size, max_entries, map_flags;
	__u32 btf_id, btf_key_type_id, btf_value_type_id, btf_vmlinux_value_type_id;
	char name[16];
};
int shim_map_info(int fd, struct shim_map_info *out);
struct shim_link_info {
	__u32 id, type, map_id;
};
int shim_link_info(int fd, struct shim_link_info *out);
int bpf_link_detach(int link_fd);
int bpf_link_get_next_id(__u32 start_id, __u32 *next_id);
int bpf_link_get_fd_by_id(__u32 id);
int bpf_map_get_fd_by_id(__u32 id);

/* BTF */
struct btf_type {
	__u32 name_off;
	__u32 info;
	union {
		__u32 size;
		__u32 type;
	};
	...;
};
__u32 btf__type_cnt(const struct btf *btf);
const struct btf_type *btf__type_by_id(const struct btf *btf, __u32 id);
const char *btf__name_by_offset(const struct btf *btf, __u32 offset);
struct btf *btf__load_from_kernel_by_id(__u32 id);
struct btf *btf__load_vmlinux_btf(void);
__s32 btf__find_by_name(const struct btf *btf, const char *name);
void btf__free(struct btf *btf);
void shim_leave_modules_out(bool leave_out);
__u32 shim_next_enum(const struct btf *btf, __u32 after, const char *prefix);

/* ring buffers, in batches */
struct shim_ring;
struct shim_ring *shim_ring_open(int map_fd, __u32 item_size);
int shim_ring_read(struct shim_ring *ring, void *items, __u32 capacity, int timeout_ms,
		   __u32 *odd_sizes);
int shim_ring_epoll_fd(struct shim_ring *ring);
void shim_ring_close(struct shim_ring *ring);

/* ELF */
int shim_elf_section(const void *data, size_t size, const char *name, const void **out,
		     size_t *out_size);

/* libbpf's own words, per thread */
void shim_log_start(void);
const char *shim_log_text(void);
const char *shim_verifier_log(void);
int shim_errno(void);
