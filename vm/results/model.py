"""What a result file holds: runs, and what it takes to read and repeat them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

#: ``ejected``: the kernel threw the scheduler out during the run; ``lost``: the machine died or
#: hung; ``failed``: the workload crashed, hung, or what it printed made no sense.
Status = Literal["done", "failed", "ejected", "lost"]

Arrays = Mapping[str, NDArray[np.generic]]


@dataclass(frozen=True)
class Cell:
    """What is compared: all runs of a cell differ by chance alone.

    ``mode`` is ``kernel``, ``direct`` or ``hosted``; ``topology`` is as in ``--topology``
    (``1s2c2t``), or empty where only the number of CPUs was given.
    """

    scheduler: str
    mode: str
    knobs: tuple[tuple[str, Any], ...]
    workload: str
    load: str
    kernel: str
    cpus: int
    topology: str = ""

    @property
    def subject(self) -> str:
        """Scheduler, knobs and way of attaching in one word, as in ``--sched`` and tables."""
        knobs = "".join(f":{name}={value}" for name, value in self.knobs)
        return f"{self.scheduler}{knobs}" + (" direct" if self.mode == "direct" else "")

    @property
    def place(self) -> tuple[str, str, str, int, str]:
        """All but the subject: cells of one place can be compared."""
        return self.workload, self.load, self.kernel, self.cpus, self.topology


@dataclass(frozen=True)
class Run:
    """One run. Only those whose ``status`` is ``done`` have metrics, and are averaged.

    ``arrays`` hold ``samples/NAME`` (int64, ns, in the order in which they came) or
    ``counts/NAME`` (uint64, log-linear histogram). ``conditions`` is what it takes to repeat it:
    ``object_sha256``, ``qemu``, ``command`` (QEMU's), ``autogroup``, ``host_load``, ….
    """

    cell: Cell
    repetition: int
    seed: int
    status: Status = "done"
    reason: str = ""
    started: str = ""
    seconds: float = 0.0
    metrics: Mapping[str, float] = field(default_factory=dict[str, float])
    conditions: Mapping[str, Any] = field(default_factory=dict[str, Any])
    samples_sha256: str | None = None
    identical_twice: bool | None = None
    arrays: Arrays = field(default_factory=dict[str, NDArray[np.generic]])


@dataclass(frozen=True)
class Document:
    """A result file. ``kind`` is ``vm`` or ``exact``; ``seed`` is that of the order of the runs;
    ``command`` repeats all of it; ``workloads`` are the declarations by name: ``{"about",
    "metrics": {NAME: {"unit", "better", "kind", "about"}}}``."""

    kind: str
    created: str
    command: tuple[str, ...]
    seed: int
    host: Mapping[str, Any]
    workloads: Mapping[str, Any]
    runs: tuple[Run, ...]
