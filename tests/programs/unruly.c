// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Preloaded into QEMU: a host that lets its threads run when it likes. The main loop wakes up for no
 * reason, and a thread that leaves the emulated code, as it does for HLT, is held up now and then.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

static unsigned chance(unsigned below)
{
	static _Thread_local unsigned state;

	if (!state)
		state = (unsigned)time(NULL) ^ (unsigned)getpid();
	state = state * 1664525u + 1013904223u;
	return (state >> 8) % below;
}

int ppoll(struct pollfd *files, nfds_t count, const struct timespec *limit, const sigset_t *mask)
{
	static int (*really)(struct pollfd *, nfds_t, const struct timespec *, const sigset_t *);
	struct timespec soon = { 0, chance(100) * 1000 };

	if (!really)
		really = dlsym(RTLD_NEXT, "ppoll");
	return really(files, count, gettid() == getpid() ? &soon : limit, mask);
}

static void hold_up(void)
{
	struct timespec t = { 0, chance(64) * 1000 };

	if (!chance(48))
		nanosleep(&t, NULL);
}

typedef void (*jump)(sigjmp_buf, int) __attribute__((noreturn));

void siglongjmp(sigjmp_buf where, int value)
{
	hold_up();
	((jump)dlsym(RTLD_NEXT, "siglongjmp"))(where, value);
}

/* What it is called where the C library checks it. */
void __longjmp_chk(sigjmp_buf where, int value) __attribute__((noreturn));

void __longjmp_chk(sigjmp_buf where, int value)
{
	hold_up();
	((jump)dlsym(RTLD_NEXT, "__longjmp_chk"))(where, value);
}
