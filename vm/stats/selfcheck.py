"""Whether verdicts can be trusted: false alarms among equals, and planted slowdowns found.

Each comparison has runs of its own, whose labels were given before they were made; so nothing that
comparisons share, and no choice made afterwards, decides how many are alike. Runs drawn at random
from one pool would pass however wrong the order of the runs was: dealt out at random, equals differ
as often as the test promises, by its very construction.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from vm.results.model import Cell, Document, Run
from vm.stats import holm
from vm.stats.compare import (
    Difference,
    Pair,
    Row,
    cells_of,
    compare_all,
    matrix,
    metrics_of,
    values_of,
)
from vm.stats.strata import in_time, runs_needed, sizes_of, smallest_p, together

#: How often equals may be called different, and how often a planted slowdown has to be found.
MOST_ALARMS, LEAST_FOUND = 0.05, 0.8

#: The subjects of a comparison.
SAME, AGAIN, MORE = "work", "work-again", "more-work"

#: So few false alarms by p alone come from chance alone, in 999 of 1,000 checks.
_SURE = 0.999


@dataclass(frozen=True)
class Share:
    """Of ``of`` comparisons, how many the verdicts told, corrected over all of them, and how many
    would have been told by p ≤ 0.05 alone."""

    told: int
    alone: int
    of: int

    @property
    def told_share(self) -> float:
        return self.told / self.of if self.of else math.nan


@dataclass(frozen=True)
class Checked:
    """One metric. ``slowdown`` is the median ratio that was measured where one was planted,
    ``spread`` how far runs lie from their median in the middle, as a part of it."""

    metric: str
    alarms: Share
    planted: Share
    slowdown: float
    spread: float

    @property
    def alarms_met(self) -> bool:
        """Whether equals were rarely enough told apart, by verdicts and by p alone."""
        return self.alarms.told_share <= MOST_ALARMS and self.alarms.alone <= most_by_chance(
            self.alarms.of
        )

    @property
    def found_met(self) -> bool:
        return self.planted.told_share >= LEAST_FOUND


@dataclass(frozen=True)
class Halves:
    """Equal halves of each cell's runs, every metric: ``turns`` of every other run, ``times`` of
    the first runs against the last ones; ``drifting`` are those of the latter with a verdict."""

    turns: Share
    times: Share
    drifting: Sequence[tuple[Cell, str]]


def comparisons(document: Document, size: int) -> Document:
    """The same runs as comparisons of ``size`` runs each, one after the other in time.

    The workloads of ``document`` become the subjects; each comparison is a place.
    """
    metrics = metrics_of(document, SAME)
    runs = tuple(
        dataclasses.replace(run, cell=_labelled(run, size))
        for run in document.runs
        if run.cell.workload in (SAME, AGAIN, MORE)
    )
    workloads = {"selfcheck": {"about": "", "metrics": metrics}}
    return dataclasses.replace(document, workloads=workloads, runs=runs)


def is_selfcheck(document: Document, metric: str) -> bool:
    """Whether it holds what ``comparisons`` takes, with that metric."""
    workloads = {run.cell.workload for run in document.runs}
    return workloads == {SAME, AGAIN, MORE} and metric in metrics_of(document, SAME)


def checked(document: Document) -> list[Checked]:
    """The figures of each metric, of what ``comparisons`` made: verdicts as a matrix of that metric
    alone has them."""
    return [
        _checked(metric, matrix(_alone(document, metric), SAME), _spread(document, metric))
        for metric in metrics_of(document, "selfcheck")
    ]


def fewest_runs(nr_comparisons: int) -> int:
    """How many runs of each a comparison needs to find anything, corrected over all of them."""
    return runs_needed(holm.ALPHA / (2 * nr_comparisons))


def most_by_chance(of: int, alpha: float = holm.ALPHA, sure: float = _SURE) -> int:
    """How many of ``of`` comparisons of equals have p ≤ ``alpha`` at most, nearly always."""
    found, k = 0.0, -1
    while found < sure and k < of:
        k += 1
        found += math.comb(of, k) * alpha**k * (1 - alpha) ** (of - k)
    return max(k, 0)


def halves(document: Document) -> Halves:
    """Compare the runs of each cell with themselves.

    Left out are cells with fewer than four runs in a half, which can tell nothing. In an exact
    result ``times`` is empty: nothing changes with time there.
    """
    turns: list[Pair] = []
    times: list[Pair] = []
    names: list[tuple[Cell, str]] = []
    for cell, runs in cells_of(document).items():
        for metric, about in metrics_of(document, cell.workload).items():
            values = values_of(document, runs, metric)
            half = len(values) // 2
            if not half or smallest_p(sizes_of(half)) > holm.ALPHA:
                continue
            names.append((cell, metric))
            in_turns = list(enumerate(values[::2])), list(enumerate(values[1::2]))
            turns.append((in_time(*in_turns), about["better"]))
            if document.kind != "exact":
                times.append((together(values[:half], values[half:]), about["better"]))
    of_times = compare_all(times)
    drifting = [
        name for name, d in zip(names, of_times, strict=False) if d.verdict in ("better", "worse")
    ]
    of_turns = compare_all(turns)
    return Halves(_share(of_turns), _share(of_times), drifting)


def not_identical(document: Document) -> list[str]:
    """Of an exact result: where two runs of one cell under one seed differ, in words."""
    seen: dict[tuple[Cell, int], str | None] = {}
    found: list[str] = []
    for run in document.runs:
        if run.status != "done":
            continue
        key = run.cell, run.seed
        if seen.setdefault(key, run.samples_sha256) != run.samples_sha256:
            found.append(
                f"{run.cell.subject}, {run.cell.workload} {run.cell.load}, seed {run.seed}"
            )
    return found


def _labelled(run: Run, size: int) -> Cell:
    number = run.repetition // size + 1
    return dataclasses.replace(
        run.cell,
        scheduler=run.cell.workload,
        workload="selfcheck",
        load=f"comparison {number}",
    )


def _checked(metric: str, rows: Sequence[Row], spread: float) -> Checked:
    same = [row.difference for row in rows if row.subject == AGAIN and row.difference]
    more = [row.difference for row in rows if row.subject == MORE and row.difference]
    slower = [d for d in more if d.ratio > 1]
    return Checked(
        metric,
        _share(same),
        Share(
            sum(d.verdict == "worse" for d in more),
            sum(d.p <= holm.ALPHA for d in slower),
            len(more),
        ),
        float(np.median([d.ratio for d in more])) if more else math.nan,
        spread,
    )


def _share(differences: Iterable[Difference]) -> Share:
    every = list(differences)
    return Share(
        sum(d.verdict in ("better", "worse") for d in every),
        sum(d.p <= holm.ALPHA for d in every),
        len(every),
    )


def _alone(document: Document, metric: str) -> Document:
    about = {metric: metrics_of(document, "selfcheck")[metric]}
    return dataclasses.replace(document, workloads={"selfcheck": {"metrics": about}})


def _spread(document: Document, metric: str) -> float:
    """Half the distance of the quartiles over the median, of all runs of the same work."""
    runs = [run for run in document.runs if run.cell.scheduler != MORE]
    values = values_of(document, runs, metric)
    low, middle, high = np.quantile(values, [0.25, 0.5, 0.75]) if values else [math.nan] * 3
    return float((high - low) / 2 / middle)
