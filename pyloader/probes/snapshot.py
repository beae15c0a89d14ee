"""What the machine did between two moments: one immutable value, for screens and scripts alike."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyloader import sysfs
from pyloader.closing import Closing
from pyloader.errors import NotPermitted, ScxhidError
from pyloader.probes import procstat
from pyloader.probes.histogram import percentiles
from pyloader.probes.sched import KINDS, SchedProbe
from pyloader.running import current_name

#: Of each CPU. Parts of its time are 0 to 1, and NaN where nothing measured them; ``waiting`` is
#: how many tasks waited for it, on average; rates are a second's.
CPU = np.dtype(
    [
        *(("cpu", "i4"), ("cache", "i4"), ("node", "i4"), ("mhz", "i4")),
        *((name, "f8") for name in ("busy", *KINDS[1:], "irq", "steal", "waiting")),
        *((name, "f8") for name in ("switches", "migrations")),
    ]
)
#: Per cent of the waits that were shorter, and how many samples it takes to say so.
PERCENTILES = {50.0: 1, 90.0: 10, 99.0: 100, 99.9: 1000}

#: A CPU of which the probe has seen less of the time is told by /proc/stat.
_ENOUGH = 0.5


@dataclass(frozen=True)
class Snapshot:
    """``cpus``: records of ``CPU``, the online ones in order. ``latency``: a histogram of how long
    woken tasks waited until they ran, in ns; None where it was not measured. ``missing`` are
    sentences on what could not be, and why."""

    at: float
    seconds: float
    cpus: NDArray[np.void]
    latency: NDArray[np.uint64] | None
    scheduler: str | None
    missing: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """The form of ``scxhid top --once --json``."""
        return {
            "at": self.at,
            "seconds": round(self.seconds, 4),
            "cpus": [_cpu_json(each) for each in self.cpus],
            "scheduler": self.scheduler,
            "latency": self.latency_json(),
            "missing": list(self.missing),
        }

    def latency_json(self) -> dict[str, Any] | None:
        """Samples and percentiles in µs; one that the samples are too few for is None."""
        if self.latency is None:
            return None
        samples = int(self.latency.sum())
        values = percentiles(self.latency, tuple(PERCENTILES)) or [0.0] * len(PERCENTILES)
        return {"samples": samples} | {
            f"p{share:g}_us".replace(".", ""): round(value / 1e3, 2) if samples >= least else None
            for (share, least), value in zip(PERCENTILES.items(), values, strict=True)
        }


def _cpu_json(record: np.void) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for name in CPU.names or ():
        value = record[name].item()
        if isinstance(value, float):
            made[name] = None if value != value else round(value, 4)
        else:
            made[name] = None if value < 0 else value
    return made


class Collector(Closing):
    """Takes snapshots, each of the time since the one before. Probes are attached until ``close``.

    What cannot be measured is missing from the snapshots, which say so; nothing is raised.
    """

    def __init__(self) -> None:
        self._missing: list[str] = []
        self._probe: SchedProbe | None = None
        try:
            self._probe = SchedProbe()
        except ScxhidError as error:
            may = isinstance(error, NotPermitted) or os.geteuid() == 0
            root = "" if may else "; root may look"
            self._missing.append(f"classes, waits and latency are not measured: {error}{root}")
        self._caches: dict[int, int] = {}
        self._nodes = sysfs.cpu_nodes()
        self._before = self._read()

    def take(self) -> Snapshot:
        """What happened since the last one, or since the collector began."""
        before, now = self._before, self._read()
        self._before = now
        seconds = (now.ns - before.ns) / 1e9
        cpus = self._cpus(before, now, seconds)
        latency = None
        if now.sched is not None and before.sched is not None:
            latency = (now.sched["latency"] - before.sched["latency"]).sum(axis=0, dtype=np.uint64)
        return Snapshot(
            at=time.time(),
            seconds=seconds,
            cpus=cpus,
            latency=latency,
            scheduler=current_name(),
            missing=tuple(self._missing),
        )

    def close(self) -> None:
        """Take the probes off. Again is no error."""
        if self._probe:
            self._probe.close()
            self._probe = None

    def _read(self) -> _Sums:
        sched = self._probe.read() if self._probe else None
        return _Sums(time.monotonic_ns(), procstat.read(), sched)

    def _cpus(self, before: _Sums, now: _Sums, seconds: float) -> NDArray[np.void]:
        online = now.stat["cpu"].astype(np.int64)
        made = np.full(len(online), -1, CPU)
        made["cpu"] = online
        for n, cpu in enumerate(map(int, online)):
            if cpu not in self._caches:
                self._caches[cpu] = sysfs.cpu_cache(cpu)
            made["cache"][n] = self._caches[cpu]
            made["node"][n] = self._nodes.get(cpu, -1)
            mhz = sysfs.cpu_mhz(cpu)
            made["mhz"][n] = -1 if mhz is None else mhz
        for name in ("busy", *KINDS[1:], "irq", "steal", "waiting", "switches", "migrations"):
            made[name] = np.nan
        for name, part in procstat.shares(before.stat, now.stat).items():
            made[name] = part
        if now.sched is not None and before.sched is not None and seconds > 0:
            _add_probed(made, before.sched[online], now.sched[online], seconds)
        return made


@dataclass(frozen=True)
class _Sums:
    ns: int
    stat: NDArray[np.void]
    sched: NDArray[np.void] | None


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
