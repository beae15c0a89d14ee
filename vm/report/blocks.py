"""What is shown of a document: a block for each place, a line for each subject, metrics beside."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pyloader.errors import UnknownName
from vm.report.units import Scale, scale_of
from vm.results.model import Cell, Document, Run
from vm.stats.compare import Place, Row, baseline_of, matrix, metrics_of

#: Kinds of metrics that say nothing in an exact run, see vm.workloads.model.Kind.
_NOT_EXACT = frozenset({"throughput", "makespan"})


#: What a scheduler's name ends in where the runs of an earlier file are shown beside a later one's.
BEFORE = " (before)"


@dataclass(frozen=True)
class Column:
    """One metric of a block. ``kind`` and ``about`` are as the workload declared them."""

    metric: str
    better: str
    kind: str
    about: str
    scale: Scale

    @property
    def label(self) -> str:
        return metric_label(self.metric)

    @property
    def heading(self) -> str:
        """The label and the unit of its figures: ``p99 µs``."""
        return f"{self.label} {self.scale.unit}".rstrip()


@dataclass(frozen=True)
class Line:
    """One subject at a place, with a row of vm.stats for each metric. ``runs`` are those done."""

    subject: str
    cell: Cell
    runs: int
    rows: Mapping[str, Row]


@dataclass(frozen=True)
class Block:
    """All subjects at one place. ``best`` holds (subject, metric): the best median, and those whose
    intervals overlap with its; none where that would be all. ``is_change`` tells that each row is
    compared with the same subject in an earlier file, and not with ``baseline``."""

    place: Place
    baseline: str
    columns: tuple[Column, ...]
    lines: tuple[Line, ...]
    best: frozenset[tuple[str, str]]
    is_change: bool = False

    @property
    def title(self) -> str:
        return place_title(self.place)


@dataclass(frozen=True)
class Unusable:
    """Runs of one cell that gave no figures, for one reason."""

    cell: Cell
    status: str
    reason: str
    numbers: tuple[int, ...]

    @property
    def words(self) -> str:
        count = len(self.numbers)
        what = f"{count} run{'s' if count > 1 else ''} {self.status}"
        return what + (f": {self.reason}" if self.reason else "")


@dataclass(frozen=True)
class Choice:
    """Which metrics, workloads and loads are asked for; all where empty."""

    metrics: Sequence[str] = ()
    workloads: Sequence[str] = ()
    loads: Sequence[str] = ()

    def check(self, documents: Iterable[Document]) -> None:
        """UnknownName for a word that names nothing in ``documents``."""
        documents = list(documents)
        cells = [run.cell for document in documents for run in document.runs]
        metrics = {
            metric
            for document in documents
            for workload in document.workloads
            for metric in metrics_of(document, workload)
        }
        for kind, words, names in (
            ("workload of the result", self.workloads, {cell.workload for cell in cells}),
            ("load of the result", self.loads, {cell.load for cell in cells}),
            ("metric of the result", self.metrics, metrics),
        ):
            for word in words:
                if word not in names:
                    raise UnknownName(kind, word, hint=f"there is {', '.join(sorted(names))}")

    def has(self, row: Row) -> bool:
        return all(
            not wanted or word in wanted
            for wanted, word in (
                (self.metrics, row.metric),
                (self.workloads, row.cell.workload),
                (self.loads, row.cell.load),
            )
        )


def blocks(document: Document, baseline: str = "", choice: Choice | None = None) -> list[Block]:
    """The blocks of ``document``, against a subject (as in ``vm.stats.compare.matrix``).

    UnknownName if no cell has that subject. What is corrected for many comparisons is corrected for
    all of the document, whatever is chosen to be shown.
    """
    against = baseline_of(document, baseline)
    return arranged(document, matrix(document, baseline), choice, baseline=against)


def arranged(
    document: Document,
    rows: Iterable[Row],
    choice: Choice | None = None,
    *,
    baseline: str = "",
) -> list[Block]:
    """``rows``, which are of ``document``, by place; without a ``baseline`` each is compared with
    its own subject in an earlier file."""
    by_place: dict[Place, list[Row]] = {}
    for row in rows:
        if choice is None or choice.has(row):
            by_place.setdefault(row.place, []).append(row)
    done = counted_runs(document)
    return [
        _block(document, place, rows, done, baseline)
        for place, rows in sorted(by_place.items(), key=lambda one: _order(document, one[0]))
    ]


def unusable(document: Document) -> list[Unusable]:
    """The runs that gave no figures, by cell, status and reason."""
    found: dict[tuple[Cell, str, str], list[int]] = {}
    for number, run in enumerate(document.runs):
        if run.status != "done":
            reason = " ".join(run.reason.split())
            found.setdefault((run.cell, run.status, reason), []).append(number)
    return [Unusable(*what, tuple(numbers)) for what, numbers in found.items()]


def headline(block: Block) -> Column | None:
    """The metric that stands for a block where there is room for one: its first 99th percentile,
    or else what its workload declares first."""
    of_tail = (column for column in block.columns if "p99" in column.metric)
    return next(of_tail, next(iter(block.columns), None))


def throughput(block: Block) -> Column | None:
    """How much was done, if the workload says so."""
    return next((column for column in block.columns if column.kind == "throughput"), None)


def main_columns(block: Block, most: int = 4) -> list[Column]:
    """The metrics that stand for a block where there is not room for all: the headline, the
    throughput, then as they are declared."""
    first = [column for column in (headline(block), throughput(block)) if column]
    chosen = list(dict.fromkeys([*first, *block.columns]))[:most]
    return [column for column in block.columns if column in chosen]


def place_title(place: Place) -> str:
    """A place in words: ``wakeup · full load · 4 CPUs · kernel 7.3.4``."""
    workload, load, kernel, cpus, topology = place
    parts = [workload, load_title(load), cpus_title(cpus, topology), f"kernel {kernel}"]
    return " · ".join(part for part in parts if part)


def load_title(load: str) -> str:
    """``full load``; nothing for a workload without loads."""
    return load if load in ("", "idle") else f"{load} load"


def cpus_title(cpus: int, topology: str) -> str:
    """``4 CPUs`` and their topology."""
    return f"{cpus} CPU{'s' if cpus != 1 else ''}" + (f" ({topology})" if topology else "")


def metric_label(metric: str) -> str:
    """A metric's name as people say it: ``idle_p999_ns`` is ``idle p99.9``."""
    words = re.sub(r"_(ns|us|ms|per_s|s)$", "", metric).replace("_", " ")
    return re.sub(r"\bp(\d\d)(\d+)\b", r"p\1.\2", words)


