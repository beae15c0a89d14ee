// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Schedulers in the guest: loaded from the same objects as everywhere else, attached on their own
 * or as policies of the resident host. The order of a change is that of host.bpf.c.
 */
#include "guest.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define MAX_SETTINGS 64
#define HOST_SLOTS   4
#define NO_SLOT	     HOST_SLOTS
#define SLOT_FILLED  1

/* As in host.bpf.c. */
struct slot {
	u32 generation;
	u32 state;
	u32 nr_dsqs;
	u32 policy_id;
	char name[128];
};

struct host_args {
	u32 slot;
	u32 nr_queued;
};

static struct {
	char name[64];
	unsigned char bytes[256];
	size_t size;
} settings[MAX_SETTINGS];
static int nr_settings;
static u32 watchdog_ms; /* 0: each scheduler's own */

static struct bpf_object *attached; /* the scheduler, or the host */
static struct bpf_link *link_;
static char attached_as[128];	   /* the name that the kernel lists */
static volatile u64 *nr_left_over; /* of the host */

static struct {
	struct bpf_object *object;
	volatile u64 *epoch;
	volatile u64 *vtime; /* NULL where the policy has no such clock */
	volatile unsigned char *active;
} policies[HOST_SLOTS];
static u32 current = NO_SLOT;

/* What libbpf said last: its warnings, the verifier's log among them. */
static char said[1 << 16];
static size_t said_length;

static int listen(enum libbpf_print_level level, const char *format, va_list args)
{
	char text[8192];
	int length;

	if (level != LIBBPF_WARN)
		return 0;
	length = vsnprintf(text, sizeof(text), format, args);
	if (length < 0)
		return 0;
	if (length >= (int)sizeof(text))
		length = sizeof(text) - 1;
	if (said_length + length >= sizeof(said))
		said_length = 0; /* its end is what tells most */
	memcpy(said + said_length, text, length);
	said_length += length;
	said[said_length] = 0;
	return length;
}

/* A scheduler as its user calls it: the file's name up to its first dot. */
static const char *shown(const char *file)
{
	static char name[128];
	const char *base = strrchr(file, '/');

	snprintf(name, sizeof(name), "%s", base ? base + 1 : file);
	name[strcspn(name, ".")] = 0;
	return name;
}

static void refuse(const char *what, const char *file, int err)
{
	char *rest = said, *line;

	while ((line = strsep(&rest, "\n")))
		if (*line)
			report("log %.900s", line);
	fail("%s %s: %s", what, shown(file), strerror(err < 0 ? -err : err));
}

void set_variable(const char *name, const char *hex)
{
	size_t size = strlen(hex) / 2;

	if (nr_settings == MAX_SETTINGS || size > sizeof(settings[0].bytes))
		fail("the plan sets too much: %s", name);
	snprintf(settings[nr_settings].name, sizeof(settings[0].name), "%s", name);
	for (size_t i = 0; i < size; i++) {
		unsigned int byte;

		sscanf(hex + 2 * i, "%2x", &byte);
		settings[nr_settings].bytes[i] = byte;
	}
	settings[nr_settings++].size = size;
}

/* The data section of an object that holds a global variable, and where in it; NULL if none does. */
static struct bpf_map *find_variable(struct bpf_object *object, const char *name, size_t *offset)
{
	const struct btf *btf = bpf_object__btf(object);
	struct bpf_map *map;

	bpf_object__for_each_map(map, object)
	{
		const char *section = strchr(bpf_map__name(map), '.');
		const struct btf_var_secinfo *var;
		const struct btf_type *datasec;
		int id;

		if (!bpf_map__is_internal(map) || !section)
			continue;
		id = btf__find_by_name_kind(btf, section, BTF_KIND_DATASEC);
		if (id < 0)
			continue;
		datasec = btf__type_by_id(btf, id);
		var = btf_var_secinfos(datasec);
		for (int i = 0; i < btf_vlen(datasec); i++, var++) {
			const struct btf_type *type = btf__type_by_id(btf, var->type);

			if (!strcmp(btf__name_by_offset(btf, type->name_off), name)) {
				*offset = var->offset;
				return map;
			}
		}
	}
	return NULL;
}

