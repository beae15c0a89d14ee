"""Control groups with busy loops in them, and how the CPU time was shared."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.guest import kernel

ROOT = Path("/sys/fs/cgroup")


def mount() -> None:
    """See to it that the cgroup v2 hierarchy is there and its root passes the cpu controller on."""
    if not (ROOT / "cgroup.controllers").exists():
        subprocess.run(["mount", "-t", "cgroup2", "none", str(ROOT)], check=True)
    (ROOT / "cgroup.subtree_control").write_text("+cpu")


class Group:
    """A control group below the root, or below ``parent``, that holds processes forked here."""

    def __init__(self, name: str, weight: int, parent: Group | None = None) -> None:
        self.path = (parent.path if parent else ROOT) / name
        if parent:
            (parent.path / "cgroup.subtree_control").write_text("+cpu")
        self.path.mkdir()
        self.set_weight(weight)

    def set_weight(self, weight: int) -> None:
        (self.path / "cpu.weight").write_text(str(weight))

    def take(self, pid: int) -> None:
        (self.path / "cgroup.procs").write_text(str(pid))

    def used_ns(self) -> int:
        """CPU time that all in it have had."""
        for line in (self.path / "cpu.stat").read_text().splitlines():
            if line.startswith("usage_usec "):
                return int(line.split()[1]) * 1000
        raise AssertionError(f"{self.path}/cpu.stat has no usage_usec")


def spin() -> None:
    while True:
        pass


class Crowd:
    """Groups and processes that end with the test."""

    def __init__(self) -> None:
        mount()
        self.groups: list[Group] = []
        self.pids: list[int] = []

    def group(self, name: str, weight: int, parent: Group | None = None) -> Group:
        self.groups.append(Group(f"scxhid-{name}", weight, parent))
        return self.groups[-1]

    def start(self, group: Group, work: Callable[[], None] = spin, nice: int = 0) -> int:
        """A process of that group that does ``work``; its pid."""
        pid = os.fork()
        if pid == 0:
            try:
                group.take(0)
                os.nice(nice)
                work()
            finally:
                os._exit(0)
        self.pids.append(pid)
        return pid

    def hogs(self, group: Group, number: int) -> list[int]:
        return [self.start(group) for _ in range(number)]

    def disperse(self) -> None:
        for pid in self.pids:
            os.kill(pid, signal.SIGKILL)
        for pid in self.pids:
            os.waitpid(pid, 0)
        for group in reversed(self.groups):
            _remove(group.path)


@contextmanager
def crowd() -> Generator[Crowd]:
    here = Crowd()
    try:
        yield here
    finally:
        here.disperse()


def shares(groups: Sequence[Group], seconds: float = 2.0) -> list[float]:
    """Which part of what they used together each of ``groups`` had, over the next seconds."""
    before = [group.used_ns() for group in groups]
    time.sleep(seconds)
    used = [group.used_ns() - then for group, then in zip(groups, before, strict=True)]
    return [part / sum(used) for part in used]


def process_shares(pids: Sequence[int], seconds: float = 2.0) -> list[float]:
    """The same for processes."""
    before = [kernel.process_ns(pid) for pid in pids]
    time.sleep(seconds)
    used = [kernel.process_ns(pid) - then for pid, then in zip(pids, before, strict=True)]
    return [part / sum(used) for part in used]


def jain(values: Sequence[float]) -> float:
    """Jain's index of fairness: 1 if all are equal, 1/n if one has it all.

    R. Jain, D. Chiu, W. Hawe, "A quantitative measure of fairness and discrimination", 1984.
    """
    return sum(values) ** 2 / (len(values) * sum(value * value for value in values))


def _remove(path: Path) -> None:
    """Remove a group; the last of its processes may still be on their way out."""
    deadline = time.monotonic() + 5
    while True:
        try:
            path.rmdir()
            return
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
