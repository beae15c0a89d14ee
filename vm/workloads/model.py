"""What a workload declares of itself: its metrics, its loads, how it is run and read."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Better = Literal["less", "more"]

#: Latencies, shares and counts are valid in exact runs; throughput and makespan are not, since
#: virtual time is the sum of what all CPUs do.
Kind = Literal["latency", "share", "count", "throughput", "makespan"]


@dataclass(frozen=True)
class Metric:
    """One figure of a run. ``unit`` is as in result files: ``ns``, ``1/s``, ``index``, …"""

    name: str
    unit: str
    better: Better
    kind: Kind
    about: str

    @property
    def exact(self) -> bool:
        """Whether it says something in an exact run."""
        return self.kind in ("latency", "share", "count")


@dataclass(frozen=True)
class Load:
    """Busy tasks beside what is measured: ``a_cpu`` for each CPU, ``duty`` of whose time (0..1)
    each computes."""

    a_cpu: int
    duty: float
    about: str


#: What every workload that can be loaded understands.
LOADS: Mapping[str, Load] = {
    "idle": Load(0, 0.0, "nothing else"),
    "light": Load(1, 0.5, "a task a CPU that is busy half of the time"),
    "full": Load(1, 1.0, "a busy task a CPU"),
    "over": Load(4, 1.0, "four busy tasks a CPU"),
}


@dataclass(frozen=True)
class Case:
    """One run to be made. ``seconds`` is how long it measures at least, ``seed`` that of all its
    chance; compiled programs lie in ``programs``; ``exact`` is whether the machine is."""

    cpus: int
    load: str = "full"
    seconds: float = 1.0
    seed: int = 1
    programs: Path = Path("/files")
    exact: bool = False

    @property
    def beside(self) -> Load:
        return LOADS[self.load]


@dataclass(frozen=True)
class Outcome:
    """What one run gave: ``metrics`` by name; ``samples`` in ns, in the order in which they came;
    ``counts``: log-linear histograms of shape ``(NR_BUCKETS,)``, see pyloader.probes.histogram."""

    metrics: Mapping[str, float]
    samples: Mapping[str, NDArray[np.int64]] = field(default_factory=dict[str, NDArray[np.int64]])
    counts: Mapping[str, NDArray[np.uint64]] = field(default_factory=dict[str, NDArray[np.uint64]])


@dataclass(frozen=True)
class Workload:
    """A workload. ``command`` gives the words to run, the first a path; its standard output goes
    to ``read``, which raises ValueError if it makes no sense. ``programs`` are C files beside the
    workload's that are compiled statically, ``tools`` programs of packages, ``modules`` kernel
    modules. ``loads`` are the names of ``LOADS`` that change it, the usual one first. With
    ``run`` a function does it in the guest in place of ``command`` and ``read``; it can do more,
    and not in an exact run. ``exact`` is whether it can be run exactly: from static programs alone.
    ``plan`` gives the lines of an exact run's plan where these are not just ``command``.
    ``source`` is the file that it came from; ``vm.workloads.find`` fills it in. The first metric
    is what the workload is about.
    """

    name: str
    about: str
    metrics: tuple[Metric, ...]
    command: Callable[[Case], Sequence[str]] | None = None
    read: Callable[[str, Case], Outcome] | None = None
    run: Callable[[Case], Outcome] | None = None
    loads: tuple[str, ...] = ("full", "light", "over", "idle")
    programs: tuple[str, ...] = ()
    tools: tuple[str, ...] = ()
    modules: tuple[str, ...] = ()
    exact: bool = False
    seconds: float = 1.0
    plan: Callable[[Case], Sequence[str]] | None = None
    source: Path | None = None

    def metric(self, name: str) -> Metric:
        """The metric of that name; KeyError if there is none."""
        return next(metric for metric in self.metrics if metric.name == name)
