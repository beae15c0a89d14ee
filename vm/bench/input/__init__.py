"""Input latency: how long a report of an input device takes to its reader and along a chain of
processes, under each scheduler, with input first and without, beside one that is SCHED_FIFO."""
