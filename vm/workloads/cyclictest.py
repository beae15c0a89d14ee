"""cyclictest of rt-tests: a second opinion on how late a sleeper runs."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from vm.workloads.figures import quantile_metrics, quantiles
from vm.workloads.model import Case, Outcome, Workload
from vm.workloads.words import BESIDE, beside

_PERIOD_US = 2000

#: A line for each wake-up: thread, number, lateness.
_LATE = re.compile(r"^ +0: *[0-9]+: *([0-9]+)$", re.MULTILINE)

METRICS = quantile_metrics("", "lateness beside the load, in cyclictest's words latency")


def command(case: Case) -> Sequence[str]:
    cycles = max(10, round(case.seconds * 1e6 / _PERIOD_US))
    asked = ("--policy=other", "--default-system", "-q", "-v", "-N", "-t", 1)
    return beside(case, "cyclictest", *asked, "-i", _PERIOD_US, "-l", cycles)


def read(text: str, case: Case) -> Outcome:
    late = np.array([int(ns) for ns in _LATE.findall(text)], np.int64)
    return Outcome(quantiles(late, name="of cyclictest"), {"late": late})


WORKLOAD = Workload(
    name="cyclictest",
    about="rt-tests: how late a task that wakes every 2 ms runs, with 50 us of slack",
    metrics=METRICS,
    command=command,
    read=read,
    programs=(BESIDE,),
    tools=("cyclictest",),
    seconds=3.0,
)
