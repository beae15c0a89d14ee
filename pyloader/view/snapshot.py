"""What the machine did between two moments: one immutable value, for screens and scripts alike."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from pyloader.hid.live import LiveReport
from pyloader.probes import histogram
from pyloader.probes.cost import Cost
from pyloader.probes.input import DeviceLatency
from pyloader.probes.machine import Machine
from pyloader.probes.sched import KINDS
from pyloader.view.devices import DeviceState
from pyloader.view.input_first import InputFirst
from pyloader.view.scheduler import SchedulerState

#: Of each CPU. Parts of its time are 0 to 1, and NaN where nothing measured them; ``waiting`` is
#: how many tasks waited for it, on average; rates are a second's.
CPU = np.dtype(
    [
        *(("cpu", "i4"), ("cache", "i4"), ("node", "i4"), ("mhz", "i4")),
        *((name, "f8") for name in ("busy", *KINDS[1:], "irq", "steal", "waiting")),
        *((name, "f8") for name in ("switches", "migrations")),
    ]
)


@dataclass(frozen=True)
class ChosenTask:
    """The task that was chosen, and its waits since then, ns, shape ``(NR_BUCKETS,)``."""

    pid: int
    comm: str
    waits: NDArray[np.uint64]


@dataclass(frozen=True)
class Tapped:
    """The reports of one device in this time, the newest ``MOST``; ``left_out`` are those before
    them, and those for which there was no room. ``clock`` is what is added to the seconds of a
    report's time (CLOCK_MONOTONIC) for those since the epoch. ``why_not``: it could not be read."""

    MOST: ClassVar[int] = 200

    device: str
    is_masked: bool
    reports: tuple[LiveReport, ...]
    left_out: int
    clock: float
    why_not: str = ""


@dataclass(frozen=True)
class Snapshot:
    """``cpus``: records of ``CPU``, the online ones in order. ``waits``: for each of them a
    histogram of how long woken tasks waited until they ran, in ns, shape ``(len(cpus),
    NR_BUCKETS)``; None where it was not measured. ``devices``: HID devices that sent reports.
    ``missing`` are sentences on what could not be measured, and why."""

    at: float
    seconds: float
    cpus: NDArray[np.void]
    waits: NDArray[np.uint32] | None
    scheduler: SchedulerState = field(default_factory=SchedulerState)
    missing: tuple[str, ...] = ()
    machine: Machine | None = None
    tasks: NDArray[np.void] | None = None
    """Records of ``tasks.TASK``; None where they are not measured."""
    chosen: ChosenTask | None = None
    queues: NDArray[np.void] | None = None
    """Records of ``queues.QUEUE``; None where they cannot be read."""
    devices: tuple[DeviceLatency, ...] = ()
    hid: tuple[DeviceState, ...] | None = ()
    """All HID devices; None where the kernel has no HID."""
    tapped: Tapped | None = None
    input_first: InputFirst | None = None
    """None where it cannot be told, for one without root."""
    history: tuple[Mapping[str, Any], ...] = ()
    """What was put on, taken off or thrown out, oldest first (``pyloader.history``)."""
    cost: Cost | None = None

    @cached_property
    def latency(self) -> NDArray[np.uint64] | None:
        """The histogram of all CPUs together."""
        return None if self.waits is None else self.waits.sum(axis=0, dtype=np.uint64)

    def to_json(self) -> dict[str, Any]:
        """The form of ``scxhid top --once --json``."""
        return {
            "at": self.at,
            "seconds": round(self.seconds, 4),
            "cpus": [_cpu_json(each) for each in self.cpus],
            "scheduler": self.scheduler.name,
            "input_first": self.input_first and self.input_first.to_json(),
            "latency": self.latency_json(),
            "devices": [each.to_json() for each in self.devices],
            "missing": list(self.missing),
        }

    def latency_json(self) -> dict[str, Any] | None:
        """Samples and percentiles in µs; one that the samples are too few for is None."""
        return None if self.latency is None else histogram.to_json(self.latency)


def _cpu_json(record: np.void) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for name in CPU.names or ():
        value = record[name].item()
        if isinstance(value, float):
            made[name] = None if value != value else round(value, 4)
        else:
            made[name] = None if value < 0 else value
    return made
