// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Any other program as the workload: run to its end, each line that it prints put into the report.
 */
#define _GNU_SOURCE
#include "guest.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

void run_program(char **words)
{
	struct sched_param normal = { 0 };
	cpu_set_t everywhere;
	int out[2], in[2], status;
	char line[900];
	FILE *said;
	pid_t pid;

	if (pipe(out) || pipe(in))
		fail("pipe: %s", strerror(errno));
	pid = fork();
	if (pid < 0)
		fail("fork: %s", strerror(errno));
	if (!pid) {
		memset(&everywhere, 0xff, sizeof(everywhere));
		sched_setaffinity(0, sizeof(everywhere), &everywhere);
		sched_setscheduler(0, SCHED_OTHER, &normal);
		dup2(in[0], STDIN_FILENO);
		dup2(out[1], STDOUT_FILENO);
		/* All of them: while it held its own input open, it would wait for the end of it. */
		close_range(3, ~0u, 0);
		execv(words[0], words);
		fail("%s cannot be run: %s", words[0], strerror(errno));
	}
	close(out[1]);
	close(in[0]);
	/* One empty line, for programs that do their work once for each line that they read. */
	if (write(in[1], "\n", 1) != 1)
		fail("%s takes no input: %s", words[0], strerror(errno));
	close(in[1]);
	report("program %s", words[0]);
	said = fdopen(out[0], "r");
	while (said && fgets(line, sizeof(line), said)) {
		line[strcspn(line, "\n")] = 0;
		report("said %s", line);
	}
	fclose(said);
	waitpid(pid, &status, 0);
	if (!WIFEXITED(status) || WEXITSTATUS(status))
		fail("%s ended with status %d", words[0], status);
	check_running();
}
