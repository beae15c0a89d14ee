"""What a result file says: every subject against a baseline, for every metric, at every place.

The verdict is Mann and Whitney's, within stretches of a few repetitions (``vm.stats.strata``), with
Holm's correction over all that is compared at once: it asks nothing of how runs are distributed,
one wild run cannot decide it, and a host that is slower for a while strikes both sides. The ratio
beside it is that of the medians, with a bootstrap interval over runs that is not corrected: it says
how large a difference is, not whether there is one.

Runs of one repetition or one seed are not taken as pairs, although they may have something in
common. A test of pairs (Wilcoxon's signed ranks) has only 2 ** n outcomes: ten pairs come to
p = 0.002 at best, which is nothing among 30 comparisons, where ranks of ten against ten, five by
five, come to 0.00003. What pairs would add to sharpness, too few runs take away.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast

import numpy as np

from pyloader.errors import UnknownName
from vm.results.model import Cell, Document, Run
from vm.stats import bootstrap, holm
from vm.stats.power import could_have_seen
from vm.stats.ranks import RankTest
from vm.stats.strata import Strata, Timed, in_time, rank_test, runs_needed, smallest_p, together
from vm.workloads.model import Better

Verdict = Literal["better", "worse", "no difference seen", "too few runs"]

Place = tuple[str, str, str, int, str]

#: The values of a subject, one a run, with those of its baseline, and which are better.
Pair = tuple[Strata, Better]


@dataclass(frozen=True)
class Estimate:
    """The median of ``n`` runs and its 95 % interval; NaN without any."""

    median: float
    low: float
    high: float
    n: int


@dataclass(frozen=True)
class Difference:
    """A subject against its baseline.

    ``ratio`` is that of the medians, NaN over nothing, ``low`` and ``high`` the ends of its 95 %
    interval, NaN where a run of the baseline is at nothing or there are fewer than three of either.
    ``p`` is of this comparison alone, ``p_holm`` of it among all.
    ``could_have_seen``, where no difference was, is the smallest ratio (1.03: 3 % more, or as much
    less) that would have been found 80 % of the time; None if that cannot be said. ``needed`` is
    how many runs of each it takes to find anything at all.
    """

    ratio: float
    low: float
    high: float
    p: float
    p_holm: float
    verdict: Verdict
    could_have_seen: float | None
    needed: int

    @property
    def words(self) -> str:
        """The verdict as tables show it."""
        if self.verdict == "too few runs":
            return f"too few runs to tell (n ≥ {self.needed})"
        if self.verdict == "no difference seen" and self.could_have_seen is not None:
            return f"no difference seen (could have seen {shown_ratio(self.could_have_seen)})"
        return self.verdict


@dataclass(frozen=True)
class Row:
    """One metric of one cell. ``against`` and ``difference`` are None for the baseline itself and
    where there are no runs to compare. ``unusable`` tells, by status, the runs that do not count,
    and under ``no figure`` those without this metric."""

    cell: Cell
    metric: str
    unit: str
    better: Better
    estimate: Estimate
    against: Estimate | None = None
    difference: Difference | None = None
    unusable: Mapping[str, int] = dataclasses.field(default_factory=dict[str, int])

    @property
    def place(self) -> Place:
        return self.cell.place

    @property
    def subject(self) -> str:
        return self.cell.subject


def estimate(values: Sequence[float]) -> Estimate:
    """The median of the runs' ``values`` and its bootstrap interval over runs."""
    if not len(values):
        return Estimate(math.nan, math.nan, math.nan, 0)
    return Estimate(float(np.median(values)), *bootstrap.of_median(values), len(values))


def compare(
    a: Sequence[float], b: Sequence[float], better: Better, alpha: float = holm.ALPHA
) -> Difference:
    """``a`` against the baseline ``b``, by itself: each holds one value a run.

    ValueError if one of them is empty.
    """
    return compare_all([(together(a, b), better)], alpha)[0]


def compare_all(pairs: Sequence[Pair], alpha: float = holm.ALPHA) -> list[Difference]:
    """Each of the ``pairs`` as in ``compare``, corrected over all of them."""
    tests = [rank_test(strata) for strata, _ in pairs]
    p = [found.p for found in tests]
    threshold = holm.faced(p, alpha)
    return [
        _judged(pair, found, p_holm, alpha, threshold)
        for pair, found, p_holm in zip(pairs, tests, holm.adjusted(p).tolist(), strict=True)
    ]


