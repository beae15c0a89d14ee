"""Intervals by drawing runs anew: how often they hold the truth."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from vm.stats.bootstrap import of_median, of_quantile, of_ratio, of_ratio_in_turns, spread

Runs = Callable[[np.random.Generator, int], NDArray[np.float64]]


def tight(draw: np.random.Generator, n: int) -> NDArray[np.float64]:
    return np.exp(0.03 * draw.standard_normal(n))


def skewed(draw: np.random.Generator, n: int) -> NDArray[np.float64]:
    return np.exp(0.5 * draw.standard_normal(n))


def disturbed(draw: np.random.Generator, n: int) -> NDArray[np.float64]:
    """A host that is busy with something else in every seventh run."""
    slower = np.where(draw.random(n) < 0.15, 1 + draw.exponential(0.5, n), 1)
    return np.exp(0.02 * draw.standard_normal(n)) * slower


@pytest.mark.parametrize("runs", [tight, skewed, disturbed])
@pytest.mark.parametrize("n", [5, 10, 20])
def test_an_interval_holds_the_truth_as_often_as_it_promises(runs: Runs, n: int) -> None:
    draw = np.random.default_rng(n)
    truth = float(np.median(runs(draw, 200_000)))
    medians = [of_median(runs(draw, n).tolist()) for _ in range(400)]
    held = np.mean([low <= truth <= high for low, high in medians])
    assert 0.90 <= held <= 0.98
    ratios = [of_ratio(runs(draw, n).tolist(), runs(draw, n).tolist()) for _ in range(400)]
    held = np.mean([interval and interval[0] <= 1 <= interval[1] for interval in ratios])
    assert 0.93 <= held <= 0.995


def test_three_runs_give_the_smallest_and_the_largest() -> None:
    assert of_median([3.0, 1.0, 2.0]) == (1.0, 3.0)


def test_a_tail_needs_runs_in_it() -> None:
    draw = np.random.default_rng(1)
    assert of_quantile(draw.normal(size=10).tolist(), 0.9) is None
    inside = 0
    for _ in range(300):
        interval = of_quantile(draw.random(40).tolist(), 0.9)
        assert interval
        inside += interval[0] <= 0.9 <= interval[1]
    assert inside / 300 > 0.9


def test_pairs_take_away_what_both_have_in_common() -> None:
    draw = np.random.default_rng(1)
    common = np.exp(draw.normal(0, 0.5, 20))
    values, against = (common * 1.05).tolist(), common.tolist()
    apart, together = of_ratio(values, against), of_ratio(values, against, is_paired=True)
    assert apart
    assert apart[0] < 0.9 < 1.2 < apart[1]
    assert together == (pytest.approx(1.05), pytest.approx(1.05))


def test_a_spread_leaves_as_much_out_at_both_ends() -> None:
    assert spread(np.arange(1000.0)) == (25.0, 974.0)


def test_an_interval_holds_the_ratio_and_narrows_with_agreement() -> None:
    baseline = [10.0, 10.1, 9.9, 10.0, 10.05, 9.95, 10.0]
    noisy = [20.0, 12.0, 31.0, 19.0, 8.0, 22.0, 25.0]
    steady = [20.0, 20.1, 19.9, 20.2, 19.8, 20.0, 20.1]
    for values in (noisy, steady):
        interval = of_ratio_in_turns(values, baseline)
        assert interval
        assert interval[0] <= 2.0 <= interval[1]
    spans = [of_ratio_in_turns(values, baseline) for values in (noisy, steady)]
    assert spans[0]
    assert spans[1]
    assert spans[0][1] - spans[0][0] > 10 * (spans[1][1] - spans[1][0])


def test_an_interval_is_the_same_for_the_same_samples() -> None:
    samples = [3.0, 1.0, 2.0, 5.0, 4.0]
    assert of_ratio_in_turns(samples, samples[::-1]) == of_ratio_in_turns(samples, samples[::-1])


def test_rounds_are_drawn_together_for_both() -> None:
    """What disturbs a round disturbs both of it: the ratio is sure although neither is."""
    baseline = [1.0, 5.0, 2.0, 8.0, 3.0]
    assert of_ratio_in_turns([2 * value for value in baseline], baseline) == (2.0, 2.0)


@pytest.mark.parametrize(("values", "against"), [([1.0, 2.0], [1.0, 2.0]), ([1.0] * 5, [0.0] * 5)])
def test_too_few_rounds_and_a_baseline_of_nothing_have_no_interval(
    values: list[float], against: list[float]
) -> None:
    assert of_ratio_in_turns(values, against) is None
