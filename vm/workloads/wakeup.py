"""How late a sleeper runs among busy tasks: the workload that exact runs began with."""

from __future__ import annotations

from collections.abc import Sequence

from vm.workloads.figures import SWITCHES, quantile_metrics
from vm.workloads.model import Case, Metric, Workload
from vm.workloads.protocol import reader
from vm.workloads.words import words

_PROGRAM = "wakeup"

METRICS = (
    *quantile_metrics("", "lateness beside the load"),
    *quantile_metrics("idle_", "lateness with nothing beside it"),
    *quantile_metrics("floor_", "lateness under SCHED_FIFO beside the load"),
    Metric(
        "hog_share_least",
        "of fair",
        "more",
        "share",
        "what the task of the load that had least got in any second, over its fair part",
    ),
    Metric(
        "hog_share_most",
        "of fair",
        "less",
        "share",
        "what the task of the load that had most got in any second, over its fair part",
    ),
    SWITCHES,
)


def command(case: Case) -> Sequence[str]:
    return words(case, _PROGRAM)


WORKLOAD = Workload(
    name="wakeup",
    about="how late a task that sleeps again and again runs, idle, beside a load and under FIFO",
    metrics=METRICS,
    command=command,
    read=reader(METRICS, {"loaded": "", "idle": "idle_", "floor": "floor_"}),
    programs=(_PROGRAM,),
    loads=("full", "light", "over"),
    exact=True,
    seconds=3.0,
)