static void apply_settings(struct bpf_object *object, const char *file)
{
	for (int i = 0; i < nr_settings; i++) {
		size_t offset = 0, size = 0;
		struct bpf_map *map = find_variable(object, settings[i].name, &offset);
		unsigned char *values = map ? bpf_map__initial_value(map, &size) : NULL;

		if (!values || offset + settings[i].size > size)
			fail("%s has no variable %s", shown(file), settings[i].name);
		memcpy(values + offset, settings[i].bytes, settings[i].size);
	}
	nr_settings = 0;
}

/* The live memory of a variable of a loaded object; NULL if it has none such. */
static void *find_live_variable(struct bpf_object *object, const char *name)
{
	size_t offset = 0;
	struct bpf_map *map = find_variable(object, name, &offset);
	size_t size = map ? (bpf_map__value_size(map) + 4095) & ~4095ul : 0;
	char *memory;

	if (!map)
		return NULL;
	memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, bpf_map__fd(map), 0);
	if (memory == MAP_FAILED)
		fail("the variable %s cannot be mapped: %s", name, strerror(errno));
	return memory + offset;
}

static void *live_variable(struct bpf_object *object, const char *name)
{
	void *variable = find_live_variable(object, name);

	if (!variable)
		fail("a policy has no variable %s", name);
	return variable;
}

void set_watchdog(u32 ms)
{
	watchdog_ms = ms;
}

/* Gives every scheduler in an object the watchdog's timeout that the plan asks for. */
static void apply_watchdog(struct bpf_object *object, const char *file)
{
	const struct btf *btf = bpf_object__btf(object);
	int id = btf__find_by_name_kind(btf, "sched_ext_ops", BTF_KIND_STRUCT);
	const struct btf_type *type = id < 0 ? NULL : btf__type_by_id(btf, id);
	const struct btf_member *member = type ? btf_members(type) : NULL;
	struct bpf_map *map;

	for (int i = 0; type && i < btf_vlen(type); i++, member++) {
		if (strcmp(btf__name_by_offset(btf, member->name_off), "timeout_ms"))
			continue;
		bpf_object__for_each_map(map, object)
		{
			size_t size = 0;
			char *ops = bpf_map__type(map) == BPF_MAP_TYPE_STRUCT_OPS ?
					    bpf_map__initial_value(map, &size) :
					    NULL;

			if (ops && member->offset / 8 + sizeof(watchdog_ms) <= size)
				memcpy(ops + member->offset / 8, &watchdog_ms, sizeof(watchdog_ms));
		}
		return;
	}
	fail("%s has no timeout to be set", shown(file));
}

static struct bpf_object *load(const char *file)
{
	struct bpf_object *object;
	int err;

	libbpf_set_print(listen);
	object = bpf_object__open_file(file, NULL);
	if (!object)
		refuse("libbpf cannot open", file, errno);
	apply_settings(object, file);
	if (watchdog_ms)
		apply_watchdog(object, file);
	err = bpf_object__load(object);
	if (err)
		refuse("the kernel refused", file, err);
	return object;
}

void check_running(void)
{
	char state[64] = "absent", ops[128] = "";

	if (!attached)
		return;
	read_line(STATE, state, sizeof(state));
	if (strcmp(state, "enabled"))
		tell_ejection(attached, attached_as);
	if (!read_line("/sys/kernel/sched_ext/root/ops", ops, sizeof(ops)) ||
	    strcmp(ops, attached_as))
		fail("%s was attached and %s runs", attached_as, *ops ? ops : "nothing");
}

static void attach(const char *file, const char *ops)
{
	struct bpf_map *map, *found = NULL;

	attached = load(file);
	snprintf(attached_as, sizeof(attached_as), "%s", ops);
	bpf_object__for_each_map(map, attached) if (bpf_map__type(map) == BPF_MAP_TYPE_STRUCT_OPS)
		found = map;
	if (!found)
		fail("%s has no struct_ops", shown(file));
	link_ = bpf_map__attach_struct_ops(found);
	if (!link_)
		refuse("the kernel did not attach", file, errno);
	check_running();
}

void attach_direct(const char *file, const char *ops)
{
	attach(file, ops);
}

void attach_host(const char *file)
{
	attach(file, "scxhid_host");
	nr_left_over = live_variable(attached, "nr_left_over");
}

