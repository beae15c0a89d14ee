"""What tasks did, as the probe saw it on this machine, against what the kernel keeps of them."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from pyloader.probes.histogram import NR_BUCKETS
from pyloader.probes.sched import KINDS, SchedProbe
from pyloader.probes.tasks import STATES, TASK, TaskReader

pytestmark = pytest.mark.host


@contextmanager
def running(work: Callable[[], None]) -> Iterator[int]:
    """Another process that does ``work`` until the end; its pid."""
    pid = os.fork()
    if not pid:
        try:
            work()
        finally:
            os._exit(0)
    try:
        yield pid
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


def hog() -> None:
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    while True:
        pass


def sleeper() -> None:
    while True:
        time.sleep(0.01)


def ran_ns(pid: int) -> int:
    """For how many ns it ran, as the kernel says."""
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0])


@pytest.fixture
def probe() -> Iterator[SchedProbe]:
    with SchedProbe() as attached:
        yield attached


@pytest.fixture
def reader(probe: SchedProbe) -> Iterator[TaskReader]:
    with TaskReader(probe) as reading:
        yield reading


def of(seen: np.ndarray, pid: int) -> np.void:
    [found] = seen[seen["pid"] == pid]
    return found


def test_a_hog_runs_or_waits_all_the_time(reader: TaskReader) -> None:
    with running(hog) as pid, running(hog):
        time.sleep(0.1)
        reader.read()
        found = np.stack([of(reader.read(), pid) for _ in range(7) if not time.sleep(0.1)])
    assert np.median(found["ran"] + found["waiting"]) == pytest.approx(1, abs=0.02)
    assert 0.2 < np.median(found["ran"]) < 0.8
    assert (found["comm"] == Path("/proc/self/comm").read_text().strip().encode()).all()
    assert {KINDS[kind] for kind in found["kind"]} == {"fair"}
    assert "sleeps" not in {STATES[state] for state in found["state"]}
    assert np.median(found["max_wait_us"]) >= np.median(found["mean_wait_us"]) > 100


def test_its_time_is_what_the_kernel_says(reader: TaskReader) -> None:
    """Of one that sleeps at each look, so that nothing is still under way.

    The median, for some machines under a hypervisor have switches that no tracepoint tells of.
    """
    go, done = os.pipe(), os.pipe()

    def work() -> None:
        while os.read(go[0], 1):
            until = time.monotonic() + 0.02
            while time.monotonic() < until:
                pass
            os.write(done[1], b"x")

    ratios: list[float] = []
    with running(work) as pid:
        time.sleep(0.05)
        reader.read()
        before, began = ran_ns(pid), time.monotonic_ns()
        for _ in range(15):
            os.write(go[1], b"x")
            os.read(done[0], 1)
            time.sleep(0.01)
            found, now = of(reader.read(), pid), time.monotonic_ns()
            truth = ran_ns(pid) - before
            ratios.append(found["ran"] * (now - began) / truth)
            before, began = before + truth, now
            assert STATES[found["state"]] == "sleeps"
            assert found["wakeups"] > 0
    assert np.median(ratios) == pytest.approx(1, abs=0.02)


def test_who_sleeps_all_the_time_is_not_told_of(reader: TaskReader) -> None:
    with running(lambda: time.sleep(60)) as asleep, running(sleeper) as awake:
        time.sleep(0.1)
        reader.read()
        time.sleep(0.2)
        seen = reader.read()
    assert asleep not in seen["pid"]
    found = of(seen, awake)
    assert 20 < found["wakeups"] <= 100
    assert found["switches"] >= found["wakeups"]


def test_one_that_has_run_since_before_the_probe_came_is_seen() -> None:
    with running(hog) as pid:
        time.sleep(0.05)
        with SchedProbe() as probe, TaskReader(probe) as reader:
            time.sleep(0.3)
            assert of(reader.read(), pid)["ran"] > 0.1


def test_nice_and_real_time_are_told(reader: TaskReader) -> None:
    def nice() -> None:
        os.nice(7)
        sleeper()

    def urgent() -> None:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(12))
        sleeper()

    with running(nice) as polite, running(urgent) as first:
        time.sleep(0.2)
        seen = reader.read()
    assert (of(seen, polite)["nice"], of(seen, polite)["priority"]) == (7, 0)
    found = of(seen, first)
    assert (KINDS[found["kind"]], found["priority"]) == ("rt", 12)


def test_the_chosen_one_has_a_histogram_of_its_own(probe: SchedProbe) -> None:
    with running(sleeper) as pid, running(sleeper):
        assert probe.chosen().shape == (NR_BUCKETS,)
        time.sleep(0.1)
        assert probe.chosen().sum() == 0
        with TaskReader(probe) as reader:
            reader.read()
            probe.choose(pid)
            began = time.monotonic()
            time.sleep(0.3)
            woken = of(reader.read(), pid)["wakeups"] * (time.monotonic() - began)
            assert probe.chosen().sum() == pytest.approx(woken, abs=3)
        probe.choose(None)
        time.sleep(0.1)
        assert probe.chosen().sum() == 0


def test_a_process_is_chosen_with_all_its_threads(probe: SchedProbe) -> None:
    def work() -> None:
        threading.Thread(target=sleeper).start()
        time.sleep(60)

    with running(work) as pid:
        time.sleep(0.1)
        probe.choose(pid)
        time.sleep(0.2)
        assert probe.chosen().sum() == 0
        probe.choose(pid, whole=True)
        time.sleep(0.2)
        assert probe.chosen().sum() > 8


def test_nothing_ran_is_no_error(reader: TaskReader) -> None:
    assert reader.read().dtype == TASK
    assert reader.read().dtype == TASK
