/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Wake-up latency after schbench's method: message threads hand out work, workers wait for it.
 *
 * A worker tells its message thread that it is free and waits. The message thread, woken by that,
 * stamps the time for every free worker and wakes it. The worker notes how long ago the stamp is,
 * sleeps for a moment (a disk, a network), computes, and is free again. The time from stamp to
 * running is what a request waits for the scheduler.
 */
#ifndef SCXHID_MESSAGES_H
#define SCXHID_MESSAGES_H

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
	long long late[SAMPLES], took[SAMPLES];
};

struct messenger {
	struct worker *free;
	int go;
};

static long request_steps;
static int stop;

static inline void wait_for_go(int *go)
{
	while (!__atomic_exchange_n(go, 0, __ATOMIC_ACQ_REL))
		syscall(SYS_futex, go, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0);
}

static inline void wake(int *go)
{
	if (!__atomic_exchange_n(go, 1, __ATOMIC_ACQ_REL))
		syscall(SYS_futex, go, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

static inline int stopped(void)
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
		wait_for_go(&me->go);
	}
}

static void *answer(void *argument)
{
	struct worker *me = argument;
	unsigned long long sum = 0;
	long long stamp, late;

	while (!stopped()) {
		me->next = __atomic_load_n(&me->messenger->free, __ATOMIC_ACQUIRE);
		while (!__atomic_compare_exchange_n(&me->messenger->free, &me->next, me, 1,
						    __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
			;
		wake(&me->messenger->go);
		wait_for_go(&me->go);
		if (stopped())
			break;
		stamp = me->stamp;
		late = now_ns() - stamp;
		sleep_until_ns(now_ns() + IO_NS);
		sum = compute(sum, request_steps);
		__asm__ volatile("" : : "r"(sum));
		if (me->nr < SAMPLES) {
			me->late[me->nr] = late;
			me->took[me->nr++] = now_ns() - stamp;
		}
	}
	return NULL;
}

static inline void start_thread(pthread_t *thread, void *(*body)(void *), void *argument)
{
	pthread_attr_t attributes;

	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, STACK);
	errno = pthread_create(thread, &attributes, body, argument);
	if (errno)
		fail("pthread_create");
	pthread_attr_destroy(&attributes);
}

/*
 * Lets `threads` message threads with `workers` each run for so long. Returns the workers, each with
 * `nr` requests: how long it waited and how long it took in all; to be freed.
 */
static inline struct worker *exchange(long threads, long workers, long steps, long ms)
{
	struct messenger *messenger = calloc(threads, sizeof(*messenger));
	struct worker *worker = calloc(threads * workers, sizeof(*worker));
	long total = threads * workers;
	pthread_t ids[threads + total];

	if (!messenger || !worker)
		fail("memory");
	stop = 0;
	request_steps = steps;
	for (long i = 0; i < total; i++)
		worker[i].messenger = &messenger[i / workers];
	for (long i = 0; i < threads; i++)
		start_thread(&ids[i], hand_out, &messenger[i]);
	for (long i = 0; i < total; i++)
		start_thread(&ids[threads + i], answer, &worker[i]);
	sleep_until_ns(now_ns() + ms * NSEC_PER_MSEC);
	__atomic_store_n(&stop, 1, __ATOMIC_RELEASE);
	for (long i = 0; i < total; i++)
		wake(&worker[i].go);
	for (long i = 0; i < threads; i++)
		wake(&messenger[i].go);
	for (long i = 0; i < threads + total; i++)
		pthread_join(ids[i], NULL);
	free(messenger);
	return worker;
}

#endif /* SCXHID_MESSAGES_H */
