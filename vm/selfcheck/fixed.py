"""A workload that is the same work every time, and how it is told that it took longer.

The work is done in 96 short slices. Whatever else the host does makes some of them longer, and all
of them only if it never stops; so the fastest one is that of the work alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from vm.workloads.model import Case, Metric, Outcome, Workload
from vm.workloads.protocol import parse
from vm.workloads.words import words

_PROGRAM = "work"

_SHARES = {"slice_min_ns": 0.0, "slice_p25_ns": 0.25, "slice_p50_ns": 0.5, "slice_p99_ns": 0.99}

METRICS = (
    Metric("makespan_ns", "ns", "less", "makespan", "time for all of the work"),
    Metric("slice_min_ns", "ns", "less", "latency", "the fastest of its 96 slices"),
    Metric("slice_p25_ns", "ns", "less", "latency", "lower quartile of the slices"),
    Metric("slice_p50_ns", "ns", "less", "latency", "median of the slices"),
    Metric("slice_p99_ns", "ns", "less", "latency", "99th percentile of the slices"),
)

#: By this one a planted slowdown has to be found.
ROBUST = "slice_min_ns"


def workload(name: str, about: str, more_per_mille: int = 0) -> Workload:
    """The work under a name, with so much of it more."""

    def command(case: Case) -> Sequence[str]:
        return words(case, _PROGRAM, more=more_per_mille)

    return Workload(
        name=name,
        about=about,
        metrics=METRICS,
        command=command,
        read=read,
        programs=(_PROGRAM,),
        loads=("idle",),
        seconds=0.05,
    )


def read(text: str, case: Case) -> Outcome:
    """What the program measured; ValueError if it makes no sense."""
    said = parse(text)
    slices = said.samples.get("slice")
    if slices is None or "makespan_ns" not in said.metrics:
        raise ValueError("the program did not print its slices and makespan_ns")
    quantiles = {
        name: float(np.quantile(slices, share, method="inverted_cdf"))
        for name, share in _SHARES.items()
    }
    return Outcome({"makespan_ns": said.metrics["makespan_ns"], **quantiles})


def source() -> Path:
    """Where the program's source is."""
    return Path(__file__).parent / "programs" / f"{_PROGRAM}.c"
