"""A storm of short processes, as a shell script or make has it."""

from __future__ import annotations

from collections.abc import Sequence

from vm.workloads.figures import quantile_metrics
from vm.workloads.model import Case, Metric, Workload
from vm.workloads.protocol import reader
from vm.workloads.words import words

_PROGRAM = "forks"

METRICS = (
    *quantile_metrics("fork_", "time from before a fork to the child's first instruction"),
    *quantile_metrics("exec_", "time from before a fork to the start of what the child became"),
    Metric("execs_per_s", "1/s", "more", "throughput", "processes that were made, ran and ended"),
)


def command(case: Case) -> Sequence[str]:
    return words(case, _PROGRAM)


WORKLOAD = Workload(
    name="forks",
    about="two parents a CPU fork and exec one child after the other",
    metrics=METRICS,
    command=command,
    read=reader(METRICS, {"fork": "fork_", "exec": "exec_"}),
    programs=(_PROGRAM,),
    loads=("idle", "light", "full", "over"),
    exact=True,
    seconds=2.0,
)
