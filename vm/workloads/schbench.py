"""Wake-up latency and requests a second after schbench's method."""

from __future__ import annotations

from collections.abc import Sequence

from vm.workloads.figures import SWITCHES, quantile_metrics
from vm.workloads.model import Case, Metric, Workload
from vm.workloads.protocol import reader
from vm.workloads.words import words

_PROGRAM = "schbench"

METRICS = (
    *quantile_metrics("wakeup_", "time from a message until its worker runs"),
    *quantile_metrics("request_", "time from a message until its work is done"),
    Metric("requests_per_s", "1/s", "more", "throughput", "requests that were answered"),
    SWITCHES,
)


def command(case: Case) -> Sequence[str]:
    return words(case, _PROGRAM)


WORKLOAD = Workload(
    name="schbench",
    about="message threads wake four workers a CPU, which sleep and compute for each request",
    metrics=METRICS,
    command=command,
    read=reader(METRICS, {"wakeup": "wakeup_", "request": "request_"}),
    programs=(_PROGRAM,),
    loads=("idle", "light", "full", "over"),
    exact=True,
)
