"""A result kept to judge later ones by: saved by name, and what is worse than it told."""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pyloader.errors import NotPermitted, ScxhidError, UnknownName, WrongUse
from vm.report.blocks import cpus_title, metric_label, place_title
from vm.report.change import Change, change
from vm.report.files import File, cells
from vm.report.units import scale_of
from vm.results.file import read, write
from vm.results.model import Cell, Document
from vm.stats.compare import Row

#: Where baselines are kept, below the working directory: a repository's, for its CI.
FOLDER = Path(".scxhid-bench")

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,99}")


@dataclass(frozen=True)
class Finding:
    """One metric of one cell that changed, or of which there is no figure any more."""

    row: Row
    text: str


@dataclass(frozen=True)
class Check:
    """What a check found. ``worse`` fails it, ``within`` got worse by less than is allowed,
    ``blind`` would not have shown a difference of that size; ``unsure`` comparisons have too few
    runs, of which it takes ``runs_needed``."""

    compared: int
    worse: tuple[Finding, ...]
    within: tuple[Finding, ...]
    better: tuple[Finding, ...]
    unsure: int
    runs_needed: int
    blind: tuple[Finding, ...]
    change: Change


def path_of(folder: Path, name: str) -> Path:
    """Where the baseline ``name`` is kept. WrongUse if it is no name."""
    if not _NAME.fullmatch(name):
        raise WrongUse(
            f"{name!r} is no name for a baseline: letters, digits and . _ + - after the first"
        )
    # Not with_suffix: a name may have a dot in it.
    return folder / f"{name}.json"


def save(folder: Path, name: str, document: Document) -> Path:
    """Keep the figures of ``document``, without its samples: they are not compared.

    Raises:
        WrongUse: there is no run with figures to compare with, or ``name`` is none.
        ScxhidError, NotPermitted: it cannot be written.
    """
    path = path_of(folder, name)
    if not any(run.status == "done" and run.metrics for run in document.runs):
        raise WrongUse("a baseline needs runs with figures, and this result has none")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except PermissionError as error:
        raise NotPermitted(f"{folder} cannot be made: {error.strerror}") from None
    except OSError as error:
        raise ScxhidError(f"{folder} cannot be made: {error.strerror}") from None
    bare = [dataclasses.replace(run, arrays={}) for run in document.runs]
    write(path, dataclasses.replace(document, runs=tuple(bare)))
    return path


def load(folder: Path, name: str) -> File:
    """The baseline ``name``. UnknownName if there is none."""
    path = path_of(folder, name)
    if not path.is_file():
        raise UnknownName("baseline", name, hint=_hint(folder))
    return File(path, f"baseline {name}", read(path))


def saved(folder: Path) -> list[Path]:
    """The baselines that are kept."""
    return sorted(path for path in folder.glob("*.json") if _NAME.fullmatch(path.stem))


def remove(folder: Path, name: str) -> None:
    """Forget the baseline ``name``. UnknownName if there is none."""
    path = path_of(folder, name)
    try:
        path.unlink()
    except FileNotFoundError:
        raise UnknownName("baseline", name, hint=_hint(folder)) from None
    except OSError as error:
        raise ScxhidError(f"{path} cannot be removed: {error.strerror}") from None


def check(before: File, after: File, allowed: float, *, anyway: bool = False) -> Check:
    """Compare ``after`` with the baseline. ``allowed`` is the share (0.05: 5 %) by which a median
    may be worse.

    A metric fails if a test sees it worse, corrected over all that is compared, and its median is
    worse by more than ``allowed``; or if the baseline has a figure, and no run has one any more.
    WrongUse if ``after`` lacks something that the baseline has, unless ``anyway``.
    """
    if not anyway:
        _require_same(before, after)
    found = change(before, after)
    worse: list[Finding] = []
    within: list[Finding] = []
    better: list[Finding] = []
    blind: list[Finding] = []
    unsure, needed, compared = 0, 0, 0
    for row in found.rows:
        if row.against and not row.estimate.n:
            worse.append(Finding(row, _gone(row)))
        if row.difference is None:
            continue
        compared += 1
        loss = excess(row)
        if row.difference.verdict == "too few runs":
            unsure += 1
            needed = max(needed, row.difference.needed)
        elif row.difference.verdict == "worse":
            (worse if loss > allowed else within).append(Finding(row, told(row)))
        elif row.difference.verdict == "better":
            better.append(Finding(row, told(row)))
        elif _is_blind(row, allowed):
            blind.append(Finding(row, told(row)))
    return Check(
        compared,
        tuple(sorted(worse, key=lambda one: -excess(one.row))),
        tuple(within),
        tuple(better),
        unsure,
        needed,
        tuple(blind),
        found,
    )


