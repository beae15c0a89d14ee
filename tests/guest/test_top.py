"""``top``: whose the time of CPUs is, and how long tasks waited, against what is known else."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from statistics import median
from typing import Any

import pytest

from pyloader.probes.histogram import percentiles
from pyloader.probes.sched import SchedProbe
from pyloader.view.collector import Collector
from tests.guest import kernel
from tests.guest.command import done, scxhid, use
from tests.guest.processes import Child, forked

CPU = 1


@contextmanager
def hog(begin: Callable[[], None] = lambda: None) -> Generator[None]:
    """A busy loop that is pinned to CPU, after it has done ``begin``."""

    def work(tell: Callable[[Any], None]) -> None:
        os.sched_setaffinity(0, {CPU})
        begin()
        tell("begun")
        while True:
            pass

    child = Child(work)
    child.hear()
    try:
        yield
    finally:
        child.kill()


@pytest.fixture
def collector() -> Generator[Collector]:
    """What ``top`` asks; it takes an emulated machine seconds to attach it all."""
    with Collector() as collector:
        collector.start()
        yield collector


def of_cpu(collector: Collector, seconds: float = 0.5) -> dict[str, Any]:
    collector.take()
    time.sleep(seconds)
    seen = collector.take().to_json()
    assert seen["missing"] == []
    return next(cpu for cpu in seen["cpus"] if cpu["cpu"] == CPU)


def be_real_time() -> None:
    os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
    time.sleep(0.01)  # the probe sees what class a task is of when it gets the CPU


@pytest.mark.smoke
def test_a_hog_is_of_the_class_that_runs_it(simple: str, collector: Collector) -> None:
    with hog():
        assert of_cpu(collector)["fair"] > 0.8
        use(simple)
        seen = of_cpu(collector)
        assert seen["ext"] > 0.8
        assert seen["fair"] < 0.1
    with hog(be_real_time):
        assert of_cpu(collector)["rt"] > 0.6  # the kernel leaves a twentieth to the others
    assert of_cpu(collector)["busy"] < 0.5


def test_two_hogs_on_a_cpu_make_one_wait(simple: str, collector: Collector) -> None:
    use(simple)
    with hog(), hog():
        seen = of_cpu(collector, 1)
    assert seen["waiting"] == pytest.approx(1, abs=0.25)
    assert seen["busy"] > 0.95
    assert seen["switches"] > 20


def test_the_waits_are_those_that_the_woken_saw(simple: str) -> None:
    """Behind a hog with slices of 20 ms, so that the time to make and read a stamp is nothing."""
    use(simple, "slice_us=20ms")
    times, from_waker = 50, os.pipe()

    def wait(tell: Callable[[Any], None]) -> list[int]:
        os.sched_setaffinity(0, {CPU})
        tell("waits")
        stamps = [(os.read(from_waker[0], 8), time.monotonic_ns()) for _ in range(times)]
        return [read - int.from_bytes(written) for written, read in stamps]

    with hog(), SchedProbe() as probe:
        waiter = Child(wait)
        waiter.hear()
        os.sched_setaffinity(0, {0})
        try:
            time.sleep(0.1)
            before = probe.read()[CPU]
            for _ in range(times):
                os.write(from_waker[1], time.monotonic_ns().to_bytes(8))
                time.sleep(random.uniform(0.03, 0.06))
            seen = waiter.result()
            after = probe.read()[CPU]
        finally:
            os.sched_setaffinity(0, range(os.cpu_count() or 1))
            waiter.kill()
    counts = after["latency"] - before["latency"]
    # Others that were woken there, kernel threads, are few.
    assert times <= counts.sum() < 1.5 * times
    [p50] = percentiles(counts, [50]) or []
    assert p50 == pytest.approx(median(seen), rel=0.2)


def test_nothing_is_left_of_it() -> None:
    before = kernel.settled_bpf_objects()
    done("top", "--once", "--for", "0.1")
    assert kernel.settled_bpf_objects() == before


def test_without_root_it_says_what_is_missing() -> None:
    def as_nobody() -> tuple[int, str, str]:
        os.setgid(65534)
        os.setuid(65534)
        seen = scxhid("top", "--once", "--for", "0.2")
        return seen.status, seen.out, seen.err

    status, out, err = forked(as_nobody)
    assert status == 0
    assert "BUSY" in out
    assert "FAIR" not in out
    assert "classes, waits and latency are not measured: " in err
    assert "root" in err


def test_what_cannot_be_asked() -> None:
    assert scxhid("top").status == 2
    assert scxhid("top", "--once", "--for", "soon").status == 2
