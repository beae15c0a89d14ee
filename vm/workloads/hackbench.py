"""hackbench of rt-tests: groups of processes that only talk to each other."""

from __future__ import annotations

import re
from collections.abc import Sequence

from vm.workloads.model import Case, Metric, Outcome, Workload
from vm.workloads.words import BESIDE, beside

#: In each group so many senders write to as many receivers; a message is 100 bytes.
_SENDERS = 10

_TIME = re.compile(r"^Time: ([0-9]+\.[0-9]+)$", re.MULTILINE)

METRICS = (
    Metric("makespan_ns", "ns", "less", "makespan", "time until all messages were read"),
    Metric("messages_per_s", "1/s", "more", "throughput", "messages that were written and read"),
)


def _loops(case: Case) -> int:
    """Messages of a sender to each receiver: metal is done in a fifth of the time asked for, an
    emulator needs some times as long; hackbench tells its time in ms."""
    return max(10, round(400 * case.seconds))


def command(case: Case) -> Sequence[str]:
    asked = ("-g", case.cpus, "-f", _SENDERS, "-l", _loops(case))
    return beside(case, "hackbench", *asked)


def read(text: str, case: Case) -> Outcome:
    found = _TIME.search(text)
    if not found:
        raise ValueError("hackbench did not print its time")
    seconds = float(found[1])
    if not seconds:
        raise ValueError("hackbench was done in less than the ms that it can tell; measure longer")
    messages = case.cpus * _SENDERS * _SENDERS * _loops(case)
    return Outcome({"makespan_ns": seconds * 1e9, "messages_per_s": messages / seconds})


WORKLOAD = Workload(
    name="hackbench",
    about="rt-tests: a group of 20 processes a CPU, of which half write to the other half",
    metrics=METRICS,
    command=command,
    read=read,
    programs=(BESIDE,),
    tools=("hackbench",),
    loads=("idle", "light", "full", "over"),
)
