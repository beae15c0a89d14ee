// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * How long a report of a mouse takes to its reader beside the load, by stages.
 *
 *	input ms=1000 seed=1 a_cpu=1 duty=1000 [hz=250]
 *
 * The mouse is made through uhid. Who writes its reports runs under SCHED_FIFO above all others: a
 * device does not wait for a CPU. The reader is a normal task that has the device to itself, sleeps in
 * epoll until there is something, and reads all of it. Of each report are printed, in ns:
 *
 *	kernel     from before the write until the kernel has handed it out: the write has returned, or
 *	           on another CPU the reader runs already
 *	scheduler  from then until the reader runs; nothing where it was still at work on the one before
 *	reader     from then until it has read the report and knows which it is
 *	total      all of it
 *
 * Reports carry numbers, so it is known which was lost since the reader's queue was full; such a one
 * counts as read together with the next.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <linux/input.h>
#include <stdatomic.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "tasks.h"
#include "uhid.h"

#define STEPS	     100 /* a number is two digits to this base, as movements along x and y */
#define MOST_REPORTS (STEPS * STEPS)
#define WARM_REPORTS 30
#define WAIT_NS	     (10 * NSEC_PER_SEC)
#define UHID_NODE    "/dev/uhid"
#define UHID_NUMBERS "/sys/class/misc/uhid/dev" /* there if the module is */
#define NAME	     "scxhid input workload"

/* Three buttons, and movements of -127 to 127 along x and y: HID 1.11, appendix B.2. */
#define MOUSE                                                                                      \
	NAME ":5C8:1:05010902A1010901A100050919012903150025019503750181029501750581030501093009"   \
	     "311581257F750895028106C0C0"

struct stamps {
	s64 begun, written, awake, read;
	bool is_lost;
};

static struct path {
	_Atomic bool is_ready;
	_Atomic long nr_read;
	struct stamps of[MOST_REPORTS];
} * path;

/* ---- the device and its node ---- */

/* Makes the node of a device, with the numbers of its file in sysfs, where nobody else has done so. */
static void make_node(const char *node, const char *numbers)
{
	unsigned major_, minor_;
	FILE *stream;

	if (!access(node, F_OK))
		return;
	stream = fopen(numbers, "r");
	if (!stream || fscanf(stream, "%u:%u", &major_, &minor_) != 2)
		fail(numbers);
	fclose(stream);
	if (mknod(node, S_IFCHR | 0600, makedev(major_, minor_)))
		fail(node);
}

static bool has_name(const char *event)
{
	char file[300], name[80] = "";
	FILE *stream;

	snprintf(file, sizeof(file), "/sys/class/input/%s/device/name", event);
	stream = fopen(file, "r");
	if (!stream)
		return false;
	if (fgets(name, sizeof(name), stream))
		name[strcspn(name, "\n")] = 0;
	fclose(stream);
	return !strcmp(name, NAME);
}

/* The number of the event device of our mouse; -1 before there is one. */
static int find_event(void)
{
	DIR *all = opendir("/sys/class/input");
	struct dirent *entry;
	int found = -1, n;

	while (all && (entry = readdir(all)))
		if (sscanf(entry->d_name, "event%d", &n) == 1 && has_name(entry->d_name))
			found = n;
	if (all)
		closedir(all);
	return found;
}

static int open_event(void)
{
	s64 until = now_ns() + WAIT_NS;
	char file[64], node[64];
	int n = -1, fd;

	while (n < 0 && now_ns() < until) {
		sleep_until_ns(now_ns() + 5 * NSEC_PER_MSEC);
		n = find_event();
	}
	if (n < 0)
		give_up("the kernel made no input device of the mouse; are hid-generic and evdev "
			"loaded?");
	mkdir("/dev/input", 0755);
	snprintf(file, sizeof(file), "/sys/class/input/event%d/dev", n);
	snprintf(node, sizeof(node), "/dev/input/event%d", n);
	make_node(node, file);
	fd = open(node, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0 || ioctl(fd, EVIOCGRAB, 1))
		fail(node);
	return fd;
}

/* ---- the reader ---- */

/* All reports up to the n-th are there; those before it that were not yet are lost. */
static void stamp(long n, s64 awake)
{
	s64 now = now_ns();

	for (long i = path->nr_read; i <= n && i < MOST_REPORTS; i++) {
		path->of[i].awake = awake;
		path->of[i].read = now;
		path->of[i].is_lost = i < n;
	}
	if (n >= path->nr_read)
		path->nr_read = n + 1;
}

