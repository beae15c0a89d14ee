// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * How long a report of an input device takes to its reader, and along a chain of processes behind it:
 * what a compositor reads, it passes on to a client, and this to a third (sound, say).
 *
 *	report_path NAME:VENDOR:PRODUCT:DESCRIPTOR ...
 *
 * The devices are made through uhid (uhid.h) and numbered from 0. Each line
 *
 *	run DEVICE NODE KIND HZ MS LENGTH READER-US OTHERS-US FIFO SEED
 *
 * starts LENGTH processes, of which the first has NODE, the device's input device, to itself (grabbed,
 * so that nothing moves on a screen), and sends reports for MS ms, HZ of them a second; what the first
 * WARM_MS bring does not count. KIND is mouse or keyboard. Each period lies between a half and three
 * halves of the mean, drawn by the seed, so that nothing can keep step with the tick. A process sleeps
 * in epoll until there is something, reads all of it, computes OTHERS-US, the reader READER-US for each
 * report, and sends 64 bytes down a unix socket. With FIFO all of them are SCHED_FIFO. The answer:
 *
 *	reports sent, ns from the first to the last, how many were sent later than the next one was due,
 *	how many were lost since the reader's queue in the kernel was full,
 *	CPU time of all processes of the path in ns,
 *	p50 p99 p99.9 max in ns from before the write to after the reader's read,
 *	the same until the last process has done its work
 *
 * Reports carry numbers, so it is known which one was lost. It counts as read when its reader knows
 * that: then the pointer is where it should be. Who sends them is SCHED_FIFO above all others.
 */
#define _GNU_SOURCE
#include "measure.h"
#include "path.h"
#include "uhid.h"

#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>

#define WARM_MS	     300
#define MOST_LENGTH  8
#define SENDERS_PRIO 90
#define WAIT_NS	     (2 * NSEC_PER_SEC)
#define LOOK_NS	     NSEC_PER_MSEC

/* ---- sending, and what came of it ---- */

static void require_all(const pid_t *pids, long length)
{
	for (long n = 0; n < length; n++) {
		if (!waitpid(pids[n], NULL, WNOHANG))
			continue;
		fprintf(stderr, "report_path: a process of the path ended\n");
		exit(1);
	}
}

static void wait_for(const _Atomic long *what, long value, const pid_t *pids, long length)
{
	long long until = now_ns() + WAIT_NS;

	while (*what < value && now_ns() < until) {
		require_all(pids, length);
		sleep_until_ns(now_ns() + LOOK_NS);
	}
}

static long long cpu_ns(const pid_t *pids, long length)
{
	long long sum = 0;
	clockid_t clock;

	for (long n = 0; n < length; n++) {
		if (clock_getcpuclockid(pids[n], &clock))
			fail("clock_getcpuclockid");
		sum += clock_ns(clock);
	}
	return sum;
}

/* Sends the reports from `first` to before `end`; how many were late. */
static long send_all(const struct run *run, struct path *path, long first, long end)
{
	long long mean = NSEC_PER_SEC / run->hz, due = now_ns(), next;
	unsigned long long random = run->seed * 0x9e3779b97f4a7c15ull + first + 1;
	struct uhid_event report;
	long late = 0;

	for (long n = first; n < end; n++) {
		next = due + mean / 2 + next_random(&random) % mean;
		number_report(run, &report, n);
		sleep_until_ns(due);
		path->of[n].sent = now_ns();
		send_report(run->device, &report);
		if (path->of[n].sent > next) {
			late++;
			next = path->of[n].sent; /* a device does not catch up */
		}
		due = next;
	}
	return late;
}

static void print_latencies(const struct path *path, long first, long end)
{
	long long *to_read = calloc(end - first, sizeof(*to_read));
	long long *to_end = calloc(end - first, sizeof(*to_end)), now = now_ns();

	if (!to_read || !to_end)
		fail("memory");
	for (long n = first; n < end; n++) {
		const struct stamps *of = &path->of[n];

		to_read[n - first] = (of->read ? of->read : now) - of->sent;
		to_end[n - first] = (of->ended ? of->ended : now) - of->sent;
	}
	print_quantiles(to_read, end - first);
	print_quantiles(to_end, end - first);
	free(to_read);
	free(to_end);
}

static void measure(const struct run *run, struct path *path, const pid_t *pids)
{
	long first = run->hz * WARM_MS / 1000, end = path->most, late, lost = 0;
	long long used;

	wait_for(&path->nr_ready, run->length, pids, run->length);
	sleep_until_ns(now_ns() + 20 * NSEC_PER_MSEC); /* they sleep by then */
	become(SCHED_FIFO, SENDERS_PRIO);
	send_all(run, path, 0, first);
	used = cpu_ns(pids, run->length);
	late = send_all(run, path, first, end);
	become(SCHED_OTHER, 0);
	wait_for(&path->nr_ended, end, pids, run->length);
	require_all(pids, run->length);
	for (long n = first; n < end; n++)
		lost += path->of[n].is_lost || !path->of[n].read;
	printf("%ld %lld %ld %ld %lld", end - first, path->of[end - 1].sent - path->of[first].sent,
	       late, lost, cpu_ns(pids, run->length) - used);
	print_latencies(path, first, end);
	printf("\n");
	fflush(stdout);
}

static void run_path(const struct run *run)
{
	long most = run->hz * (WARM_MS + run->ms) / 2000 * 2; /* no key stays pressed */
	size_t size = sizeof(struct path) + most * sizeof(struct stamps);
	pid_t pids[MOST_LENGTH];
	struct path *path;
	int node = open(run->node, O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	if (node < 0 || ioctl(node, EVIOCGRAB, 1))
		fail(run->node);
	path = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE,
		    -1, 0);
	if (path == MAP_FAILED)
		fail("memory");
	path->most = most;
	start_all(run, path, node, pids);
	measure(run, path, pids);
	for (long n = 0; n < run->length; n++) {
		kill(pids[n], SIGKILL);
		waitpid(pids[n], NULL, 0);
	}
	munmap(path, size);
	close(node);
}

static bool makes_sense(const struct run *run)
{
	bool is_kind = !strcmp(run->kind, "mouse") || !strcmp(run->kind, "keyboard");

	return is_kind && run->device >= 0 && run->device < nr_devices && run->hz > 0 &&
	       run->hz <= 100000 && run->ms > 0 && run->hz * run->ms >= 4000 && run->length > 0 &&
	       run->length <= MOST_LENGTH && run->reader_us >= 0 && run->others_us >= 0;
}

int main(int argc, char **argv)
{
	struct run run;
	char line[256];

	if (argc < 2) {
		fprintf(stderr, "usage: report_path NAME:VENDOR:PRODUCT:DESCRIPTOR ...\n");
		return 2;
	}
	learn_speed();
	make_devices(argc - 1, argv + 1);
	while (fgets(line, sizeof(line), stdin)) {
		if (sscanf(line, "run %d %63s %15s %ld %ld %ld %ld %ld %d %llu", &run.device,
			   run.node, run.kind, &run.hz, &run.ms, &run.length, &run.reader_us,
			   &run.others_us, &run.fifo, &run.seed) != 10 ||
		    !makes_sense(&run)) {
			fprintf(stderr, "report_path: no such line: %s", line);
			return 2;
		}
		run_path(&run);
	}
	return 0;
}
