"""Rates of counters."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pyloader.probes.events import rates

COUNTERS = st.dictionaries(st.sampled_from("abcd"), st.integers(0, 1 << 64))


def test_a_rate_is_what_came_a_second() -> None:
    assert rates({"a": 10, "b": 5}, {"a": 30, "b": 5}, 2.0) == {"a": 10, "b": 0}


def test_another_scheduler_counts_from_0() -> None:
    assert rates({"a": 1000}, {"a": 8}, 2.0) == {"a": 4}


def test_one_that_has_only_just_come_has_no_rate() -> None:
    assert rates({}, {"a": 1000}, 1.0) == {}
    assert rates({"a": 1}, {}, 1.0) == {}


def test_without_time_there_are_no_rates() -> None:
    assert rates({"a": 1}, {"a": 2}, 0.0) == {}


@given(COUNTERS, COUNTERS, st.floats(0, 1e9))
def test_rates_are_never_below_0(
    before: dict[str, int], now: dict[str, int], seconds: float
) -> None:
    found = rates(before, now, seconds)
    assert set(found) <= set(before) & set(now)
    assert all(rate >= 0 for rate in found.values())
