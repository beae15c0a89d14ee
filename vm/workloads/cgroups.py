"""Whether cgroups get of the CPUs what their weights say."""

from __future__ import annotations

from collections.abc import Sequence

from vm.workloads.model import Case, Metric, Workload
from vm.workloads.protocol import reader
from vm.workloads.words import words

_PROGRAM = "cgroups"

METRICS = (
    Metric(
        "fairness",
        "index",
        "more",
        "share",
        "Jain's index of the groups' CPU time over their weights; 1: all as they should",
    ),
    Metric("least_of_fair", "of fair", "more", "share", "the group furthest below its fair part"),
    Metric("most_of_fair", "of fair", "less", "share", "the group furthest above its fair part"),
)


def command(case: Case) -> Sequence[str]:
    return words(case, _PROGRAM)


WORKLOAD = Workload(
    name="cgroups",
    about="four groups of busy tasks with weights 50, 100, 100 (four times the tasks) and 300",
    metrics=METRICS,
    command=command,
    read=reader(METRICS),
    programs=(_PROGRAM,),
    loads=("idle",),
    exact=True,
    seconds=3.0,
)
