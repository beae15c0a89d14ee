"""Mann and Whitney's test against every way to deal the runs out, and Holm's correction."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vm.stats import holm
from vm.stats.ranks import critical, mann_whitney, smallest_p

#: Few values give ties, many none.
RUNS = st.lists(st.integers(0, 4) | st.integers(0, 10**9), min_size=1, max_size=6)


def wins(one: list[int], other: list[int]) -> float:
    """U by its definition: pairs in which the one is above, equal ones by half."""
    return sum((a > b) + (a == b) / 2 for a in one for b in other)


def dealt(one: list[int], other: list[int]) -> float:
    """The p of all ways to deal the values out, each by its own U."""
    both, n = [*one, *other], len(one)
    middle = n * len(other) / 2
    away = abs(wins(one, other) - middle)
    extreme = ways = 0
    for chosen in combinations(range(len(both)), n):
        first = [both[k] for k in chosen]
        rest = [both[k] for k in range(len(both)) if k not in chosen]
        extreme += abs(wins(first, rest) - middle) >= away
        ways += 1
    return extreme / ways


@settings(deadline=None)
@given(one=RUNS, other=RUNS)
def test_p_is_the_share_of_all_ways_to_deal_the_runs_out(one: list[int], other: list[int]) -> None:
    test = mann_whitney(one, other)
    assert test.p == pytest.approx(dealt(one, other), abs=1e-12)
    assert test.above == pytest.approx(wins(one, other) / (len(one) * len(other)))


@given(one=RUNS, other=RUNS)
def test_nothing_depends_on_who_comes_first(one: list[int], other: list[int]) -> None:
    there, back = mann_whitney(one, other), mann_whitney(other, one)
    assert there.p == pytest.approx(back.p)
    assert there.above == pytest.approx(1 - back.above)


@pytest.mark.parametrize("spread", [3, 10, 1000])  # many ties, some, hardly any
def test_the_approximation_is_near_what_counting_gives(spread: int) -> None:
    draw = np.random.default_rng(spread)
    for _ in range(50):
        one, other = draw.integers(0, spread, 25), draw.integers(0, spread, 30)
        counted = mann_whitney(one, other, is_exact=True).p
        # With many ties p moves in large steps, which matters least where it is small.
        near = pytest.approx(counted, abs=0.005 + counted / 5)
        assert mann_whitney(one, other, is_exact=False).p == near


def test_many_runs_are_approximated_and_found() -> None:
    draw = np.random.default_rng(1)
    one, other = draw.normal(0, 1, 500), draw.normal(0.5, 1, 400)
    assert mann_whitney(one, other).p < 1e-6
    assert mann_whitney(one, one[::-1]).p > 0.99


def test_runs_that_are_all_the_same_tell_nothing() -> None:
    assert mann_whitney([5] * 8, [5] * 8).p == 1.0
    assert mann_whitney([5] * 80, [5] * 80).p == 1.0


def test_a_comparison_needs_runs() -> None:
    with pytest.raises(ValueError, match="a run of each"):
        mann_whitney([], [1])


@given(n=st.integers(1, 12), m=st.integers(1, 12))
def test_no_p_is_smaller_than_that_of_complete_separation(n: int, m: int) -> None:
    apart = mann_whitney(range(n), range(100, 100 + m))
    assert apart.p == pytest.approx(smallest_p(n, m))


def test_three_against_three_can_never_tell() -> None:
    assert smallest_p(3, 3) == pytest.approx(0.1)


@given(n=st.integers(2, 9), m=st.integers(2, 9), alpha=st.sampled_from([0.2, 0.05, 0.01, 0.001]))
def test_the_critical_value_is_the_smallest_that_is_significant(
    n: int, m: int, alpha: float
) -> None:
    needed = critical(n, m, alpha)
    # Runs of the one in place k beat k others; that makes any number of wins without ties.
    found = [
        won
        for won in range(n * m // 2 + 1, n * m + 1)
        if mann_whitney(*winning(n, m, won)).p <= alpha
    ]
    assert needed == (min(found) if found else None)


def winning(n: int, m: int, won: int) -> tuple[list[float], list[float]]:
    """``n`` runs that win exactly ``won`` of the pairs with ``m`` others."""
    each = [won // n + (k < won % n) for k in range(n)]
    return [beaten + 0.5 + k / 1000 for k, beaten in enumerate(each)], [k + 1.0 for k in range(m)]


@given(p=st.lists(st.floats(0, 1), max_size=30), alpha=st.sampled_from([0.01, 0.05, 0.2]))
def test_holm_rejects_step_by_step(p: list[float], alpha: float) -> None:
    rejected: list[int] = []
    for step, k in enumerate(sorted(range(len(p)), key=p.__getitem__)):
        if p[k] * (len(p) - step) > alpha:
            break
        rejected.append(k)
    corrected = holm.adjusted(p)
    assert {k for k, value in enumerate(corrected) if value <= alpha} == set(rejected)
    assert holm.faced(p, alpha) == alpha / max(len(p) - len(rejected), 1)


def test_false_alarms_are_as_rare_as_promised() -> None:
    draw = np.random.default_rng(7)
    found = [mann_whitney(*draw.lognormal(0, 0.5, (2, 10))).p <= 0.05 for _ in range(2000)]
    assert 0.03 < np.mean(found) < 0.055  # 0.043 is what 10 against 10 can come to