static void take(const struct input_event *events, long nr, s64 awake)
{
	static long x = -1, y = -1;
	static bool is_broken; /* the packet after SYN_DROPPED is not whole */

	for (long i = 0; i < nr; i++) {
		const struct input_event *event = &events[i];

		if (event->type == EV_REL && event->code == REL_X)
			x = event->value - 1;
		else if (event->type == EV_REL && event->code == REL_Y)
			y = event->value - 1;
		if (event->type != EV_SYN)
			continue;
		if (event->code == SYN_REPORT && x >= 0 && y >= 0 && !is_broken)
			stamp(x + y * STEPS, awake);
		is_broken = event->code == SYN_DROPPED;
		x = y = -1;
	}
}

static void read_reports(int fd)
{
	struct epoll_event event = { .events = EPOLLIN };
	int epoll = epoll_create1(EPOLL_CLOEXEC);

	if (epoll < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event))
		fail("epoll");
	path->is_ready = true;
	for (;;) {
		struct input_event events[64];
		ssize_t size;
		s64 awake;

		if (epoll_wait(epoll, &event, 1, -1) < 0)
			fail("epoll");
		awake = now_ns();
		size = read(fd, events, sizeof(events));
		if (size < 0 && errno != EAGAIN)
			fail("the input device");
		if (size > 0)
			take(events, size / sizeof(*events), awake);
	}
}

/* ---- the sender ---- */

static void send_reports(long nr, long hz)
{
	s64 period = NSEC_PER_SEC / hz, due = now_ns();
	u64 chance = chance_of(1);

	for (long n = 0; n < nr; n++) {
		struct uhid_event report = { .type = UHID_INPUT2, .u.input2.size = 3 };

		report.u.input2.data[1] = 1 + n % STEPS;
		report.u.input2.data[2] = 1 + n / STEPS;
		due += dithered(period, &chance);
		sleep_until_ns(due);
		path->of[n].begun = now_ns();
		send_report(0, &report);
		path->of[n].written = now_ns();
	}
}

static bool ended(pid_t pid)
{
	return waitpid(pid, NULL, WNOHANG) != 0;
}

static void wait_for_all(long nr, pid_t reader)
{
	s64 until = now_ns() + WAIT_NS;

	while (path->nr_read < nr && now_ns() < until && !ended(reader))
		sleep_until_ns(now_ns() + NSEC_PER_MSEC);
	if (path->nr_read < nr)
		give_up("of %ld reports the reader had %ld after %lld s", nr, (long)path->nr_read,
			WAIT_NS / NSEC_PER_SEC);
}

static void print_stages(long nr)
{
	static const char *const names[] = { "kernel", "scheduler", "reader", "total" };
	struct samples *stages[4];
	long lost = 0;

	for (int i = 0; i < 4; i++)
		stages[i] = new_samples(nr);
	for (long n = WARM_REPORTS; n < nr; n++) {
		const struct stamps *of = &path->of[n];
		/* Still at work on the one before it, the reader did not have to be woken. */
		bool was_awake = of->awake < of->begun;
		s64 runs = was_awake ? of->read : of->awake;
		s64 handed_out = runs < of->written ? runs : of->written;

		if (was_awake)
			runs = handed_out;
		add_sample(stages[0], handed_out - of->begun);
		add_sample(stages[1], runs - handed_out);
		add_sample(stages[2], of->read - runs);
		add_sample(stages[3], of->read - of->begun);
		lost += of->is_lost;
	}
	for (int i = 0; i < 4; i++)
		print_samples(names[i], stages[i]);
	print_metric("lost", lost);
}

int main(int argc, char **argv)
{
	char mouse[] = MOUSE, *devices_[] = { mouse };
	struct load *load;
	long hz, nr;
	pid_t reader;
	int fd;

	begin(argc, argv);
	hz = option("hz", 250);
	no_more_options();
	nr = hz * asked.ms / 1000 + WARM_REPORTS + 1;
	if (hz < 1 || nr > MOST_REPORTS)
		give_up("there are numbers for %d reports, not for %ld", MOST_REPORTS, nr);
	path = shared(sizeof(*path));
	make_node(UHID_NODE, UHID_NUMBERS);
	make_devices(1, devices_);
	fd = open_event();
	become_fifo(90);
	reader = start_process("reader");
	if (!reader) {
		become_normal();
		read_reports(fd);
	}
	load = start_load(false);
	while (!path->is_ready && !ended(reader))
		sleep_until_ns(now_ns() + NSEC_PER_MSEC);
	send_reports(nr, hz);
	wait_for_all(nr, reader);
	stop_load(load);
	end_process(reader);
	print_stages(nr);
	return 0;
}
