"""Figures of tasks, from the sums that were told."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from pyloader.probes.tasks import TASK, TOLD, tasks


def told(**sums: Any) -> np.ndarray:
    made = np.zeros(1, TOLD)
    for name, value in sums.items():
        made[name] = value
    return made


def test_sums_become_parts_of_the_time_and_rates() -> None:
    [found] = tasks(
        told(
            pid=7,
            tgid=5,
            comm=b"cc1",
            nice=-3,
            cpu=2,
            ran_ns=500_000_000,
            waited_ns=1_000_000_000,
            ended_ns=600_000,
            longest_ns=400_000,
            waits=3,
            wakeups=4,
            switches=8,
        ),
        2.0,
    )
    assert (found["pid"], found["tgid"], found["comm"]) == (7, 5, b"cc1")
    assert (found["nice"], found["cpu"]) == (-3, 2)
    assert (found["ran"], found["waiting"]) == (0.25, 0.5)
    assert (found["wakeups"], found["switches"]) == (2, 4)
    assert (found["mean_wait_us"], found["max_wait_us"]) == (200, 400)


def test_a_wait_that_lasts_is_the_longest_and_has_no_mean() -> None:
    [found] = tasks(told(waited_ns=10**9, longest_ns=5 * 10**9), 1.0)
    assert found["waiting"] == 1
    assert found["max_wait_us"] == 5e6
    assert np.isnan(found["mean_wait_us"])


def test_no_time_at_all_has_no_parts() -> None:
    [found] = tasks(told(ran_ns=5, pid=1), 0.0)
    assert (found["pid"], found["ran"]) == (1, 0)


@settings(deadline=None)
@given(arrays.arrays(TOLD, st.integers(0, 4)), st.floats(0, 1e6))
def test_parts_are_parts_whatever_was_told(seen: np.ndarray, seconds: float) -> None:
    found = tasks(seen, seconds)
    assert found.dtype == TASK
    for name in ("ran", "waiting"):
        assert ((found[name] >= 0) & (found[name] <= 1)).all()