/* Runs a syscall program of an object; the program's own answer must be 0 as well. */
static void run(struct bpf_object *object, const char *name, void *args, size_t size)
{
	struct bpf_program *program = bpf_object__find_program_by_name(object, name);
	LIBBPF_OPTS(bpf_test_run_opts, opts, .ctx_in = args, .ctx_size_in = size);
	int err;

	if (!program)
		fail("there is no program %s", name);
	err = bpf_prog_test_run_opts(bpf_program__fd(program), &opts);
	if (err || opts.retval)
		fail("%s failed: %s", name, strerror(err ? -err : -(int)opts.retval));
}

static int host_map(const char *name)
{
	return bpf_object__find_map_fd_by_name(attached, name);
}

void load_policy(u32 number, u32 generation, const char *file, char **callbacks, int nr_callbacks)
{
	struct slot slot = { .generation = generation, .state = SLOT_FILLED };
	struct bpf_object *object = load(file);

	if (number >= HOST_SLOTS)
		fail("the host has no slot %u", number);
	run(object, "policy_init", NULL, 0);
	policies[number].object = object;
	policies[number].epoch = live_variable(object, "policy_epoch");
	policies[number].vtime = find_live_variable(object, "policy_vtime");
	policies[number].active = live_variable(object, "policy_active");
	*policies[number].active = 0;
	for (int i = 0; i < nr_callbacks; i++) {
		char *program = strchr(callbacks[i], '='), map[64];
		struct bpf_program *found;
		int fd;

		*program++ = 0;
		snprintf(map, sizeof(map), "on_%s", callbacks[i]);
		found = bpf_object__find_program_by_name(object, program);
		fd = found ? bpf_program__fd(found) : -1;
		if (fd < 0 || host_map(map) < 0)
			fail("%s: the host does not pass on %s", shown(file), callbacks[i]);
		if (bpf_map_update_elem(host_map(map), &number, &fd, BPF_ANY))
			fail("%s: %s does not go into the host's slot: %s", shown(file),
			     callbacks[i], strerror(errno));
	}
	slot.nr_dsqs = *(u32 *)live_variable(object, "policy_nr_dsqs");
	snprintf(slot.name, sizeof(slot.name), "%s", shown(file));
	if (bpf_map_update_elem(host_map("slots"), &number, &slot, BPF_ANY))
		fail("the host's slot %u cannot be written: %s", number, strerror(errno));
}

/* Returns when no CPU can still be in a callback that it entered before. */
static void wait_for_grace_period(void)
{
	static u32 turn;
	int fd = host_map(turn++ % 2 ? "grace_a" : "grace_b");
	u32 key = 0;

	if (bpf_map_update_elem(host_map("grace"), &key, &fd, BPF_ANY))
		fail("waiting for a grace period failed: %s", strerror(errno));
}

struct change switch_to(u32 slot)
{
	static u64 epoch = 1;
	struct host_args args = { .slot = slot };
	struct change change = { .at_ns = now_ns() };
	u32 old = current;

	if (slot >= HOST_SLOTS || !policies[slot].object)
		fail("slot %u is empty", slot);
	if (slot == old)
		return change;
	*policies[slot].epoch = ++epoch;
	*policies[slot].active = 1;
	if (old != NO_SLOT && policies[old].vtime && policies[slot].vtime)
		*policies[slot].vtime = *policies[old].vtime;
	run(attached, "host_switch", &args, sizeof(args));
	current = slot;
	wait_for_grace_period();
	if (old != NO_SLOT) {
		*policies[old].active = 0;
		args = (struct host_args){ .slot = old };
		for (;;) {
			run(attached, "host_drain", &args, sizeof(args));
			if (!args.nr_queued)
				break;
			sleep_until(now_ns() + 100 * NS_PER_US);
		}
	}
	change.took_ns = now_ns() - change.at_ns;
	change.nr_left_over = *nr_left_over;
	return change;
}

void detach(void)
{
	char state[64] = "absent";

	check_running();
	if (link_ && bpf_link__destroy(link_))
		fail("%s cannot be detached", attached_as);
	if (attached && read_line(STATE, state, sizeof(state)) && strcmp(state, "disabled"))
		fail("after the detach of %s sched_ext is %s", attached_as, state);
	attached = NULL;
	link_ = NULL;
	/* The policies went with their host. */
	for (int i = 0; i < HOST_SLOTS; i++) {
		if (policies[i].object)
			bpf_object__close(policies[i].object);
		policies[i].object = NULL;
	}
	current = NO_SLOT;
}

const struct bpf_object *attached_object(void)
{
	return attached;
}
