// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The report to the host, through the port of QEMU's debug console, and the end of the machine,
 * through that of its exit device. Neither needs a driver, an interrupt or time that would depend
 * on how fast the host reads.
 */
#include "guest.h"

#include <stdarg.h>
#include <stdio.h>
#include <sys/io.h>
#include <unistd.h>

/* As the host's command line places them. */
#define CONSOLE_PORT 0xe9
#define EXIT_PORT    0xf4
#define SPEAKER_PORT 0x61

void report_open(void)
{
	/* Without them there is no way to say so. */
	if (ioperm(CONSOLE_PORT, 1, 1) || ioperm(EXIT_PORT, 1, 1) || ioperm(SPEAKER_PORT, 1, 1))
		_exit(1);
}

void report_ready(void)
{
	outb(3, SPEAKER_PORT); /* data and gate; nobody listens in a machine without short rounds */
}

static void send(const char *format, va_list args)
{
	char line[1024];
	int length = vsnprintf(line, sizeof(line) - 1, format, args);

	if (length < 0)
		return;
	if (length > (int)sizeof(line) - 2)
		length = sizeof(line) - 2;
	line[length++] = '\n';
	asm volatile("" : : : "memory"); /* outsb() does not tell the compiler that it reads */
	outsb(CONSOLE_PORT, line, length);
}

void report(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	send(format, args);
	va_end(args);
}

void fail(const char *format, ...)
{
	char text[900];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	report("error %s", text);
	finish();
}

void finish(void)
{
	report("end");
	outb(0, EXIT_PORT);
	for (;;)
		pause();
}
