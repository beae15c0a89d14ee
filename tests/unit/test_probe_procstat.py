"""/proc/stat: what is in it, and that nothing in it does harm."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pyloader.probes import procstat

LINE = "cpu{} {} 0 {} {} 0 {} {} {} 0 0\n"


def stat(*cpus: tuple[int, ...]) -> np.ndarray:
    """Of each: number, user, system, idle, irq, softirq, steal."""
    return procstat.parse("cpu  1 2 3 4\n" + "".join(LINE.format(*cpu) for cpu in cpus) + "intr 5")


def test_shares_are_of_the_time_that_passed() -> None:
    before = stat((0, 100, 0, 100, 0, 0, 0), (2, 0, 0, 0, 0, 0, 0))
    after = stat((0, 150, 10, 120, 5, 5, 10), (2, 0, 0, 100, 0, 0, 0))
    found = procstat.shares(before, after)
    assert found["busy"].tolist() == [0.7, 0.0]
    assert found["irq"].tolist() == [0.1, 0.0]
    assert found["steal"].tolist() == [0.1, 0.0]


def test_a_cpu_that_came_or_stood_still_has_no_shares() -> None:
    before = stat((0, 1, 0, 0, 0, 0, 0), (1, 1, 1, 1, 0, 0, 0))
    after = stat((1, 1, 1, 1, 0, 0, 0), (7, 9, 9, 9, 0, 0, 0))
    assert np.isnan(procstat.shares(before, after)["busy"]).tolist() == [True, True]


def test_time_may_go_backwards() -> None:
    found = procstat.shares(stat((0, 0, 0, 100, 0, 0, 0)), stat((0, 10, 0, 90, 0, 0, 0)))
    assert found["busy"].tolist() == [1.0]


def test_an_older_kernel_has_fewer_columns() -> None:
    [only] = procstat.parse("cpu3 1 2 3 4\n")
    assert (only["cpu"], only["idle"], only["steal"]) == (3, 4, 0)


@given(st.text(st.sampled_from("cpu0123456789 -.\n\u0661\x00")), st.text())
def test_nothing_in_it_does_harm(likely: str, any_: str) -> None:
    found = procstat.parse(likely + "\n" + any_)
    shares = procstat.shares(found, found)
    assert all(len(part) == len(found) for part in shares.values())
