"""Frame pacing: a game that draws for displays of 60 and 144 Hz among busy tasks."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil

import numpy as np
from numpy.typing import NDArray

from vm.workloads.figures import quantile_metrics, quantiles
from vm.workloads.model import Case, Metric, Outcome, Workload
from vm.workloads.protocol import complete, parse
from vm.workloads.words import words

_PROGRAM = "frames"
_RATES = (144, 60)
_LOWS = {"low_1": 0.01, "low_01": 0.001}


def _metrics_at(hz: int) -> tuple[Metric, ...]:
    ms = f"{1000 / hz:.1f} ms"
    return (
        Metric(
            f"low_1_{hz}_per_s", "1/s", "more", "latency", f"1 % low: frames a second at {hz} Hz"
        ),
        Metric(f"low_01_{hz}_per_s", "1/s", "more", "latency", f"0.1 % low at {hz} Hz"),
        Metric(f"missed_{hz}", "share", "less", "share", f"frames not done within {ms}"),
        *quantile_metrics(f"frame_{hz}_", f"time until a frame is done at {hz} Hz"),
    )


METRICS = tuple(metric for hz in _RATES for metric in _metrics_at(hz))


def low(intervals: NDArray[np.int64], share: float) -> float:
    """Frames a second in the slowest ``share`` of all frames, at least one of them.

    ``intervals`` are the ns between frames that were done, of shape ``(n,)``. What games' reviews
    call the 1 % low: so many frames over the time that they took.

    Raises:
        ValueError: there are no intervals.
    """
    if not len(intervals):
        raise ValueError("fewer than two frames were drawn")
    slowest = np.sort(intervals)[-ceil(share * len(intervals)) :]
    return len(slowest) * 1e9 / float(slowest.sum())


def command(case: Case) -> Sequence[str]:
    return words(case, _PROGRAM)


def read(text: str, case: Case) -> Outcome:
    said = parse(text)
    found = dict(said.metrics)
    for hz in _RATES:
        for name in (f"took_{hz}", f"interval_{hz}"):
            if name not in said.samples:
                raise ValueError(f"the program printed no samples {name}")
        for name, share in _LOWS.items():
            found[f"{name}_{hz}_per_s"] = low(said.samples[f"interval_{hz}"], share)
        found |= quantiles(said.samples[f"took_{hz}"], f"frame_{hz}_", f"took_{hz}")
    return Outcome(complete(found, METRICS), said.samples, said.counts)


WORKLOAD = Workload(
    name="frames",
    about="a game that draws for displays of 60 and 144 Hz, taking 15 % of a CPU, among busy tasks",
    metrics=METRICS,
    command=command,
    read=read,
    programs=(_PROGRAM,),
    exact=True,
    seconds=6.0,
)
