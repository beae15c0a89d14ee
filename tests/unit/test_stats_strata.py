"""The rank test within stretches of time, against all ways to deal the runs out."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vm.stats.power import could_have_seen
from vm.stats.ranks import mann_whitney
from vm.stats.strata import (
    Strata,
    in_time,
    rank_test,
    runs_needed,
    sizes_of,
    smallest_p,
    together,
    wins_needed,
)

PART = st.lists(st.integers(0, 4), min_size=1, max_size=3).map(tuple)
PARTS = st.lists(st.tuples(PART, PART), min_size=1, max_size=2)


def won(one: Sequence[float], other: Sequence[float]) -> float:
    return sum((a > b) + (a == b) / 2 for a in one for b in other)


def by_hand(parts: Sequence[tuple[Sequence[float], Sequence[float]]]) -> float:
    """How often the runs of each stratum, dealt out anew, are at least so far from the middle."""
    dealt: list[list[float]] = []
    for one, other in parts:
        every = [*one, *other]
        ways = itertools.combinations(range(len(every)), len(one))
        dealt.append(
            [
                won([every[k] for k in way], [every[k] for k in range(len(every)) if k not in way])
                for way in ways
            ]
        )
    middle = sum(len(one) * len(other) for one, other in parts) / 2
    away = abs(sum(won(one, other) for one, other in parts) - middle)
    sums = [abs(sum(way) - middle) for way in itertools.product(*dealt)]
    return sum(found >= away for found in sums) / len(sums)


@given(PARTS)
@settings(deadline=None)
def test_it_is_the_share_of_all_ways_to_deal_the_runs_out(
    parts: list[tuple[tuple[int, ...], tuple[int, ...]]],
) -> None:
    strata = Strata(tuple(one for one, _ in parts), tuple(other for _, other in parts))
    found = rank_test(strata)
    assert found.p == pytest.approx(by_hand(parts))
    pairs = sum(n * m for n, m in strata.sizes)
    assert found.above == pytest.approx(sum(won(*part) for part in parts) / pairs)


def test_a_host_that_is_slower_for_a_while_hides_nothing() -> None:
    """Every run of the one is 5 % slower, and half of the time the host is 40 %."""
    pace = [1.0] * 10 + [1.4] * 10
    draw = np.random.default_rng(3)
    one = [(k, 1.05 * x * draw.lognormal(0, 0.02)) for k, x in enumerate(pace)]
    other = [(k, x * draw.lognormal(0, 0.02)) for k, x in enumerate(pace)]
    alone = mann_whitney([x for _, x in one], [x for _, x in other])
    assert rank_test(in_time(one, other)).p < 1e-5 < 0.001 < alone.p


@given(st.lists(st.integers(0, 30)), st.lists(st.integers(0, 30)), st.integers(1, 6))
def test_stretches_hold_every_run_once_and_in_order(
    one: list[int], other: list[int], size: int
) -> None:
    if not one or not other:
        with pytest.raises(ValueError, match="needs a run of each"):
            in_time([(k, k) for k in one], [(k, k) for k in other], size)
        return
    strata = in_time([(k, float(k)) for k in one], [(k, float(k)) for k in other], size)
    assert sorted(strata.all_of_one) == sorted(map(float, one))
    assert sorted(strata.all_of_other) == sorted(map(float, other))
    parts = [(*a, *b) for a, b in zip(strata.one, strata.other, strict=True)]
    assert all(max(a) < min(b) for a, b in itertools.pairwise(parts))
    if len(parts) > 1:
        assert min(min(sizes) for sizes in strata.sizes) >= size


def test_without_times_there_is_one_stratum() -> None:
    runs = [(0, float(x)) for x in range(30)]
    assert in_time(runs, runs).sizes == ((30, 30),)


@pytest.mark.parametrize("n", [1, 4, 5, 9, 10, 14, 15, 23])
def test_sizes_are_those_that_runs_in_turns_get(n: int) -> None:
    runs = [(k, float(k)) for k in range(n)]
    assert in_time(runs, runs).sizes == sizes_of(n)


def test_no_p_is_smaller_than_that_of_complete_separation() -> None:
    strata = in_time([(k, 100.0 + k) for k in range(12)], [(k, float(k)) for k in range(12)])
    assert strata.sizes == ((5, 5), (7, 7))
    expected = 2 / (math.comb(10, 5) * math.comb(14, 7))
    assert rank_test(strata).p == pytest.approx(expected) == pytest.approx(smallest_p(strata.sizes))


def test_more_runs_never_need_a_larger_p() -> None:
    smallest = [smallest_p(sizes_of(n)) for n in range(1, 60)]
    assert smallest == sorted(smallest, reverse=True)
    assert runs_needed(0.05) == 4
    assert runs_needed(smallest[10]) == 11


@pytest.mark.parametrize("sizes", [((5, 5), (5, 5)), ((5, 6), (6, 5), (5, 5))])
@pytest.mark.parametrize("alpha", [0.05, 0.001, 1e-4])
def test_so_many_wins_suffice_and_one_less_does_not(
    sizes: tuple[tuple[int, int], ...], alpha: float
) -> None:
    needed = wins_needed(sizes, alpha)
    assert needed is not None

    def p(wins: int) -> float:
        """Where the one wins so many pairs, of the first strata all."""
        one: list[tuple[float, ...]] = []
        other: list[tuple[float, ...]] = []
        for n, m in sizes:
            take = min(wins, n * m)
            wins -= take
            each = [take // n + (k < take % n) for k in range(n)]
            one.append(tuple(beaten + 0.5 + k / 1000 for k, beaten in enumerate(each)))
            other.append(tuple(k + 1.0 for k in range(m)))
        return rank_test(Strata(tuple(one), tuple(other))).p

    assert p(needed) <= alpha < p(needed - 1)


def test_too_few_runs_have_no_number_of_wins() -> None:
    assert wins_needed(((5, 5), (5, 5)), 1e-5) is None


def test_false_alarms_are_as_rare_as_promised() -> None:
    draw = np.random.default_rng(7)

    def runs() -> list[tuple[int, float]]:
        return list(enumerate(draw.lognormal(0, 0.5, 20).tolist()))

    found = [rank_test(in_time(runs(), runs())).p <= 0.05 for _ in range(3000)]
    assert 0.03 < np.mean(found) < 0.055


def test_what_could_have_been_seen_is_found_four_times_of_five() -> None:
    draw = np.random.default_rng(1)
    pace = np.repeat([1.0, 1.5, 0.8, 1.2], 5)

    def runs(ratio: float = 1.0) -> list[tuple[int, float]]:
        return list(enumerate((ratio * pace * draw.lognormal(0, 0.05, 20)).tolist()))

    claimed = [could_have_seen(in_time(runs(), runs()), 0.001) for _ in range(40)]
    assert all(claimed)
    ratio = float(np.median([c for c in claimed if c]))
    found = [rank_test(in_time(runs(ratio), runs())).p <= 0.001 for _ in range(400)]
    assert 0.72 < np.mean(found) < 0.88


def test_a_comparison_needs_a_run_of_each() -> None:
    with pytest.raises(ValueError, match="needs a run of each"):
        together([], [1.0])
