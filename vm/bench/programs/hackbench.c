// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Groups of processes that talk, after hackbench's method: in each group every sender writes short
 * messages to every receiver in turn, and nobody computes anything. What it shows is the price of
 * waking, switching and queueing, with far more runnable processes than CPUs.
 *
 *	hackbench GROUPS SENDERS MESSAGES
 *
 * A group has SENDERS senders and as many receivers, each with a socket of its own; a sender writes
 * MESSAGES messages of 100 bytes to each. Answers each line with the time in ns from the release of
 * all processes, which were made before, until the last has ended.
 */
#define _GNU_SOURCE
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "measure.h"

#define BYTES 100

static void send_all(const int *sockets, long receivers, long messages)
{
	char text[BYTES] = { 0 };

	for (long i = 0; i < messages; i++)
		for (long to = 0; to < receivers; to++)
			for (long done = 0; done < BYTES;) {
				long n = write(sockets[to], text + done, BYTES - done);

				if (n < 0)
					fail("write");
				done += n;
			}
}

static void receive_all(int socket, long long bytes)
{
	char text[BYTES];

	while (bytes > 0) {
		long n = read(socket, text, bytes < BYTES ? bytes : BYTES);

		if (n <= 0)
			fail("read");
		bytes -= n;
	}
}

/* A process that says that it is ready and waits until the other end of `release` is closed. */
static int starts(int ready, int release)
{
	char word = 0;
	pid_t pid = fork();

	if (pid < 0)
		fail("fork");
	if (pid)
		return 0;
	if (write(ready, &word, 1) != 1 || read(release, &word, 1))
		fail("start");
	return 1;
}

static void start_group(long senders, long messages, int ready, const int *release)
{
	int sending[senders], receiving[senders], pair[2];

	for (long i = 0; i < senders; i++) {
		if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair))
			fail("socketpair");
		sending[i] = pair[1];
		receiving[i] = pair[0];
	}
	for (long i = 0; i < 2 * senders; i++) {
		if (!starts(ready, release[0]))
			continue;
		if (i < senders)
			send_all(sending, senders, messages);
		else
			receive_all(receiving[i - senders], senders * messages * BYTES);
		_exit(0);
	}
	for (long i = 0; i < senders; i++) {
		close(sending[i]);
		close(receiving[i]);
	}
}

static long long run(long groups, long senders, long messages)
{
	long processes = groups * senders * 2;
	int ready[2], release[2], status;
	long long started;
	char word;

	if (pipe(ready) || socketpair(AF_UNIX, SOCK_STREAM, 0, release))
		fail("pipe");
	for (long i = 0; i < groups; i++)
		start_group(senders, messages, ready[1], release);
	for (long i = 0; i < processes; i++)
		if (read(ready[0], &word, 1) != 1)
			fail("start");
	started = now_ns();
	/* Children hold copies of the writing end, which shutdown ends and close would not. */
	if (shutdown(release[1], SHUT_WR))
		fail("release");
	for (long i = 0; i < processes; i++)
		if (wait(&status) < 0 || status)
			fail("a process did not finish");
	started = now_ns() - started;
	for (int i = 0; i < 2; i++) {
		close(ready[i]);
		close(release[i]);
	}
	return started;
}

int main(int argc, char **argv)
{
	char line[64];

	if (argc != 4) {
		fprintf(stderr, "usage: hackbench GROUPS SENDERS MESSAGES\n");
		return 2;
	}
	while (fgets(line, sizeof(line), stdin)) {
		printf("%lld\n", run(number(argv[1]), number(argv[2]), number(argv[3])));
		fflush(stdout);
	}
	return 0;
}
