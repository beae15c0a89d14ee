"""Many tasks of many kinds at once, and how long each was ever kept from going on.

The tasks are a static C program, ``tests/workloads/crowd``: an interpreter for each would take
seconds in the guest. ``crowd.c`` says what kinds there are.
"""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass

from tests.guest.conftest import OBJECTS

#: No runnable task waits longer for a CPU than this.
LIMIT_NS = 1_000_000_000

#: Machines that the emulator's host held up for so long are measured again.
_RESTLESS_NS = 200_000_000

_TRIES = 3


@dataclass(frozen=True)
class Waited:
    """One task: the words that asked for it, its steps, the longest time between two of them, and
    how often the kernel did with it what it must not."""

    task: str
    steps: int
    worst_ns: int
    errors: int


@dataclass(frozen=True)
class Crowd:
    """How it went for all. ``floor_ns`` is how late the machine itself was at worst: what a
    real-time task on each CPU was late, which no scheduler of sched_ext holds up."""

    tasks: tuple[Waited, ...]
    floor_ns: int

    def kept_waiting(self, limit_ns: int = LIMIT_NS) -> list[str]:
        """A sentence for each task that waited longer, apart from what the machine was late."""
        return [
            f"{waited.task} was kept waiting for {waited.worst_ns / 1e9:.2f} s"
            f" (limit {limit_ns / 1e9:g} s; {waited.steps} steps;"
            f" the machine itself was up to {self.floor_ns / 1e9:.2f} s late)"
            for waited in sorted(self.tasks, key=lambda waited: -waited.worst_ns)
            if waited.worst_ns - self.floor_ns > limit_ns
        ]

    def mistreated(self) -> list[str]:
        """A sentence for each task that ran where it may not, or that ended too early."""
        return [f"{w.task}: {w.errors} errors" for w in self.tasks if w.errors]

    def idle(self) -> list[str]:
        """The tasks that never went on at all."""
        return [waited.task for waited in self.tasks if not waited.steps]


def run_crowd(seconds: float, tasks: Sequence[str], cpus: int) -> Crowd:
    """Let ``tasks`` run side by side for that long, beside one real-time task on each CPU."""
    floors = [f"floor,cpu={cpu}" for cpu in range(cpus)]
    done = subprocess.run(
        [str(OBJECTS / "crowd"), str(seconds), *floors, *tasks],
        capture_output=True,
        text=True,
        timeout=seconds + 60,
        check=False,
    )
    assert done.returncode == 0, f"crowd: {done.stderr}"
    assert not done.stderr, done.stderr
    rows = [_parse(line) for line in done.stdout.splitlines()]
    return Crowd(
        tuple(row for row in rows if not row.task.startswith("floor")),
        max(row.worst_ns for row in rows if row.task.startswith("floor")),
    )


def run_on_a_calm_machine(seconds: float, tasks: Sequence[str], cpus: int) -> Crowd:
    """The same; once more if tasks waited too long while the machine itself was late."""
    crowd = run_crowd(seconds, tasks, cpus)
    for _ in range(_TRIES - 1):
        if crowd.floor_ns < _RESTLESS_NS or not crowd.kept_waiting():
            break
        crowd = run_crowd(seconds, tasks, cpus)
    return crowd


def _parse(line: str) -> Waited:
    task, steps, worst_us, errors = line.split("\t")
    return Waited(task, int(steps), int(worst_us) * 1000, int(errors))
