"""The demo's load in the guest, and what is measured of it.

The load is CPU-bound shell loops, half of them at nice 10, and a task that sleeps for a moment
over and over. All figures are the guest kernel's own counters or its monotonic clock.
"""

from __future__ import annotations

import gc
import mmap
import os
import signal
import struct
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

#: How long the sleeper asks to sleep each time.
SLEEP_NS = 5_000_000

#: The nice value of half of the loops: weight 110 against 1024 (sched_prio_to_weight).
LOW_PRIORITY = 10

_RING_ENTRIES = 1 << 14
_ENTRY = struct.Struct("=Q")


@dataclass(frozen=True)
class Counters:
    """What the kernel has counted at one moment: context switches of the whole machine, CPU time
    (ns) of each group of loops, and how often the sleeper has woken."""

    at_ns: int
    switches: int
    normal_ns: int
    nice_ns: int
    wakeups: int


@dataclass(frozen=True)
class Sample:
    """What happened in a span of time.

    ``late_ns`` holds, for each wake-up of the sleeper, how long after the end of its sleep it ran
    again, sorted. The timer's and the interpreter's own delay are in it, 0.1 ms or so under
    emulation, the same under each scheduler. ``share`` is the CPU time of the loops at nice 0
    over that of as many at nice 10.
    """

    span_ns: int
    switches_per_s: float
    late_ns: Sequence[int]
    share: float

    @property
    def late_p50_ns(self) -> int:
        return quantile(self.late_ns, 0.50)

    @property
    def late_p99_ns(self) -> int:
        return quantile(self.late_ns, 0.99)


def quantile(ordered: Sequence[int], part: float) -> int:
    """The smallest value that at least ``part`` of the sorted values do not exceed; 0 of none."""
    if not ordered:
        return 0
    rank = -int(-part * len(ordered) // 1)
    return ordered[max(0, min(rank, len(ordered)) - 1)]


def between(before: Counters, after: Counters, late_ns: Sequence[int]) -> Sample:
    """What happened from one moment to another."""
    span_ns = after.at_ns - before.at_ns
    normal_ns = after.normal_ns - before.normal_ns
    nice_ns = after.nice_ns - before.nice_ns
    return Sample(
        span_ns,
        (after.switches - before.switches) * 1e9 / span_ns,
        sorted(late_ns),
        normal_ns / max(1, nice_ns),
    )


class Load:
    """The running load: three loops a CPU (rounded up to an even number) and one sleeper.

    With two a CPU the queue of a scheduler that asks for the next task before it takes the last
    one back would often hold no loop at nice 0, and no choice be left to it.
    """

    def __init__(self, cpus: int) -> None:
        each = (3 * cpus + 1) // 2
        self._normal = [_loop() for _ in range(each)]
        self._nice = [_loop("nice", "-n", str(LOW_PRIORITY)) for _ in range(each)]
        self._sleeper = _Sleeper()

    @property
    def loops(self) -> int:
        return len(self._normal) + len(self._nice)

    def read(self) -> Counters:
        return Counters(
            time.monotonic_ns(),
            _switches(),
            sum(map(_cpu_time_ns, self._normal)),
            sum(map(_cpu_time_ns, self._nice)),
            self._sleeper.wakeups(),
        )

    def measure(self, span_s: float) -> Sample:
        """Look on for ``span_s`` seconds."""
        before = self.read()
        time.sleep(span_s)
        after = self.read()
        return between(before, after, self._sleeper.late_ns(before.wakeups, after.wakeups))

    def stop(self) -> None:
        for process in (*self._normal, *self._nice):
            process.kill()
            process.wait()
        self._sleeper.stop()


def _loop(*prefix: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen([*prefix, "sh", "-c", "while :; do :; done"], stdin=subprocess.DEVNULL)


def _switches() -> int:
    for line in Path("/proc/stat").read_text().splitlines():
        if line.startswith("ctxt "):
            return int(line.split()[1])
    return 0


def _cpu_time_ns(process: subprocess.Popen[bytes]) -> int:
    """CPU time of a process (Documentation/scheduler/sched-stats.rst, /proc/<pid>/schedstat)."""
    return int(Path(f"/proc/{process.pid}/schedstat").read_text().split()[0])


class _Sleeper:
    """A child that sleeps again and again and writes how late it ran into shared memory.

    The memory holds the count of wake-ups, then a ring of their delays in ns.
    """

    def __init__(self) -> None:
        self._memory = mmap.mmap(-1, _ENTRY.size * (1 + _RING_ENTRIES))
        self._pid = os.fork()
        if self._pid == 0:
            gc.disable()
            try:
                self._sleep_for_ever()
            finally:
                os._exit(1)

    def _sleep_for_ever(self) -> None:
        count = 0
        sleep, clock, seconds = time.sleep, time.monotonic_ns, SLEEP_NS / 1e9
        while True:
            began = clock()
            sleep(seconds)
            late = clock() - began - SLEEP_NS
            _ENTRY.pack_into(self._memory, _ENTRY.size * (1 + count % _RING_ENTRIES), max(0, late))
            count += 1
            _ENTRY.pack_into(self._memory, 0, count)

    def wakeups(self) -> int:
        return _ENTRY.unpack_from(self._memory, 0)[0]

    def late_ns(self, first: int, end: int) -> list[int]:
        """The delays of wake-ups ``first`` to ``end - 1``, as far as the ring still has them."""
        return [
            _ENTRY.unpack_from(self._memory, _ENTRY.size * (1 + number % _RING_ENTRIES))[0]
            for number in range(max(first, end - _RING_ENTRIES), end)
        ]

    def stop(self) -> None:
        os.kill(self._pid, signal.SIGKILL)
        os.waitpid(self._pid, 0)
        self._memory.close()
