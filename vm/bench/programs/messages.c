// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Wake-up latency after schbench's method: message threads hand out work, workers wait for it.
 *
 * A worker tells its message thread that it is free and waits. The message thread, woken by that,
 * stamps the time for every free worker and wakes it. The worker notes how long ago the stamp is,
 * sleeps for a moment (a disk, a network), computes, and is free again. The time from stamp to
 * running is what a request waits for the scheduler.
 *
 *	messages THREADS WORKERS WORK MS
 *
 * THREADS message threads with WORKERS workers each, WORK thousand steps of arithmetic a request.
 * Answers each line with what happened in MS ms: the number of requests, then the wake-up latency in
 * ns: p50 p99 p99.9 max.
 */
#define _GNU_SOURCE
#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "measure.h"

#define STACK	(64 * 1024)
#define SAMPLES 20000 /* of one worker */
#define IO_NS	(100 * NSEC_PER_USEC)

struct worker {
	struct worker *next; /* in its message thread's list of free workers */
	struct messenger *messenger;
	long long stamp;
	int go;
	long nr;
	long long late[SAMPLES];
};

struct messenger {
	struct worker *free;
	int go;
};

static long work;
static int stop;

static void wait_for(int *go)
{
	while (!__atomic_exchange_n(go, 0, __ATOMIC_ACQ_REL))
		syscall(SYS_futex, go, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0);
}

static void wake(int *go)
{
	if (!__atomic_exchange_n(go, 1, __ATOMIC_ACQ_REL))
		syscall(SYS_futex, go, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

static int stopped(void)
{
	return __atomic_load_n(&stop, __ATOMIC_ACQUIRE);
}

static void *hand_out(void *argument)
{
	struct messenger *me = argument;

	for (;;) {
		struct worker *w = __atomic_exchange_n(&me->free, NULL, __ATOMIC_ACQ_REL);

		while (w) {
			struct worker *next = w->next; /* w is not ours once it is awake */

			w->stamp = now_ns();
			wake(&w->go);
			w = next;
		}
		if (stopped())
			return NULL;
		wait_for(&me->go);
	}
}

static void *answer(void *argument)
{
	struct worker *me = argument;
	unsigned long long sum = 0;

	while (!stopped()) {
		me->next = __atomic_load_n(&me->messenger->free, __ATOMIC_ACQUIRE);
		while (!__atomic_compare_exchange_n(&me->messenger->free, &me->next, me, 1,
						    __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
			;
		wake(&me->messenger->go);
		wait_for(&me->go);
		if (stopped())
			break;
		if (me->nr < SAMPLES)
			me->late[me->nr++] = now_ns() - me->stamp;
		sleep_until_ns(now_ns() + IO_NS);
		sum = compute(sum, work * 1000);
		__asm__ volatile("" : : "r"(sum));
	}
	return NULL;
}

static void start(pthread_t *thread, void *(*body)(void *), void *argument)
{
	pthread_attr_t attributes;

	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, STACK);
	errno = pthread_create(thread, &attributes, body, argument);
	if (errno)
		fail("pthread_create");
	pthread_attr_destroy(&attributes);
}

static void run(long threads, long workers, long ms)
{
	struct messenger *messenger = calloc(threads, sizeof(*messenger));
	struct worker *worker = calloc(threads * workers, sizeof(*worker));
	long total = threads * workers, n = 0;
	pthread_t ids[threads + total];
	long long *late;

	if (!messenger || !worker)
		fail("memory");
	stop = 0;
	for (long i = 0; i < total; i++)
		worker[i].messenger = &messenger[i / workers];
	for (long i = 0; i < threads; i++)
		start(&ids[i], hand_out, &messenger[i]);
	for (long i = 0; i < total; i++)
		start(&ids[threads + i], answer, &worker[i]);
	sleep_until_ns(now_ns() + ms * NSEC_PER_MSEC);
	__atomic_store_n(&stop, 1, __ATOMIC_RELEASE);
	for (long i = 0; i < total; i++)
		wake(&worker[i].go);
	for (long i = 0; i < threads; i++)
		wake(&messenger[i].go);
	for (long i = 0; i < threads + total; i++)
		pthread_join(ids[i], NULL);
	for (long i = 0; i < total; i++)
		n += worker[i].nr;
	late = calloc(n + 1, sizeof(*late));
	if (!late)
		fail("memory");
	n = 0;
	for (long i = 0; i < total; i++) {
		memcpy(late + n, worker[i].late, worker[i].nr * sizeof(*late));
		n += worker[i].nr;
	}
	printf("%ld", n);
	print_quantiles(late, n);
	printf("\n");
	fflush(stdout);
	free(late);
	free(worker);
	free(messenger);
}

int main(int argc, char **argv)
{
	char line[64];

	if (argc != 5) {
		fprintf(stderr, "usage: messages THREADS WORKERS WORK MS\n");
		return 2;
	}
	work = number(argv[3]);
	while (fgets(line, sizeof(line), stdin))
		run(number(argv[1]), number(argv[2]), number(argv[4]));
	return 0;
}
