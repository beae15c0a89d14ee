// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Any command, with a load beside it (LOADS in vm/workloads/model.py) for as long as it runs.
 *
 *	beside seed=1 a_cpu=1 duty=1000 -- COMMAND WORD ...
 *
 * Ends with the command's status.
 */
#define _GNU_SOURCE
#include "tasks.h"

int main(int argc, char **argv)
{
	int words = 1, status;
	struct load *load;
	pid_t pid;

	while (words < argc && strcmp(argv[words], "--"))
		words++;
	if (words + 1 >= argc) {
		fprintf(stderr, "usage: beside KEY=NUMBER ... -- COMMAND WORD ...\n");
		return 2;
	}
	begin(words, argv);
	no_more_options();
	alarm(0); /* it lasts as long as the command, whoever started it says how long that may be */
	load = start_load(false);
	pid = start_process("command");
	if (!pid) {
		prctl(PR_SET_TIMERSLACK, 50000); /* the default, and not what this program has */
		execvp(argv[words + 1], argv + words + 1);
		fail(argv[words + 1]);
	}
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			fail("waitpid");
	stop_load(load);
	if (WIFSIGNALED(status))
		give_up("%s was ended by signal %d", argv[words + 1], WTERMSIG(status));
	return WEXITSTATUS(status);
}
