"""Before and after: each cell of a file against the same cell of an earlier one."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

from pyloader.errors import WrongUse
from vm.report.files import File, cells, conditions_key, host_differences
from vm.results.model import Cell, Document, Run
from vm.stats.compare import Row, matrix

_BEFORE, _AFTER = "before", "after"


@dataclass(frozen=True)
class Change:
    """``rows`` are of the later file, each against the earlier one's same cell, corrected for many
    comparisons over all of them. ``differing`` says in what else the two differ, ``only_before``
    and ``only_after`` which cells have no counterpart."""

    document: Document
    rows: tuple[Row, ...]
    notes: tuple[str, ...]
    differing: tuple[str, ...]
    only_before: tuple[Cell, ...]
    only_after: tuple[Cell, ...]


def is_change(files: Sequence[File]) -> bool:
    """Whether the files are two that hold the same cells."""
    return len(files) == 2 and set(cells(files[0].document)) == set(cells(files[1].document))


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
    pairs = {key: number for number, key in enumerate(common)}
    numbers = {later[key]: number for key, number in pairs.items()}
    runs = [
        dataclasses.replace(run, cell=_stand_in(run.cell, name, pairs[key]))
        for file, name in ((before, _BEFORE), (after, _AFTER))
        for run in file.document.runs
        if (key := _matched(run.cell, is_across)) in pairs
    ]
    both = dataclasses.replace(after.document, runs=tuple(runs))
    found = [
        dataclasses.replace(row, cell=later[common[int(row.cell.topology)]])
        for row in matrix(both, _BEFORE)
        if row.cell.scheduler == _AFTER
    ]
    kept = [run for run in after.document.runs if run.cell in numbers]
    return Change(
        document=dataclasses.replace(after.document, runs=tuple(kept)),
        rows=tuple(found),
        notes=(f"{before.label} → {after.label}",),
        differing=tuple(_differing(before, after, kernels)),
        only_before=tuple(cell for key, cell in earlier.items() if key not in later),
        only_after=tuple(cell for key, cell in later.items() if key not in earlier),
    )


def _stand_in(cell: Cell, name: str, number: int) -> Cell:
    """A cell of a place that has only the two that are compared."""
    return Cell(name, "kernel", (), cell.workload, cell.load, "", cell.cpus, str(number))


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
