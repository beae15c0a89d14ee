// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Whether cgroups get what their weights say: groups of busy tasks, of different cpu.weight and with
 * different numbers of tasks, that compete for all CPUs.
 *
 *	cgroups ms=1000 seed=1
 *
 * Prints Jain's index of what each group had of the CPUs over its weight, and the groups that had
 * least and most of their part. Mounts cgroup2 where none is. The groups are gone afterwards.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <mntent.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "tasks.h"

#define USUAL_PLACE "/sys/fs/cgroup"
#define WARM_NS	    (300 * NSEC_PER_MSEC)

/* The group of 300 has fewer tasks than that of 100 beside it: counting tasks is not enough. */
static const struct group {
	const char *name;
	long weight, a_cpu;
} groups[] = {
	{ "w50", 50, 1 },
	{ "w100", 100, 1 },
	{ "w100-many", 100, 4 },
	{ "w300", 300, 2 },
};

#define NR_GROUPS (long)(sizeof(groups) / sizeof(*groups))

static char root[64], top[128];
static bool had_cpu; /* its groups' CPU time was divided by weight before */

/* Where cgroup2 is mounted; mounts it where none is. */
static void find_root(void)
{
	FILE *mounts = setmntent("/proc/mounts", "r");
	struct mntent *mount_;

	snprintf(root, sizeof(root), "%s", USUAL_PLACE);
	while (mounts && (mount_ = getmntent(mounts))) {
		if (strcmp(mount_->mnt_type, "cgroup2"))
			continue;
		snprintf(root, sizeof(root), "%s", mount_->mnt_dir);
		endmntent(mounts);
		return;
	}
	if (mounts)
		endmntent(mounts);
	if (mount("cgroup2", USUAL_PLACE, "cgroup2", 0, NULL))
		fail("cgroup2 cannot be mounted at " USUAL_PLACE);
}

static void write_to(const char *folder, const char *file, const char *text)
{
	char path[512];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", folder, file);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		fail(path);
	close(fd);
}

static void path_of(const struct group *group, char *path, size_t size)
{
	snprintf(path, size, "%s/%s", top, group->name);
}

/* Whether the root divides CPU time among its groups. */
static bool has_cpu(void)
{
	char path[128], text[512] = "";
	FILE *stream;

	snprintf(path, sizeof(path), "%s/cgroup.subtree_control", root);
	stream = fopen(path, "r");
	if (!stream)
		fail(path);
	if (!fgets(text, sizeof(text), stream))
		text[0] = 0;
	fclose(stream);
	for (char *word = strtok(text, " \n"); word; word = strtok(NULL, " \n"))
		if (!strcmp(word, "cpu"))
			return true;
	return false;
}

static void make_groups(void)
{
	char path[256], weight[16];

	find_root();
	had_cpu = has_cpu();
	write_to(root, "cgroup.subtree_control", "+cpu");
	snprintf(top, sizeof(top), "%s/scxhid-%d", root, getpid());
	if (mkdir(top, 0755))
		fail(top);
	write_to(top, "cgroup.subtree_control", "+cpu");
	for (long i = 0; i < NR_GROUPS; i++) {
		path_of(&groups[i], path, sizeof(path));
		if (mkdir(path, 0755))
			fail(path);
		snprintf(weight, sizeof(weight), "%ld", groups[i].weight);
		write_to(path, "cpu.weight", weight);
	}
}

/* A group that a process has just left may be busy for a moment. */
static void remove_group(const char *path)
{
	for (int n = 0; rmdir(path); n++) {
		if (errno != EBUSY || n == 200)
			fail(path);
		sleep_until_ns(now_ns() + 5 * NSEC_PER_MSEC);
	}
}

static void remove_groups(void)
{
	char path[256];

	for (long i = 0; i < NR_GROUPS; i++) {
		path_of(&groups[i], path, sizeof(path));
		remove_group(path);
	}
	remove_group(top);
	if (!had_cpu)
		write_to(root, "cgroup.subtree_control", "-cpu");
}

static void start_group(const struct group *group, pid_t *pids)
{
	char path[256];

	path_of(group, path, sizeof(path));
	for (long i = 0; i < group->a_cpu * nr_cpus(); i++) {
		pids[i] = start_process(group->name);
		if (pids[i])
			continue;
		write_to(path, "cgroup.procs", "0");
		become_normal();
		for (;;)
			spin(1000000);
	}
}

static void look(pid_t *const *pids, double *ran)
{
	for (long g = 0; g < NR_GROUPS; g++) {
		ran[g] = 0;
		for (long i = 0; i < groups[g].a_cpu * nr_cpus(); i++)
			ran[g] += cpu_time_ns(pids[g][i]);
	}
}

int main(int argc, char **argv)
{
	double before[NR_GROUPS], after[NR_GROUPS], all = 0, least = 1e9, most = 0;
	pid_t *pids[NR_GROUPS];
	s64 begins;
	long weights = 0;

	begin(argc, argv);
	no_more_options();
	make_groups();
	become_fifo(2);
	for (long g = 0; g < NR_GROUPS; g++) {
		pids[g] = calloc(groups[g].a_cpu * nr_cpus(), sizeof(pid_t));
		if (!pids[g])
			fail("memory");
		start_group(&groups[g], pids[g]);
	}
	begins = now_ns() + WARM_NS;
	sleep_until_ns(begins);
	look(pids, before);
	sleep_until_ns(begins + asked.ms * NSEC_PER_MSEC);
	look(pids, after);
	for (long g = 0; g < NR_GROUPS; g++) {
		for (long i = 0; i < groups[g].a_cpu * nr_cpus(); i++)
			end_process(pids[g][i]);
		after[g] -= before[g];
		all += after[g];
		weights += groups[g].weight;
	}
	remove_groups();
	if (all <= 0)
		give_up("no group has had any time");
	for (long g = 0; g < NR_GROUPS; g++) {
		after[g] *= weights / (all * groups[g].weight);
		least = after[g] < least ? after[g] : least;
		most = after[g] > most ? after[g] : most;
	}
	print_metric("fairness", jain(after, NR_GROUPS));
	print_metric("least_of_fair", least);
	print_metric("most_of_fair", most);
	return 0;
}
