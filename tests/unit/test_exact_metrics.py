"""Figures of exact runs: percentiles, shares, swaps, each against its definition."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vm.exact.metrics import hog_shares, lateness, metrics, percentile
from vm.exact.report import PhaseReport, Report, Window
from vm.exact.swaps import worst_between

SAMPLES = st.lists(st.integers(0, 10**9), min_size=1, max_size=200)


@given(SAMPLES, st.floats(0.001, 1.0))
def test_a_percentile_is_the_smallest_sample_that_enough_do_not_exceed(
    samples: list[int], share: float
) -> None:
    found = percentile(samples, share)
    assert found in samples
    assert sum(s <= found for s in samples) >= share * len(samples)
    smaller = [s for s in samples if s < found]
    assert len(smaller) < share * len(samples)


@pytest.mark.parametrize(
    ("share", "expected"), [(0.5, 50), (0.99, 99), (0.999, 100), (1.0, 100), (0.01, 1)]
)
def test_percentiles_of_one_to_a_hundred(share: float, expected: int) -> None:
    assert percentile(list(range(100, 0, -1)), share) == expected


def test_a_percentile_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="needs samples"):
        percentile([], 0.5)


def test_lateness_names_its_figures_by_the_phase() -> None:
    found = lateness([30, 10, 20], "idle_")
    assert found == {
        "idle_n": 3,
        "idle_p50_ns": 20,
        "idle_p99_ns": 30,
        "idle_p999_ns": 30,
        "idle_max_ns": 30,
    }


def loaded(*windows: list[tuple[int, int]]) -> PhaseReport:
    phase = PhaseReport("loaded", [5, 9], [100, 300])
    phase.windows = [Window(n * 1000, 1000, 10, hogs) for n, hogs in enumerate(windows)]
    return phase


def test_a_hog_that_has_its_half_has_a_share_of_one() -> None:
    assert hog_shares(loaded([(0, 500), (1, 480), (0, 500), (1, 480)])) == [[1.0] * 4]


def test_a_starved_hog_shows_in_the_metrics() -> None:
    phase = loaded([(0, 500), (0, 500)], [(0, 900), (0, 100)])
    found = metrics(Report("7.3", {"loaded": phase}, [], ""))
    assert found["hog_share_least"] == 0.2
    assert found["hog_share_most"] == 1.8
    assert found["hogs_busy"] == 1.0
    assert (found["p50_ns"], found["max_ns"], found["n"]) == (100, 300, 2)


def test_a_wake_up_counts_for_the_stretch_in_which_it_came() -> None:
    phase = PhaseReport("swaps", due_ns=[5, 18, 31, 45], late_ns=[1, 4, 2, 1])
    # 6 comes before the first cut, 22 after the second (due before it), 33 and 46 behind the last.
    assert worst_between(phase, [10, 20, 30]) == [4]
    assert worst_between(phase, [0, 20, 40]) == [1, 4]
