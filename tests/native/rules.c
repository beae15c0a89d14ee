// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The matching of layers_match.h as an ordinary program: standard input is a struct rule_table and
 * then any number of struct asked; one line for each: its layer, and that while it runs for input.
 *
 *	cc -include standin.h -I schedulers/include rules.c
 */
#include <stdio.h>

#define __uint(name, value) int name
#define __type(name, of)    of *name

#define POLICY_CGRP_STATE(type, start) typedef type cgroup_state
#define POLICY_CGRP(cgrp)	       ((cgroup_state *)NULL)

#define READ_1(from, a)		 ((from)->a)
#define READ_2(from, a, b)	 ((from)->a->b)
#define READ_N(a, b, name, ...)	 name
#define BPF_CORE_READ(from, ...) READ_N(__VA_ARGS__, READ_2, READ_1)(from, __VA_ARGS__)
#define bpf_core_read		 bpf_probe_read_kernel
#define bpf_map_lookup_elem(m, k)                                                                  \
	((void *)(m) == (void *)&rule_tables ? (void *)&table : &candidate)

static void bpf_probe_read_kernel(void *to, u32 size, const void *from)
{
	memcpy(to, from, size);
}

static long bpf_probe_read_kernel_str(char *to, u32 size, const char *from)
{
	return snprintf(to, size, "%s", from) + 1;
}

static struct rule_table table;
static struct candidate candidate;

#include "layers_match.h"

struct asked {
	char comm[COMM_SIZE];
	char cgroup[224]; /* its path */
	u32 uid;
	s32 nice;
	u32 is_kthread;
	u32 reserved;
};

static void look(struct asked *asked)
{
	struct cgroup___layers path[PATH_DEPTH + 1] = {}, *at = path;
	struct kernfs_node___layers nodes[PATH_DEPTH + 1];
	char *name;

	for (name = strtok(asked->cgroup, "/"); name && at < path + PATH_DEPTH;
	     name = strtok(NULL, "/")) {
		at->self.cgroup = at;
		at[1].self.parent = &at->self;
		at++;
		at->kn = &nodes[at - path];
		nodes[at - path].name = name;
	}
	candidate.uid = asked->uid;
	candidate.nice = asked->nice;
	candidate.is_kthread = asked->is_kthread;
	write_path((u64)at);
	candidate.cgroups = fitting_cgroups(0);
	memcpy(&candidate.text[COMM_AT], asked->comm, COMM_SIZE);
	find_layers(0);
}

int main(void)
{
	struct asked asked;

	if (fread(&table, sizeof(table), 1, stdin) != 1)
		return 2;
	while (fread(&asked, sizeof(asked), 1, stdin) == 1) {
		look(&asked);
		printf("%u %u\n", candidate.layer, candidate.input_layer);
	}
	return 0;
}