def matrix(document: Document, baseline: str = "", alpha: float = holm.ALPHA) -> list[Row]:
    """A row for each metric of each cell, in the order in which cells were first run.

    ``baseline`` is a subject (``Cell.subject``); by default ``kernel``, or else the first of all.
    UnknownName if no cell has it. Only runs that are ``done`` count; of exact runs only the first
    under each seed, since a second one is the same run again.
    """
    cells = cells_of(document)
    against = baseline_of(document, baseline)
    bases = {cell.place: cell for cell in reversed(cells) if cell.subject == against}
    rows: list[Row] = []
    pairs: list[Pair | None] = []
    for cell, runs in cells.items():
        base = bases.get(cell.place)
        for metric, about in metrics_of(document, cell.workload).items():
            timed = timed_of(document, runs, metric)
            against = timed_of(document, cells[base], metric) if base and base != cell else []
            values, others = ([value for _, value in some] for some in (timed, against))
            better: Better = about["better"]
            rows.append(
                Row(
                    cell,
                    metric,
                    str(about.get("unit", "")),
                    better,
                    estimate(values),
                    estimate(others) if values and others else None,
                    unusable=_unusable(runs, metric),
                )
            )
            pairs.append((in_time(timed, against), better) if values and others else None)
    found = iter(compare_all([pair for pair in pairs if pair], alpha))
    return [
        dataclasses.replace(row, difference=next(found)) if pair else row
        for row, pair in zip(rows, pairs, strict=True)
    ]


def baseline_of(document: Document, baseline: str = "") -> str:
    """The subject that all others are compared with, see ``matrix``; empty without any run."""
    subjects = list(dict.fromkeys(run.cell.subject for run in document.runs))
    if baseline and baseline not in subjects:
        raise UnknownName("subject", baseline, hint=f"the result has {', '.join(subjects)}")
    return baseline or ("kernel" if "kernel" in subjects else next(iter(subjects), ""))


def metrics_of(document: Document, workload: str) -> Mapping[str, Mapping[str, Any]]:
    """What a workload says of its metrics, by name; nothing if the file does not know it."""
    about = cast("Mapping[str, Any]", document.workloads.get(workload, {}))
    return about.get("metrics", {})


def shown_ratio(ratio: float) -> str:
    """How far above 1 it is, rounded up: ``3 %``, or ``2.5×`` from two on."""
    if ratio >= 2:
        return f"{math.ceil(ratio * 10) / 10:g}×" if math.isfinite(ratio) else "nothing smaller"
    percent = (ratio - 1) * 100
    step = 1 if percent >= 10 else 0.1
    return f"{max(math.ceil(round(percent / step, 6)) * step, step):.3g} %"


def cells_of(document: Document) -> dict[Cell, list[Run]]:
    """All runs by their cell, both in the order in which they came."""
    cells: dict[Cell, list[Run]] = {}
    for run in document.runs:
        cells.setdefault(run.cell, []).append(run)
    return cells


def values_of(document: Document, runs: Iterable[Run], metric: str) -> list[float]:
    """The figure of each run that counts, see ``matrix``."""
    return [value for _, value in timed_of(document, runs, metric)]


def timed_of(document: Document, runs: Iterable[Run], metric: str) -> list[Timed]:
    """The same, each with its repetition. Time changes nothing in exact runs: all have the same."""
    counted = [run for run in runs if run.status == "done" and _has(run, metric)]
    if document.kind == "exact":
        counted = list({run.seed: run for run in reversed(counted)}.values())[::-1]
    is_exact = document.kind == "exact"
    return [(0 if is_exact else run.repetition, float(run.metrics[metric])) for run in counted]


def _unusable(runs: Iterable[Run], metric: str) -> dict[str, int]:
    counts: dict[str, int] = {}
    for run in runs:
        why = run.status if run.status != "done" else "no figure"
        if why != "no figure" or not _has(run, metric):
            counts[why] = counts.get(why, 0) + 1
    return counts


def _has(run: Run, metric: str) -> bool:
    return not math.isnan(run.metrics.get(metric, math.nan))


def _judged(
    pair: Pair, found: RankTest, p_holm: float, alpha: float, threshold: float
) -> Difference:
    """``threshold`` is the p that would have been small enough."""
    strata, better = pair
    a, b = strata.all_of_one, strata.all_of_other
    middle, base = float(np.median(a)), float(np.median(b))
    above = found.above - 0.5
    verdict: Verdict = "no difference seen"
    # The ranks' side and the medians' can differ only where both spread in different ways; then
    # neither may be called better.
    if p_holm <= alpha and above * (middle - base) > 0:
        verdict = "better" if (above < 0) == (better == "less") else "worse"
    elif smallest_p(strata.sizes) > threshold:
        verdict = "too few runs"
    low, high = (bootstrap.of_ratio(a, b) if min(b) > 0 else None) or (math.nan, math.nan)
    return Difference(
        middle / base if base > 0 else math.nan,
        low,
        high,
        found.p,
        p_holm,
        verdict,
        could_have_seen(strata, threshold) if verdict == "no difference seen" else None,
        runs_needed(threshold),
    )
