"""Takes snapshots: attaches the probes, and compares what they have summed up at each look."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from pyloader import history, sysfs
from pyloader.closing import Closing
from pyloader.errors import NotPermitted, ScxhidError, Unsupported
from pyloader.probes import machine, procstat
from pyloader.probes.cost import CostReader
from pyloader.probes.frequency import FrequencyReader
from pyloader.probes.input import DeviceLatency, InputProbe, between
from pyloader.probes.queues import QueueReader
from pyloader.probes.sched import KINDS, SchedProbe
from pyloader.probes.tasks import TaskReader
from pyloader.view.chosen import ChosenReader
from pyloader.view.devices import DevicesReader
from pyloader.view.input_first import InputFirstReader
from pyloader.view.scheduler import SchedulerReader
from pyloader.view.seldom import Seldom
from pyloader.view.snapshot import CPU, Snapshot
from pyloader.view.tapped import TapReader

_P = TypeVar("_P")
_TASKS_S = 0.5  # a walk over all tasks costs more than all else
_EVENTS = 30  # of the history of schedulers, each with a dump perhaps
#: A CPU of which the probe has seen less of the time is told by /proc/stat.
_ENOUGH = 0.5


class Collector(Closing):
    """Takes snapshots, each of the time since the one before. Probes are attached until ``close``.

    What cannot be measured is missing from the snapshots, which say so; nothing is raised. One
    thread takes them; ``choose`` and ``tap`` may be called from another.
    """

    def __init__(self) -> None:
        self._missing: list[str] = []
        self._open = ExitStack()
        self._probe: SchedProbe | None = None
        self._input: InputProbe | None = None
        self._tasks: TaskReader | None = None
        self._queues: QueueReader | None = None
        self._cost: CostReader | None = None
        self._scheduler = self._open.enter_context(SchedulerReader())
        self._frequency = self._open.enter_context(FrequencyReader())
        self._devices = self._open.enter_context(DevicesReader())
        self._tap = self._open.enter_context(TapReader())
        self._input_first = self._open.enter_context(InputFirstReader())
        self._machine = Seldom(machine.read)
        self._hid = Seldom(self._devices.read)
        self._history = Seldom(lambda: tuple(history.read()[-_EVENTS:]))
        self._seen_tasks: Seldom[NDArray[np.void] | None] | None = None
        self._chosen = ChosenReader()
        self._caches: dict[int, int] = {}
        self._nodes = sysfs.cpu_nodes()
        self._before = Sums(time.monotonic_ns(), procstat.read(), None)

    def start(self) -> None:
        """Attach the probes; what ``take`` tells begins here."""
        probe = self._try(SchedProbe, "classes, waits and latency are not measured")
        programs: list[int] = []
        if probe:
            self._probe = probe
            programs += probe.programs().values()
            self._tasks = self._try(lambda: TaskReader(probe), "tasks are not measured")
            if sysfs.read().is_supported:
                self._queues = self._try(QueueReader, "queues are not measured")
        self._input = self._try(InputProbe, "input latency is not measured")
        if self._input:
            programs += self._input.programs().values()
        if self._tasks:
            self._seen_tasks = Seldom(self._tasks.read, _TASKS_S)
        self._cost = CostReader(programs)
        self._input_first.start()
        self._before = self._read()

    def take(self) -> Snapshot:
        """What happened since the last one, or since the collector began."""
        before, now = self._before, self._read()
        self._before = now
        seconds = (now.ns - before.ns) / 1e9
        cpus = self._cpus(before, now, seconds)
        waits = None
        if now.sched is not None and before.sched is not None:
            online = cpus["cpu"]
            both = now.sched["latency"][online], before.sched["latency"][online]
            waits = (both[0] - both[1]).astype(np.uint32)
        tasks = self._seen_tasks() if self._seen_tasks else None
        return Snapshot(
            at=time.time(),
            seconds=seconds,
            cpus=cpus,
            waits=waits,
            scheduler=self._scheduler.read(now.ns / 1e9),
            missing=(*self._missing, *self._refused()),
            machine=self._machine(),
            tasks=tasks,
            chosen=self._chosen.read(self._probe, tasks) if self._probe else None,
            queues=self._queues.read() if self._queues else None,
            devices=between(before.devices, now.devices),
            hid=self._hid(),
            tapped=self._tap.read(),
            input_first=self._input_first.read(self._scheduler.running),
            history=self._history(),
            cost=self._cost.read() if self._cost else None,
        )

    def choose(self, pid: int | None) -> None:
        """From the next snapshot on: measure the waits of this task by themselves."""
        self._chosen.wanted = pid

    def tap(self, device: str | None, masked: bool) -> None:
        """From the next snapshot on: read the reports of this device (its sysfs name)."""
        self._tap.wanted = (device, masked)

    def close(self) -> None:
        """Take the probes off. Again is no error."""
        for each in (self._tasks, self._queues, self._input, self._probe):
            if each:
                each.close()
        self._tasks = self._queues = self._seen_tasks = None
        self._input = self._probe = None
        self._open.close()

    def _try(self, attach: Callable[[], _P], otherwise: str) -> _P | None:
        """The probe; None, and a sentence among what is missing, where it cannot be attached."""
        try:
            return attach()
        except ScxhidError as error:
            helpless = isinstance(error, NotPermitted | Unsupported)  # it says itself what helps
            may = helpless or os.geteuid() == 0
            root = "" if may else "; root may look"
            self._missing.append(f"{otherwise}: {error}{root}")
            return None

    def _refused(self) -> list[str]:
        count = self._input.refused if self._input else 0
        return [f"{count} reports came from more HID devices than are measured"] if count else []

    def _read(self) -> Sums:
        sched = self._probe.read() if self._probe else None
        devices = self._input.read() if self._input else {}
        return Sums(time.monotonic_ns(), procstat.read(), sched, devices)

    def _cpus(self, before: Sums, now: Sums, seconds: float) -> NDArray[np.void]:
        online = now.stat["cpu"].astype(np.int64)
        made = np.full(len(online), -1, CPU)
        made["cpu"] = online
        cpus: list[int] = online.tolist()
        for cpu in cpus:
            if cpu not in self._caches:
                self._caches[cpu] = sysfs.cpu_cache(cpu)
        made["cache"] = [self._caches[cpu] for cpu in cpus]
        made["node"] = [self._nodes.get(cpu, -1) for cpu in cpus]
        made["mhz"] = self._frequency.read(cpus)
        for name in ("busy", *KINDS[1:], "irq", "steal", "waiting", "switches", "migrations"):
            made[name] = np.nan
        for name, part in procstat.shares(before.stat, now.stat).items():
            made[name] = part
        if now.sched is not None and before.sched is not None and seconds > 0:
            _add_probed(made, before.sched[online], now.sched[online], seconds)
        return made


@dataclass(frozen=True)
class Sums:
    """What has been summed up until a moment, ns of CLOCK_MONOTONIC."""

    ns: int
    stat: NDArray[np.void]
    sched: NDArray[np.void] | None
    devices: Mapping[str, DeviceLatency] = field(default_factory=dict[str, DeviceLatency])


def _add_probed(
    made: NDArray[np.void], before: NDArray[np.void], now: NDArray[np.void], seconds: float
) -> None:
    """What the probe saw, which is exact; a CPU that did not switch for long is left as it is."""
    spent = (now["ns"] - before["ns"]).astype(np.float64)
    total = spent.sum(axis=1)
    known = total > seconds * 1e9 * _ENOUGH
    shares = spent[known] / total[known][:, None]
    for kind, name in enumerate(KINDS[1:], 1):
        made[name][known] = shares[:, kind]
    made["busy"][known] = 1 - shares[:, 0]
    made["waiting"] = (now["waited_ns"] - before["waited_ns"]) / 1e9 / seconds
    for name in ("switches", "migrations"):
        made[name] = (now[name] - before[name]) / seconds
