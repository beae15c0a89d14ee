"""Tasks, queues and classes, as probes see them under schedulers, against what is known else."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pyloader.errors import NotPermitted
from pyloader.probes.queues import QUEUE_KINDS, QueueReader
from pyloader.probes.sched import KINDS, SchedProbe
from pyloader.probes.tasks import TaskReader
from tests.guest.command import done, use
from tests.guest.conftest import Program
from tests.guest.processes import Child, forked

CPU = 1


@contextmanager
def hogs(count: int) -> Generator[list[int]]:
    """Busy loops that are pinned to CPU; yields their pids."""

    def work(tell: Callable[[Any], None]) -> None:
        os.sched_setaffinity(0, {CPU})
        tell("begun")
        while True:
            pass

    children: list[Child] = []
    os.sched_setaffinity(0, {0})
    with ExitStack() as stack:
        stack.callback(os.sched_setaffinity, 0, range(os.cpu_count() or 1))
        for _ in range(count):
            child = Child(work)
            stack.callback(child.kill)
            children.append(child)
        for child in children:
            child.hear()
        yield [child.pid for child in children]


def of(seen: np.ndarray, pid: int) -> np.void:
    [found] = seen[seen["pid"] == pid]
    return found


def ran_ns(pid: int) -> int:
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0])


def test_the_time_of_tasks_under_a_scheduler_is_what_the_kernel_says(simple: str) -> None:
    use(simple, "slice_us=5ms")
    with hogs(2) as pids, SchedProbe() as probe, TaskReader(probe) as reader:
        time.sleep(0.1)
        reader.read()
        before, began = list(map(ran_ns, pids)), time.monotonic_ns()
        time.sleep(1)
        seen, passed = reader.read(), time.monotonic_ns() - began
        truth = [(now - then) / passed for now, then in zip(map(ran_ns, pids), before, strict=True)]
    for pid, ran in zip(pids, truth, strict=True):
        found = of(seen, pid)
        assert found["ran"] == pytest.approx(ran, abs=0.03)
        assert found["ran"] + found["waiting"] == pytest.approx(1, abs=0.03)
        assert KINDS[found["kind"]] == "ext"
        assert found["cpu"] == CPU
        assert found["switches"] > 20
        assert 2_000 < found["mean_wait_us"] <= found["max_wait_us"]


def depths(count: int) -> dict[str, float]:
    """How many tasks are queued, by kind of queue, while so many hogs share a CPU: medians."""
    with hogs(count), QueueReader() as reader:
        looks: list[np.ndarray] = []
        for _ in range(9):
            time.sleep(0.02)
            looks.append(reader.read())
    on_cpu = [look[look["cpu"] == CPU][0]["runnable"] for look in looks]
    assert count <= np.median(on_cpu) <= count + 1
    assert reader.left_out == 0
    assert sorted(set(looks[0]["cpu"])) == [-1, *range(os.cpu_count() or 1)]
    return {
        kind: float(np.median([look["queued"][look["kind"] == n].sum() for look in looks]))
        for n, kind in enumerate(QUEUE_KINDS)
    }


def test_a_queue_holds_those_that_wait(simple: str) -> None:
    use(simple)
    assert depths(5) == pytest.approx({"local": 0, "global": 0, "user": 4}, abs=1)


def test_the_queues_of_a_foreign_scheduler_are_seen(program: Program) -> None:
    """It puts all that finds no idle CPU into the kernel's global queue."""
    use(program("elsewhere_whole"))
    assert depths(5) == pytest.approx({"local": 0, "global": 4, "user": 0}, abs=1)


def test_without_a_scheduler_nothing_is_queued() -> None:
    with hogs(3), QueueReader() as reader:
        seen = reader.read()
    assert set(seen["kind"]) == {QUEUE_KINDS.index("local")}
    assert seen["queued"].sum() == 0
    assert seen["runnable"][CPU] >= 3


def test_what_runs_changes_its_class_with_the_scheduler(simple: str) -> None:
    """Also without a switch: at the first look after the change, before there can be one."""
    with hogs(1), SchedProbe() as probe:
        assert kind_of_running(probe) == "fair"
        before, began = int(probe.read()["ns"][CPU].sum()), time.monotonic_ns()
        use(simple, "slice_us=100ms")
        assert kind_of_running(probe) == "ext"
        assert of_kinds(probe)["ext"] > 0.9
        done("sched", "stop")
        assert kind_of_running(probe) == "fair"
        assert of_kinds(probe)["fair"] > 0.9
        passed = time.monotonic_ns() - began
        # What was split is counted once.
        counted = int(probe.read()["ns"][CPU].sum()) - before
        assert counted == pytest.approx(passed, rel=0.02)


def kind_of_running(probe: SchedProbe) -> str:
    """The kind of what runs on CPU; the lowest two bits tell (RUNS_KIND in cpus.h)."""
    return KINDS[int(probe.read()["runs"][CPU]) % len(KINDS)]


def of_kinds(probe: SchedProbe, seconds: float = 0.3) -> dict[str, float]:
    """What part of the next time on CPU went to which kind."""
    before = probe.read()["ns"][CPU].astype(float)
    time.sleep(seconds)
    spent = probe.read()["ns"][CPU] - before
    return dict(zip(KINDS, spent / spent.sum(), strict=True))


def test_without_root_they_say_so() -> None:
    def as_nobody() -> bool:
        os.setgid(65534)
        os.setuid(65534)
        with pytest.raises(NotPermitted, match="root"):
            QueueReader()
        return True

    assert forked(as_nobody)
