"""Several result files: which runs may be put together, and what is said where they may not."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pyloader.errors import WrongUse
from vm.results.file import read
from vm.results.model import Cell, Document, Run

#: What the host says of itself that changes from one hour to the next.
_PASSING = frozenset({"load", "loadavg", "host_load", "memory_free", "uptime", "time", "date"})

#: The conditions of a run without which two runs of one cell are not the same thing.
_SAME = ("object_sha256", "qemu", "accel", "autogroup")


@dataclass(frozen=True)
class File:
    """A result file; ``label`` is the shortest name that only it has."""

    path: Path
    label: str
    document: Document


@dataclass(frozen=True)
class Together:
    """Runs that can be compared with each other. ``label`` names their files where there are
    others that they cannot be compared with."""

    document: Document
    label: str = ""


def read_all(paths: Sequence[Path]) -> list[File]:
    """Read the files.

    Raises:
        BadResult: one cannot be read.
        WrongUse: one is given twice, or they are of different kinds.
    """
    if not paths:
        raise WrongUse("no result file is named")
    seen: set[Path] = set()
    for path in paths:
        if path.resolve() in seen:
            raise WrongUse(f"{path} is given twice")
        seen.add(path.resolve())
    files = [
        File(path, label, read(path)) for path, label in zip(paths, _labels(paths), strict=True)
    ]
    first = files[0]
    for other in files[1:]:
        if other.document.kind != first.document.kind:
            kinds = {"exact": "exact runs", "vm": "runs in virtual machines"}
            of = [kinds.get(one.document.kind, one.document.kind) for one in (first, other)]
            raise WrongUse(
                f"{first.label} holds {of[0]} and {other.label} {of[1]}: time in the one is not"
                " time in the other; compare them each by itself"
            )
        _require_same_metrics(first, other)
    return files


def put_together(files: Sequence[File]) -> tuple[list[Together], list[str]]:
    """Documents whose runs may be compared, and remarks on what was found on the way.

    Runs on different hosts are kept apart, but for exact ones, which no host changes. Runs of one
    cell under other conditions (another object of the same name) become a subject of their own.
    """
    notes: list[str] = []
    groups: list[list[File]] = []
    for file in files:
        for group in groups:
            if file.document.kind == "exact" or not host_differences(group[0], file):
                group.append(file)
                break
        else:
            groups.append([file])
    if len(groups) > 1:
        notes.append(
            f"{groups[0][0].label} and {groups[1][0].label} were measured on different hosts"
            f" ({'; '.join(host_differences(groups[0][0], groups[1][0]))}), so they are shown one"
            " after the other and not compared"
        )
    kernels = {run.cell.kernel for file in files for run in file.document.runs}
    if len(files) > 1 and len(kernels) > 1:
        notes.append(f"kernels differ: {', '.join(sorted(kernels))}; each is compared by itself")
    together = [
        Together(_merged(group, notes), _joined(group) if len(groups) > 1 else "")
        for group in groups
    ]
    return together, notes


def host_differences(one: File, other: File) -> list[str]:
    """In what the hosts of two files differ: ``cpu: A, B``."""
    a, b = one.document.host, other.document.host
    return [
        f"{key}: {a.get(key, 'not said')}, {b.get(key, 'not said')}"
        for key in dict.fromkeys([*a, *b])
        if key not in _PASSING and a.get(key) != b.get(key)
    ]


def conditions_key(run: Run) -> tuple[str, ...]:
    """What must be equal for two runs of one cell to be put together."""
    return tuple(str(run.conditions.get(key, "")) for key in _SAME)


def cells(document: Document) -> list[Cell]:
    """The cells in the order in which they were first run."""
    return list(dict.fromkeys(run.cell for run in document.runs))


def _merged(files: Sequence[File], notes: list[str]) -> Document:
    if len(files) == 1:
        return files[0].document
    first_of: dict[Cell, tuple[str, tuple[str, ...]]] = {}
    known: dict[object, Run] = {}
    runs: list[Run] = []
    renamed: set[tuple[str, str]] = set()
    again = 0
    for file in files:
        for run in file.document.runs:
            same = _identity(file.document, run)
            if same in known and known[same].metrics == run.metrics:
                again += 1
                continue
            known.setdefault(same, run)
            label, conditions = first_of.setdefault(run.cell, (file.label, conditions_key(run)))
            if conditions == conditions_key(run):
                runs.append(run)
                continue
            if file.label != label:
                renamed.add((run.cell.subject, file.label))
                cell = dataclasses.replace(
                    run.cell, scheduler=f"{run.cell.scheduler} [{file.label}]"
                )
                run = dataclasses.replace(run, cell=cell)
            runs.append(run)
    for subject, label in sorted(renamed):
        notes.append(
            f"{subject} in {label} is another object, or was measured in another way, than in the"
            f" files before it: it is shown as a subject of its own, [{label}]"
        )
    if again:
        notes.append(f"{again} run{'s' if again > 1 else ''} stood in two files and count once")
    first = files[0].document
    return dataclasses.replace(
        first,
        host=first.host,
        workloads=_workloads(files),
        runs=tuple(runs),
    )


def _identity(document: Document, run: Run) -> object:
    """Equal for a run and its copy in another file."""
    if document.kind == "exact":
        return run.cell, run.seed, conditions_key(run)
    return run.cell, run.repetition, run.seed, run.started, run.seconds, run.status


def _workloads(files: Iterable[File]) -> Mapping[str, Any]:
    known: dict[str, Any] = {}
    for file in files:
        for name, about in file.document.workloads.items():
            known.setdefault(name, about)
    return known


def _require_same_metrics(first: File, other: File) -> None:
    for workload in first.document.workloads.keys() & other.document.workloads.keys():
        ours, theirs = (
            one.document.workloads[workload].get("metrics", {}) for one in (first, other)
        )
        for metric in ours.keys() & theirs.keys():
            for key in ("unit", "better"):
                if ours[metric].get(key) != theirs[metric].get(key):
                    raise WrongUse(
                        f"{metric} of {workload} is not the same thing in {first.label} and"
                        f" {other.label}: its {key!r} is {ours[metric].get(key)} and"
                        f" {theirs[metric].get(key)}"
                    )


def _labels(paths: Sequence[Path]) -> list[str]:
    names = [path.name for path in paths]
    return [path.name if names.count(path.name) == 1 else str(path) for path in paths]


def _joined(files: Sequence[File]) -> str:
    return ", ".join(file.label for file in files)
