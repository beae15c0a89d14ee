// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Wake-up latency after schbench's method (messages.h), which no distribution's package has.
 *
 *	schbench ms=1000 seed=1 a_cpu=0 duty=1000 [threads=1] [workers=4] [work=100]
 *
 * So many message threads, each with `workers` workers for each CPU, and `work` thousand steps of
 * arithmetic a request. Prints of each request how long it waited for its worker to run and how long
 * it took in all, worker by worker, and how many there were in a second.
 */
#define _GNU_SOURCE
#include "messages.h"
#include "tasks.h"

int main(int argc, char **argv)
{
	long threads, workers, steps, done = 0;
	struct samples *late, *took;
	struct worker *worker;
	struct load *load;
	s64 began, took_ns, switched;

	begin(argc, argv);
	threads = option("threads", 1);
	workers = option("workers", 4) * nr_cpus();
	steps = option("work", 100) * 1000;
	no_more_options();
	if (threads < 1 || workers < 1 || threads * workers > 1024)
		give_up("from 1 to 1024 workers in all");
	load = start_load(false);
	switched = nr_switches();
	began = now_ns();
	worker = exchange(threads, workers, steps, asked.ms);
	took_ns = now_ns() - began;
	print_switches(switched, began);
	stop_load(load);
	for (long i = 0; i < threads * workers; i++)
		done += worker[i].nr;
	late = new_samples(done);
	took = new_samples(done);
	for (long i = 0; i < threads * workers; i++)
		for (long n = 0; n < worker[i].nr; n++) {
			add_sample(late, worker[i].late[n]);
			add_sample(took, worker[i].took[n]);
		}
	print_samples("wakeup", late);
	print_samples("request", took);
	print_metric("requests_per_s", done * 1e9 / took_ns);
	return 0;
}
