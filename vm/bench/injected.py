"""The collector of ``scxhid top`` on figures of a machine with 64 CPUs that does not exist.

All that a snapshot takes is done, but for reading the kernel's maps: their contents are made up
beforehand, and procfs is what such a machine would show.
"""

from __future__ import annotations

import time

import numpy as np

from pyloader.probes import procstat
from pyloader.view.collector import Collector, Sums
from pyloader.view.snapshot import Snapshot
from vm.bench.made_up import MadeUp, MadeUpControls

CPUS = 64
_MADE = 32


class Injected(Collector):
    """Gives the sums of another machine, which go on as time does."""

    def __init__(self) -> None:
        self._machine = MadeUp(CPUS)
        snapshots = [self._machine.take() for _ in range(_MADE)]
        self._shown = [each for each in snapshots if each]
        self._number = 0
        waits = [each.waits for each in self._shown if each.waits is not None]
        self._steps = np.array(waits, np.uint64)
        self._waits = np.zeros_like(self._steps[0])
        super().__init__()

    def start(self) -> None:
        self._before = self._read()

    def take(self) -> Snapshot:
        from dataclasses import replace

        seen = super().take()
        other = self._shown[self._number % _MADE]
        return replace(
            seen,
            scheduler=other.scheduler,
            tasks=other.tasks,
            queues=other.queues,
            devices=other.devices,
            hid=other.hid,
        )

    def _read(self) -> Sums:
        self._number += 1
        self._waits = self._waits + self._steps[self._number % _MADE]
        now = time.monotonic_ns()
        sums = np.zeros(
            CPUS,
            [
                ("ns", "u8", 4),
                ("waited_ns", "u8"),
                ("switches", "u8"),
                ("migrations", "u8"),
                ("latency", "u8", self._waits.shape[1]),
            ],
        )
        busy = self._shown[self._number % _MADE].cpus["busy"]
        sums["ns"][:, 2] = int(now * 0.3)
        sums["ns"][:, 0] = now - sums["ns"][:, 2]
        sums["switches"] = int(now / 1e6)
        sums["waited_ns"] = (busy * 1e6).astype(np.uint64)
        sums["latency"] = self._waits
        ticks = int(now / 1e7)
        text = "".join(f"cpu{n} {ticks} 0 {ticks} {ticks} 0 0 0 0 0 0\n" for n in range(CPUS))
        return Sums(now, procstat.parse(text), sums)


def machine() -> tuple[Injected, MadeUpControls]:
    """For ``scxhid top --source``."""
    return Injected(), MadeUpControls(MadeUp(CPUS))