def excess(row: Row) -> float:
    """By which share the median is worse (0.05: 5 % more of what should be less, or 5 % less of
    what should be more); infinite where the baseline's is nothing."""
    if row.against is None or not row.estimate.n:
        return math.inf
    old, new = row.against.median, row.estimate.median
    if not old:
        return math.inf if new != old else 0.0
    return (new - old) / abs(old) * (1 if row.better == "less" else -1)


def told(row: Row) -> str:
    """``simple · wakeup · …: p99 1.20 ms → 1.56 ms, 30 % worse``."""
    if row.against is None:
        return f"{_where(row.cell)}: {metric_label(row.metric)}"
    scale = scale_of(row.unit, [row.against.median, row.estimate.median])
    by = excess(row)
    size = f"{abs(by) * 100:.1f} % {'worse' if by > 0 else 'better'}" if math.isfinite(by) else ""
    change = f"{scale.with_unit(row.against.median)} → {scale.with_unit(row.estimate.median)}"
    return f"{_where(row.cell)}: {metric_label(row.metric)} {change}" + (f", {size}" * bool(size))


def _gone(row: Row) -> str:
    why = ", ".join(f"{count} {status}" for status, count in row.unusable.items()) or "no figure"
    return f"{_where(row.cell)}: {metric_label(row.metric)} has no figure any more ({why})"


def _is_blind(row: Row, allowed: float) -> bool:
    """Whether a difference of the size that fails could not have been seen."""
    seen = row.difference.could_have_seen if row.difference else None
    return seen is None or seen - 1 > allowed


def _where(cell: Cell) -> str:
    return f"{cell.subject} · {place_title(cell.place)}"


def _require_same(before: File, after: File) -> None:
    """WrongUse, naming what differs, if the later file lacks a cell of the baseline."""
    if before.document.kind != after.document.kind:
        kinds = f"{before.document.kind}, now {after.document.kind}"
        raise WrongUse(
            f"{before.label} is of another kind of runs ({kinds}): times differ in meaning"
        )
    missing = [cell for cell in cells(before.document) if cell not in set(cells(after.document))]
    if not missing:
        return
    differing: list[str] = []
    for what, of in _DIMENSIONS.items():
        old, new = ({of(cell) for cell in cells(one.document)} for one in (before, after))
        if old - new:
            differing.append(f"{what}: {_list(old)}, now {_list(new)}")
    if not differing:
        differing = [f"{len(missing)} missing, such as {_where(missing[0])}"]
    raise WrongUse(
        f"{after.label} was not measured as {before.label} was ({'; '.join(differing)}); measure"
        " the same again, save a new baseline, or compare what both have with --anyway"
    )


_DIMENSIONS: dict[str, Callable[[Cell], str]] = {
    "kernel": lambda cell: cell.kernel,
    "machine": lambda cell: cpus_title(cell.cpus, cell.topology),
    "workload": lambda cell: cell.workload,
    "load": lambda cell: cell.load,
    "scheduler": lambda cell: cell.subject,
}


def identical(before: File, after: File) -> tuple[int, int]:
    """Of exact runs that both have: how many are the same bit for bit, and how many there are."""
    old = {(run.cell, run.seed): run.samples_sha256 for run in before.document.runs}
    both = {
        (run.cell, run.seed): run.samples_sha256
        for run in after.document.runs
        if run.samples_sha256 and old.get((run.cell, run.seed))
    }
    return sum(old[key] == digest for key, digest in both.items()), len(both)


def _list(words: set[str]) -> str:
    return " and ".join(sorted(words)) or "none"


def _hint(folder: Path) -> str:
    names = [path.stem for path in saved(folder)]
    return f"{folder} has {', '.join(names)}" if names else f"there is none in {folder}"
