"""What is said of a result: verdicts, and what they leave out."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyloader.errors import UnknownName
from vm.results.model import Cell, Document, Run
from vm.stats.compare import Row, compare, estimate, matrix, shown_ratio
from vm.stats.power import could_have_seen
from vm.stats.ranks import mann_whitney
from vm.stats.strata import together

METRICS = {
    "p99_ns": {"unit": "ns", "better": "less", "kind": "latency", "about": "late"},
    "rate": {"unit": "1/s", "better": "more", "kind": "throughput", "about": "many"},
}


def runs(
    scheduler: str, p99: Sequence[float], rate: Sequence[float] = (), load: str = "full"
) -> list[Run]:
    cell = Cell(scheduler, "hosted", (), "wakeup", load, "7.3.4", 4)
    return [
        Run(
            cell,
            repetition,
            repetition + 1,
            metrics={"p99_ns": value} | ({"rate": rate[repetition]} if rate else {}),
        )
        for repetition, value in enumerate(p99)
    ]


def document(*parts: list[Run], kind: str = "vm") -> Document:
    every = tuple(run for part in parts for run in part)
    workloads = {"wakeup": {"about": "", "metrics": METRICS}}
    return Document(kind, "", (), 1, {}, workloads, every)


def row(rows: Sequence[Row], subject: str, metric: str = "p99_ns", load: str = "full") -> Row:
    wanted = (subject, metric, load)
    return next(r for r in rows if (r.subject, r.metric, r.cell.load) == wanted)


def around(middle: float, n: int, seed: int, width: float = 0.02) -> list[float]:
    return (middle * np.exp(width * np.random.default_rng(seed).standard_normal(n))).tolist()


def test_less_or_more_is_better_as_the_metric_says() -> None:
    low, high = around(100, 10, 1), around(150, 10, 2)
    assert compare(low, high, "less").verdict == "better"
    assert compare(high, low, "less").verdict == "worse"
    assert compare(low, high, "more").verdict == "worse"
    found = compare(high, low, "more")
    assert found.verdict == "better"
    assert found.ratio == pytest.approx(1.5, rel=0.05)
    assert found.low < found.ratio < found.high


def test_no_difference_says_what_could_have_been_seen() -> None:
    found = compare(around(100, 10, 1), around(100, 10, 2), "less")
    assert found.verdict == "no difference seen"
    assert found.could_have_seen == pytest.approx(1.03, abs=0.01)
    assert (
        found.words == f"no difference seen (could have seen {shown_ratio(found.could_have_seen)})"
    )


def test_three_runs_of_each_are_too_few_whatever_they_say() -> None:
    found = compare([1, 2, 3], [100, 200, 300], "less")
    assert found.words == "too few runs to tell (n ≥ 4)"


def test_more_comparisons_need_more_runs() -> None:
    """Five against five come to p = 0.008 at best, which is nothing among ten."""
    apart = [runs(f"s{k}", [100.0 + k, 101, 102, 103, 104]) for k in range(9)]
    rows = matrix(
        document(runs("kernel", [1.0, 2, 3, 4, 5]), runs("s9", [6.0, 7, 8, 9, 10]), *apart)
    )
    assert {r.difference.words for r in rows if r.difference} == {"too few runs to tell (n ≥ 6)"}


def test_ranks_and_medians_on_opposite_sides_are_no_verdict() -> None:
    """Most runs of the one are a little above, but its median is below."""
    a = [10.0] * 21 + [-5.0] * 22
    b = [9.0] * 30 + [-6.0] * 13
    found = compare(a, b, "less")
    assert found.verdict == "no difference seen"


def test_runs_that_are_not_done_are_told_and_do_not_count() -> None:
    good = runs("kernel", around(100, 10, 1))
    other = runs("simple", around(100, 10, 2))
    bad = [
        dataclasses.replace(run, status="ejected", metrics={"p99_ns": 1e9})
        for run in runs("simple", [1.0] * 3)
    ]
    lost = [dataclasses.replace(other[0], status="lost", metrics={})]
    blank = [dataclasses.replace(other[0], metrics={"p99_ns": math.nan})]
    rows = matrix(document(good, other, bad, lost, blank))
    found = row(rows, "simple")
    assert found.estimate == row(matrix(document(good, other)), "simple").estimate
    assert found.unusable == {"ejected": 3, "lost": 1, "no figure": 1}


def test_an_exact_run_under_the_same_seed_counts_once() -> None:
    good, other = runs("kernel", around(100, 10, 1)), runs("simple", around(102, 10, 2))
    again = [*other, *other, *other]
    once, thrice = (
        row(matrix(document(good, some, kind="exact")), "simple") for some in (other, again)
    )
    assert once == thrice
    assert row(matrix(document(good, again)), "simple").estimate.n == 30


def test_only_one_place_is_compared() -> None:
    rows = matrix(
        document(
            runs("kernel", around(100, 10, 1)),
            runs("simple", around(100, 10, 2)),
            runs("kernel", around(500, 10, 3), load="over"),
            runs("simple", around(500, 10, 4), load="over"),
            runs("simple", around(5, 10, 4), load="idle"),
        )
    )
    assert row(rows, "simple", load="over").difference.ratio == pytest.approx(1, abs=0.05)
    assert row(rows, "simple", load="idle").difference is None
    assert row(rows, "kernel").difference is None


def test_the_baseline_is_the_kernel_or_the_first_or_what_is_asked_for() -> None:
    some = document(runs("simple", [1.0] * 5), runs("kernel", [2.0] * 5))
    assert row(matrix(some), "simple").difference.ratio == 0.5
    assert row(matrix(some, "simple"), "kernel").difference.ratio == 2
    none = document(runs("simple", [1.0] * 5), runs("nest", [2.0] * 5))
    assert row(matrix(none), "nest").difference.ratio == 2
    with pytest.raises(UnknownName, match="no subject is called 'ghost'"):
        matrix(some, "ghost")


def test_a_result_without_runs_has_no_rows() -> None:
    assert matrix(document()) == []


def test_a_baseline_of_nothing_has_no_ratio_but_a_verdict() -> None:
    found = compare([3.0] * 5 + [4.0] * 5, [0.0] * 10, "less")
    assert math.isnan(found.ratio)
    assert found.verdict == "worse"
    assert compare([0.0] * 10, [0.0] * 10, "less").words == "no difference seen"


def test_an_estimate_without_runs_is_no_number() -> None:
    assert math.isnan(estimate([]).median)
    assert estimate([7.0]) == dataclasses.replace(
        estimate([7.0]), median=7.0, low=7.0, high=7.0, n=1
    )


VALUES = st.lists(st.floats(-1e12, 1e12) | st.integers(-3, 3), min_size=1, max_size=12)


@given(a=VALUES, b=VALUES, better=st.sampled_from(["less", "more"]))
def test_any_figures_give_a_verdict(a: list[float], b: list[float], better: str) -> None:
    assert compare(a, b, better).words


@pytest.mark.parametrize(("n", "m", "alpha"), [(10, 10, 0.05), (20, 20, 0.05), (10, 15, 0.001)])
@pytest.mark.parametrize("width", [0.03, 0.4])
def test_what_could_have_been_seen_is_found_four_times_of_five(
    n: int, m: int, alpha: float, width: float
) -> None:
    draw = np.random.default_rng(n)

    def sample(count: int) -> list[float]:
        return np.exp(width * draw.standard_normal(count)).tolist()

    claimed = [could_have_seen(together(sample(n), sample(m)), alpha) for _ in range(40)]
    assert all(claimed)
    ratio = float(np.median([c for c in claimed if c]))
    found = [mann_whitney([ratio * x for x in sample(n)], sample(m)).p <= alpha for _ in range(400)]
    assert 0.72 < np.mean(found) < 0.88


def test_runs_without_any_spread_see_everything() -> None:
    assert could_have_seen(together([5.0] * 10, [5.0] * 10), 0.05) == 1.0


@pytest.mark.parametrize(
    ("ratio", "words"), [(1.0, "0.1 %"), (1.0301, "3.1 %"), (1.123, "13 %"), (2.31, "2.4×")]
)
def test_a_ratio_is_rounded_up(ratio: float, words: str) -> None:
    assert shown_ratio(ratio) == words


def test_false_alarms_over_a_matrix_stay_rare() -> None:
    alarms = 0
    for seed in range(60):
        draw = np.random.default_rng(seed)
        parts = [
            runs(
                name, draw.lognormal(5, 0.3, 10).tolist(), draw.lognormal(5, 0.3, 10).tolist(), load
            )
            for name in ("kernel", "simple", "nest", "interactive")
            for load in ("full", "over")
        ]
        rows = matrix(document(*parts))
        alarms += any(r.difference and r.difference.p_holm <= 0.05 for r in rows)
    assert alarms <= 7  # of 60 matrices of twelve comparisons, 3 are promised
