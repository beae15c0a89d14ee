"""Tasks that count on in shared memory: one that is lost, or starved, stops counting.

Each kind meets the scheduler differently. All are forked from this warm process. Few of them
use all the CPU time they can get: the commands under test need some.
"""

from __future__ import annotations

import mmap
import os
import signal
import time
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager

from tests.guest import kernel

_CPUS = os.cpu_count() or 1
_PAUSE_S = 0.004

Tick = Callable[[], None]


def busy(tick: Tick, _: int) -> None:
    """Uses up its slices."""
    while True:
        for _ in range(2000):
            pass
        tick()


def modest(tick: Tick, number: int) -> None:
    """The same with a nice value, so that others come first where weights count."""
    os.nice(5)
    busy(tick, number)


def sleepy(tick: Tick, number: int) -> None:
    """Wakes some hundred times a second."""
    while True:
        time.sleep(0.001 * (1 + number % 5))
        tick()


def long_asleep(tick: Tick, _: int) -> None:
    """Sleeps through several changes of scheduler at a time."""
    while True:
        time.sleep(0.9)
        tick()


def forking(tick: Tick, _: int) -> None:
    """Every child is a task that no scheduler has seen."""
    while True:
        pid = os.fork()
        if pid == 0:
            os._exit(0)
        os.waitpid(pid, 0)
        tick()
        time.sleep(_PAUSE_S)


def pinned(tick: Tick, number: int) -> None:
    """May run on one CPU only."""
    os.sched_setaffinity(0, {number % _CPUS})
    busy(tick, number)


def shoved(tick: Tick, number: int) -> None:
    """Another task changes its affinity while it waits: the kernel takes it out and in again."""
    shoved_pid = os.getpid()
    if os.fork() == 0:
        while True:
            number += 1
            time.sleep(_PAUSE_S)
            os.sched_setaffinity(shoved_pid, {number % _CPUS})
            os.sched_setaffinity(shoved_pid, range(_CPUS))
    busy(tick, number)


def renicing(tick: Tick, number: int) -> None:
    """Changes its weight all the time."""
    while True:
        number += 1
        os.setpriority(os.PRIO_PROCESS, 0, number % 10)
        tick()
        time.sleep(_PAUSE_S)


def talking(tick: Tick, _: int) -> None:
    """Two tasks that wake each other."""
    ping, pong = os.pipe(), os.pipe()
    if os.fork() == 0:
        while True:
            os.read(ping[0], 1)
            os.write(pong[1], b"x")
    while True:
        os.write(ping[1], b"x")
        os.read(pong[0], 1)
        tick()
        time.sleep(_PAUSE_S)


Kind = Callable[[Tick, int], None]

#: One of each kind.
ALL: tuple[Kind, ...] = (
    *(busy, sleepy, long_asleep, forking),
    *(pinned, shoved, renicing, talking),
)


class Workers:
    """Their counters, shape ``(workers,)``, unsigned 64 bit."""

    def __init__(self, kinds: Iterable[Kind]) -> None:
        self.kinds = list(kinds)
        memory = mmap.mmap(-1, mmap.PAGESIZE)
        self.counts = memoryview(memory).cast("Q")
        self.pids: list[int] = []
        for number, kind in enumerate(self.kinds):
            pid = os.fork()
            if pid == 0:
                self._work(kind, number)
            self.pids.append(pid)

    def _work(self, kind: Kind, number: int) -> None:
        os.setpgid(0, 0)  # so that its own children end with it
        counts = self.counts

        def tick() -> None:
            counts[number] += 1

        try:
            kind(tick, number)
        finally:
            os._exit(1)

    def snapshot(self) -> list[int]:
        return [self.counts[i] for i in range(len(self.kinds))]

    def all_go_on(self, within_s: float) -> None:
        """Fail unless every one of them counts from now on."""
        before = self.snapshot()

        def stuck() -> list[str]:
            now = self.snapshot()
            return [
                f"{kind.__name__}#{i}" for i, kind in enumerate(self.kinds) if now[i] <= before[i]
            ]

        try:
            kernel.wait_for("every worker to go on", lambda: not stuck(), within_s)
        except AssertionError as error:
            raise AssertionError(f"{error}; stuck: {', '.join(stuck())}") from None

    def end(self) -> None:
        for pid in self.pids:
            for kill in (os.killpg, os.kill):
                try:
                    kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    continue  # killed before it had its own group
        for pid in self.pids:
            os.waitpid(pid, 0)


@contextmanager
def working(kinds: Iterable[Kind] = ALL) -> Generator[Workers]:
    """Workers of these kinds, until the end of the block."""
    workers = Workers(kinds)
    try:
        yield workers
    finally:
        workers.end()
