/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * crowd: many tasks of many kinds, each of which notes how long it was ever kept from going on.
 *
 * This header is what the kinds share: the slot in shared memory in which a task counts its steps.
 */
#ifndef CROWD_H
#define CROWD_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define NSEC_PER_MSEC 1000000LL
#define NSEC_PER_SEC  1000000000LL

struct slot {
	char name[96];		 /* the words that asked for the task */
	pid_t pid;		 /* 0 until it is started */
	_Atomic int64_t last_ns; /* when it last went on, or could have first */
	_Atomic int64_t worst_ns;
	_Atomic int64_t steps;
	_Atomic int64_t errors; /* things that the kernel must never let happen */
};

struct crowd {
	_Atomic bool over;    /* kinds that leave something behind must put it back now */
	_Atomic bool whole;   /* all are started, if not yet where they want to be */
	_Atomic int nr_ready; /* tasks that are */
	int nr_slots;
	struct slot slots[];
};

/* In memory that all tasks share, and the task's own place there. */
extern struct crowd *crowd;
extern struct slot *self;

/* Processors that the kernel counts on, online or not. */
extern int nr_cpus;

int64_t now_ns(void);
void sleep_ns(int64_t ns);
void burn(int64_t ns);

/* One more step: whatever passed since the last one, the task was kept waiting. */
void step(void);

/* The same after a wait of the task's own will, which should have ended at due_ns. */
void step_due(int64_t due_ns);

/* The clock of the next step starts now. */
void step_from_now(void);

/* Returns when every task of the crowd is where it wants to be. */
void wait_for_all(void);

/* A number below n, from a generator of the task's own. */
unsigned int any_below(unsigned int n);

/* Another task of the crowd that others may push around; 0 if there is none yet. */
pid_t somebody(void);

bool pin_to(pid_t pid, int cpu); /* cpu -1: all */
bool write_text(const char *path, const char *text);

/* What went wrong, on standard error; the process ends. */
void give_up(const char *what) __attribute__((noreturn));

/* A kind of task: runs until it is killed, or returns once the crowd is over. */
struct kind {
	const char *name;
	void (*run)(void);
	bool restores; /* it has something to put back, and returns by itself */
};

extern const struct kind busy_kinds[], pushed_kinds[], kernel_kinds[];

#endif /* CROWD_H */
