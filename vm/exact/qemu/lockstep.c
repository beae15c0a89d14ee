// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Preloaded into QEMU: its main loop does something only while no virtual CPU does.
 *
 * With -icount and sleep=off, virtual time jumps to the next timer when all virtual CPUs are idle,
 * and it is the main loop that makes it jump (icount_start_warp_timer() in accel/tcg/icount-common.c).
 * A CPU counts as idle from the moment at which it executes HLT; but what it executed is added to the
 * clock, and the turns that are left in the round are taken, a little later, on the other thread.
 * Whether the main loop looks in between depends on how the host schedules the two. Then time jumps
 * too far, or the next round begins with another CPU.
 *
 * So the main loop, back from its poll, waits here until the thread of the CPUs sleeps as well: on
 * the condition variable where it waits for an interrupt or for time to jump. Nobody but the main
 * loop wakes it there, and from that moment on the main loop waits again.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <linux/futex.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { NOT_YET, RUNS, SLEEPS };

/* What the thread of the CPUs does; a futex. */
static _Atomic uint32_t cpus = NOT_YET;

/* Where it sleeps, and the mutex there: QEMU's big lock. */
static pthread_cond_t *_Atomic bed;
static pthread_mutex_t *_Atomic lock;

/* That thread: the first one beside the main thread that waits without a limit. */
static _Atomic pid_t thread_of_cpus;

static int (*poll_really)(struct pollfd *, nfds_t, const struct timespec *, const sigset_t *);
static int (*wait_really)(pthread_cond_t *, pthread_mutex_t *);
static int (*broadcast_really)(pthread_cond_t *);
static int (*signal_really)(pthread_cond_t *);

/* The C library has two kinds of condition variables on some machines; programs use the newer. */
static void *of_library(const char *name)
{
	void *found = dlvsym(RTLD_NEXT, name, "GLIBC_2.3.2");

	return found ? found : dlsym(RTLD_NEXT, name);
}

__attribute__((constructor)) static void find(void)
{
	poll_really = dlsym(RTLD_NEXT, "ppoll");
	wait_really = of_library("pthread_cond_wait");
	broadcast_really = of_library("pthread_cond_broadcast");
	signal_really = of_library("pthread_cond_signal");
}

static void now_the_cpus(uint32_t do_what)
{
	atomic_store(&cpus, do_what);
	if (do_what == SLEEPS)
		syscall(SYS_futex, &cpus, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

int pthread_cond_wait(pthread_cond_t *cond, pthread_mutex_t *mutex)
{
	pid_t self = gettid(), nobody = 0;
	int result;

	if (self == getpid() ||
	    (!atomic_compare_exchange_strong(&thread_of_cpus, &nobody, self) && nobody != self))
		return wait_really(cond, mutex);
	atomic_store(&bed, cond);
	atomic_store(&lock, mutex);
	now_the_cpus(SLEEPS); /* the main loop then waits for the mutex, until we really do */
	result = wait_really(cond, mutex);
	now_the_cpus(RUNS);
	return result;
}

/* Whoever is woken runs from now on, not only when the host lets it. */
static void woken(pthread_cond_t *cond)
{
	uint32_t sleeps = SLEEPS;

	if (cond == atomic_load(&bed))
		atomic_compare_exchange_strong(&cpus, &sleeps, RUNS);
}

int pthread_cond_broadcast(pthread_cond_t *cond)
{
	woken(cond);
	return broadcast_really(cond);
}

int pthread_cond_signal(pthread_cond_t *cond)
{
	woken(cond);
	return signal_really(cond);
}

/* When QEMU ends, it polls with its lock held, which the thread of the CPUs may wait for. */
static int holds_lock(pid_t self)
{
	pthread_mutex_t *mutex = atomic_load(&lock);

	return mutex && mutex->__data.__owner == self;
}

int ppoll(struct pollfd *files, nfds_t count, const struct timespec *limit, const sigset_t *mask)
{
	int result = poll_really(files, count, limit, mask), error = errno;
	pid_t self = gettid();

	/* A signal is let through: whoever wants to end QEMU does not wait. */
	if (self == getpid() && !holds_lock(self))
		while (atomic_load(&cpus) == RUNS &&
		       (!syscall(SYS_futex, &cpus, FUTEX_WAIT_PRIVATE, RUNS, NULL, NULL, 0) ||
			errno == EAGAIN))
			;
	errno = error;
	return result;
}

int __ppoll_chk(struct pollfd *files, nfds_t count, const struct timespec *limit,
		const sigset_t *mask, size_t size)
{
	(void)size;
	return ppoll(files, count, limit, mask);
}
