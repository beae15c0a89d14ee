"""A mix of tasks that compute, walk through memory, or sleep for moments."""

from __future__ import annotations

from collections.abc import Sequence

from vm.workloads.figures import quantile_metrics
from vm.workloads.model import Case, Metric, Workload
from vm.workloads.protocol import reader
from vm.workloads.words import words

_PROGRAM = "mix"

METRICS = (
    Metric("makespan_ns", "ns", "less", "makespan", "time until all have done their work"),
    *quantile_metrics("late_", "lateness of the tasks that sleep"),
    Metric(
        "fairness",
        "index",
        "more",
        "share",
        "Jain's index of how long tasks of one kind took, the least of the kinds",
    ),
    *(
        Metric(f"{kind}_slowdown", "times", "less", "makespan", f"time over that alone, {what}")
        for kind, what in (
            ("compute", "of tasks that compute"),
            ("memory", "of tasks that walk through memory"),
            ("sleeper", "of tasks that sleep for moments"),
        )
    ),
)


def command(case: Case) -> Sequence[str]:
    return words(case, _PROGRAM)


WORKLOAD = Workload(
    name="mix",
    about="two tasks a CPU of each kind: computing, walking through memory, sleeping for moments",
    metrics=METRICS,
    command=command,
    read=reader(METRICS, {"late": "late_"}),
    programs=(_PROGRAM,),
    loads=("idle",),
    exact=True,
)
