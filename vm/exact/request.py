"""What is asked of exact runs, and whether an exact run can tell it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pyloader.errors import WrongUse
from vm.matrix.request import Request as Matrix
from vm.workloads.model import Workload

#: Why throughput is refused, whoever asks for it in whichever way.
_SUM = (
    "an exact run's virtual time is the sum of the work of all virtual CPUs, so a machine with more"
    " CPUs only looks slower; throughput and makespan need virtual machines (without --exact) or"
    " metal"
)

#: Words for a workload that people try, without there being one.
_NEEDS_REAL_TIME = ("throughput", "makespan", "build")


@dataclass(frozen=True)
class Request:
    """``what`` is asked for as of the matrix, its ``reps`` being the seeds, from 1 on.

    ``gates_all``: all seeds run ``times`` times, not only the first of each cell, and must give
    the same. ``metrics``: these alone.
    """

    what: Matrix
    gates_all: bool = False
    metrics: tuple[str, ...] = ()
    times: int = 2

    def to_json(self) -> dict[str, Any]:
        return {
            "gates_all": self.gates_all,
            "metrics": list(self.metrics),
            "times": self.times,
        }

    @classmethod
    def from_json(cls, what: Mapping[str, Any], more: Mapping[str, Any]) -> Request:
        """That of which ``to_json`` made ``more``; TypeError, KeyError if it is none."""
        return cls(Matrix.from_json(what), more["gates_all"], tuple(more["metrics"]), more["times"])

    def command(self, output: str = "") -> tuple[str, ...]:
        """The words that ask for the same again."""
        what = self.what
        words = ["scxhid", "bench", "run", "--exact", *what.subject_words()]
        words += ["--seeds", str(what.reps)]
        if what.seconds is not None:
            words += ["--seconds", f"{what.seconds:g}"]
        if self.metrics:
            words += ["--metric", ",".join(self.metrics)]
        if self.gates_all:
            words += ["--gate", "all"]
        if self.times != 2:
            words += ["--times", str(self.times)]
        return (*words, "-o", output) if output else tuple(words)


def require_exact(workloads: Sequence[Workload], metrics: Sequence[str]) -> None:
    """Refuse what cannot be told exactly.

    Raises:
        WrongUse: a workload, or a metric that was asked for, is not valid in an exact run.
    """
    for workload in workloads:
        if not workload.exact:
            raise WrongUse(_why_not(workload))
        for name in metrics:
            known = {metric.name: metric for metric in workload.metrics}
            if name not in known:
                raise WrongUse(
                    f"the workload {workload.name} has no metric {name}; it has {', '.join(known)}"
                )
            if not known[name].exact:
                raise WrongUse(
                    f"{name} of the workload {workload.name} is {known[name].kind}: {_SUM}"
                )
        if not valid_metrics(workload):
            raise WrongUse(f"the workload {workload.name} measures {_kinds(workload)}: {_SUM}")


def refuse_words(workloads: Sequence[str]) -> None:
    """WrongUse for names that are no workloads, and that people try for throughput."""
    for name in workloads:
        if name in _NEEDS_REAL_TIME:
            raise WrongUse(f"{name} cannot be measured exactly: {_SUM}")


def valid_metrics(workload: Workload, asked: Sequence[str] = ()) -> list[str]:
    """The names of those that an exact run reports."""
    return [
        metric.name
        for metric in workload.metrics
        if metric.exact and (not asked or metric.name in asked)
    ]


def _why_not(workload: Workload) -> str:
    if not any(metric.exact for metric in workload.metrics):
        return f"the workload {workload.name} measures {_kinds(workload)}: {_SUM}"
    what = " and ".join(workload.tools) or "more than one static program"
    return (
        f"the workload {workload.name} runs {what}, and in an exact run there is nothing but static"
        " programs; `scxhid bench list` says which workloads can run so"
    )


def _kinds(workload: Workload) -> str:
    return " and ".join(dict.fromkeys(metric.kind for metric in workload.metrics))
