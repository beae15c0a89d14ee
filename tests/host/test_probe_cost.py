"""For how long the attached programs run, while the kernel counts it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pyloader.probes.cost import CostReader
from pyloader.probes.sched import SchedProbe

pytestmark = pytest.mark.host

COUNTS = Path("/proc/sys/kernel/bpf_stats_enabled")


@pytest.fixture
def counting() -> Iterator[None]:
    before = COUNTS.read_text()
    COUNTS.write_text("1")
    yield
    COUNTS.write_text(before)


def switch(seconds: float) -> None:
    """Sleep shortly, over and over."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        time.sleep(0.0001)


def test_programs_cost_what_the_kernel_counts(counting: None) -> None:
    with SchedProbe() as probe:
        reader = CostReader(probe.programs().values())
        began = time.monotonic_ns()
        switch(0.2)
        cost, passed = reader.read(), time.monotonic_ns() - began
    assert cost.programs is not None
    # 1,000 switches and wake-ups at the least, of 10 ns to 10 us each.
    assert 1_000 * 10 < cost.programs * passed < passed / 5
    assert cost.process > 0


def test_without_counting_there_is_no_figure() -> None:
    if COUNTS.read_text().strip() != "0":
        pytest.fail(f"{COUNTS} is on: somebody counts on this machine")
    with SchedProbe() as probe:
        reader = CostReader(probe.programs().values())
        switch(0.05)
        assert reader.read().programs is None