def about_metric(document: Document, workload: str, metric: str) -> Mapping[str, Any]:
    """What the workload declares of the metric; empty if it does not."""
    return metrics_of(document, workload).get(metric, {})


def _block(
    document: Document,
    place: Place,
    rows: Sequence[Row],
    done: Mapping[Cell, Collection[Run]],
    baseline: str,
) -> Block:
    by_cell: dict[Cell, dict[str, Row]] = {}
    for row in rows:
        by_cell.setdefault(row.cell, {})[row.metric] = row
    names = dict.fromkeys(row.metric for row in rows if row.estimate.n or row.against)
    columns = [_column(document, place[0], name, rows) for name in names]
    if document.kind == "exact":
        columns = [column for column in columns if column.kind not in _NOT_EXACT]
    return Block(
        place=place,
        baseline=baseline if any(cell.subject == baseline for cell in by_cell) else "",
        columns=tuple(columns),
        lines=tuple(
            Line(cell.subject, cell, len(done.get(cell, ())), of_metric)
            for cell, of_metric in sorted(
                by_cell.items(), key=lambda one: _subject_order(one[0], baseline)
            )
        ),
        best=frozenset(
            (subject, column.metric)
            for column in columns
            for subject in _best([row for row in rows if row.metric == column.metric])
        ),
        is_change=not baseline,
    )


def _column(document: Document, workload: str, metric: str, rows: Iterable[Row]) -> Column:
    about = about_metric(document, workload, metric)
    values = [
        one.median
        for row in rows
        if row.metric == metric
        for one in (row.estimate, row.against)
        if one
    ]
    return Column(
        metric,
        str(about.get("better", "less")),
        str(about.get("kind", "")),
        str(about.get("about", "")),
        # Exact runs hardly spread: what differs by a thousandth differs.
        scale_of(str(about.get("unit", "")), values, 4 if document.kind == "exact" else 3),
    )


def _subject_order(cell: Cell, baseline: str) -> tuple[Any, ...]:
    """The baseline, then by name, numbers in names by size: runs come in a shuffled order."""
    parts = re.split(r"([0-9]+)", cell.subject)
    # Every second part is a number.
    return cell.subject.replace(BEFORE, "", 1) != baseline, [
        int(part) if number % 2 else part for number, part in enumerate(parts)
    ]


#: With fewer runs an interval is too narrow to tell who is best.
_FEWEST_OF_BEST = 3


def _best(rows: Sequence[Row]) -> list[str]:
    measured = [row for row in rows if row.estimate.n]
    if len(measured) < 2 or min(row.estimate.n for row in measured) < _FEWEST_OF_BEST:
        return []
    is_less = measured[0].better == "less"
    first = sorted(measured, key=lambda row: row.estimate.median * (1 if is_less else -1))[0]
    alike = [
        row.subject
        for row in measured
        if row.estimate.low <= first.estimate.high and first.estimate.low <= row.estimate.high
    ]
    return alike if len(alike) < len(measured) else []


def counted_runs(document: Document) -> dict[Cell, list[Run]]:
    """The runs that count, by cell: of exact ones the first under each seed."""
    found: dict[Cell, dict[object, Run]] = {}
    for number, run in enumerate(document.runs):
        if run.status == "done":
            key = run.seed if document.kind == "exact" else number
            found.setdefault(run.cell, {}).setdefault(key, run)
    return {cell: list(runs.values()) for cell, runs in found.items()}


_LOADS = ("idle", "light", "full", "over")


def _order(document: Document, place: Place) -> tuple[Any, ...]:
    """By workload as in the file, then kernel, CPUs, and rising load."""
    workload, load, kernel, cpus, topology = place
    workloads = list(document.workloads)
    rank = _LOADS.index(load) if load in _LOADS else len(_LOADS)
    at = workloads.index(workload) if workload in workloads else math.inf
    return at, kernel, cpus, topology, rank, load
