"""Before and after: each cell of a file against the same cell of an earlier one."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pyloader.errors import WrongUse
from vm.report.blocks import BEFORE
from vm.report.files import File, cells, conditions_key, host_differences
from vm.results.model import Cell, Document, Run
from vm.stats.compare import (
    Pair,
    Row,
    cells_of,
    compare_all,
    estimate,
    metrics_of,
    values_of,
)
from vm.stats.strata import together


@dataclass(frozen=True)
class Change:
    """``rows`` are of the later file, each against the earlier one's same cell, corrected for many
    comparisons over all of them. ``both`` has the runs of both files, the earlier ones as subjects
    ``NAME (before)``. ``differing`` says in what else the two differ, ``only_before`` and
    ``only_after`` which cells have no counterpart."""

    document: Document
    both: Document
    rows: tuple[Row, ...]
    notes: tuple[str, ...]
    differing: tuple[str, ...]
    only_before: tuple[Cell, ...]
    only_after: tuple[Cell, ...]


def is_change(files: Sequence[File]) -> bool:
    """Whether the files are two that hold the same cells."""
    held = [set(cells(file.document)) for file in files]
    return len(held) == 2 and held[0] == held[1] and bool(held[0])


def change(before: File, after: File) -> Change:
    """Compare cell by cell.

    Where each file has one kernel, and not the same, cells are matched whatever the kernel.
    WrongUse if no cell is in both.
    """
    kernels = [sorted({run.cell.kernel for run in file.document.runs}) for file in (before, after)]
    is_across = len(kernels[0]) == len(kernels[1]) == 1 and kernels[0] != kernels[1]
    earlier = {_matched(cell, is_across): cell for cell in cells(before.document)}
    later = {_matched(cell, is_across): cell for cell in cells(after.document)}
    common = [key for key in later if key in earlier]
    if not common:
        raise WrongUse(
            f"{before.label} and {after.label} have no cell in common: they hold"
            f" {_told(before.document)}, and {_told(after.document)}"
        )
    cells_of_both = [cells_of(file.document) for file in (before, after)]
    rows: list[Row] = []
    pairs: list[Pair | None] = []
    for key in common:
        runs = [
            of[cell] for of, cell in zip(cells_of_both, (earlier[key], later[key]), strict=True)
        ]
        for metric, about in _metrics(before.document, after.document, key.workload).items():
            old, new = (
                values_of(file.document, own, metric)
                for file, own in zip((before, after), runs, strict=True)
            )
            rows.append(
                Row(
                    later[key],
                    metric,
                    str(about.get("unit", "")),
                    about["better"],
                    estimate(new),
                    against=estimate(old) if old else None,
                    unusable=Counter(run.status for run in runs[1] if run.status != "done"),
                )
            )
            # One after the other: what time did to them cannot be taken off.
            pairs.append((together(new, old), about["better"]) if new and old else None)
    differences = iter(compare_all([pair for pair in pairs if pair]))
    found = [
        dataclasses.replace(row, difference=next(differences)) if pair else row
        for row, pair in zip(rows, pairs, strict=True)
    ]
    numbers = {later[key] for key in common}
    kept = [run for run in after.document.runs if run.cell in numbers]
    former = {earlier[key]: _before(later[key]) for key in common}
    were = [
        dataclasses.replace(run, cell=former[run.cell])
        for run in before.document.runs
        if run.cell in former
    ]
    return Change(
        document=dataclasses.replace(after.document, runs=tuple(kept)),
        both=dataclasses.replace(
            after.document,
            runs=(*were, *kept),
            workloads={**before.document.workloads, **after.document.workloads},
        ),
        rows=tuple(found),
        notes=(f"{before.label} → {after.label}",),
        differing=tuple(_differing(before, after, kernels)),
        only_before=tuple(cell for key, cell in earlier.items() if key not in later),
        only_after=tuple(cell for key, cell in later.items() if key not in earlier),
    )


def _metrics(before: Document, after: Document, workload: str) -> Mapping[str, Mapping[str, Any]]:
    """What both declare, or only one of them."""
    return {**metrics_of(before, workload), **metrics_of(after, workload)}


def _before(cell: Cell) -> Cell:
    """The earlier file's cell, at the place of the later one's."""
    return dataclasses.replace(cell, scheduler=cell.scheduler + BEFORE)


def _matched(cell: Cell, is_across: bool) -> Cell:
    return dataclasses.replace(cell, kernel="") if is_across else cell


def _differing(before: File, after: File, kernels: Sequence[Sequence[str]]) -> list[str]:
    told: list[str] = []
    if kernels[0] != kernels[1]:
        told.append(f"kernel: {', '.join(kernels[0])}, {', '.join(kernels[1])}")
    if before.document.kind != "exact":
        told += host_differences(before, after)
    objects = [_objects(file.document.runs) for file in (before, after)]
    told += [
        f"object of {subject}: {_short(objects[0][subject])}, {_short(objects[1][subject])}"
        for subject in objects[0]
        if subject in objects[1] and objects[0][subject] != objects[1][subject]
    ]
    return told


def _objects(runs: Sequence[Run]) -> dict[str, tuple[str, ...]]:
    found: dict[str, set[str]] = {}
    for run in runs:
        found.setdefault(run.cell.subject, set()).add(conditions_key(run)[0])
    return {subject: tuple(sorted(keys)) for subject, keys in found.items()}


def _short(digests: Sequence[str]) -> str:
    return " and ".join(digest[:12] or "not said" for digest in digests)


def _told(document: Document) -> str:
    names = list(dict.fromkeys(f"{c.subject} ({c.workload})" for c in cells(document)))
    return ", ".join(names[:4]) + (", …" if len(names) > 4 else "") if names else "no run"
