"""A run as an entry of a result file's ``runs``, and back."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar, cast, get_args

import numpy as np

from vm.results.model import Arrays, Cell, Document, Run, Status

JsonObject = dict[str, Any]

_T = TypeVar("_T", str, int, bool)


class Malformed(ValueError):
    """A part of a file that is not what it should be; ``str()`` ends a sentence about the file."""


def plain(value: object) -> Any:
    """``value`` as JSON has it: tuples as lists, numpy's scalars as Python's, paths as text.

    A figure that is no number (NaN, or infinite) becomes None. TypeError for what JSON cannot hold.
    """
    match value:
        case None | bool() | str():
            return value
        case np.generic():
            return plain(cast("np.generic[Any]", value).item())
        case int():
            return int(value)
        case float():
            return float(value) if math.isfinite(value) else None
        case Path():
            return str(value)
        case Mapping():
            pairs = cast("Mapping[object, object]", value)
            return {str(key): plain(inner) for key, inner in pairs.items()}
        case list() | tuple():
            return [plain(inner) for inner in cast("Iterable[object]", value)]
        case _:
            raise TypeError(f"a result file cannot hold a {type(value).__name__}")


def entry(number: int, run: Run) -> JsonObject:
    """The entry of ``run``, whose arrays are named after its ``number``."""
    cell = run.cell
    return {
        "number": number,
        "scheduler": cell.scheduler,
        "mode": cell.mode,
        "knobs": plain(dict(cell.knobs)),
        "workload": cell.workload,
        "load": cell.load,
        "kernel": cell.kernel,
        "cpus": cell.cpus,
        "topology": cell.topology,
        "repetition": run.repetition,
        "seed": run.seed,
        "status": run.status,
        "reason": run.reason,
        "started": run.started,
        "seconds": plain(run.seconds),
        "metrics": plain(run.metrics),
        "conditions": plain(run.conditions),
        "samples_sha256": run.samples_sha256,
        "identical_twice": run.identical_twice,
    }


def run_of(given: object, number: int, arrays: Arrays) -> Run:
    """The run of an entry; ``arrays`` are its own, by name. Malformed tells what is wrong."""
    here = f"runs[{number}]"
    fields = mapping(given, here)
    if take(fields, "number", int, here) != number:
        raise Malformed(f"has another number than its place in {here}")
    status = take(fields, "status", str, here)
    if status not in get_args(Status):
        raise Malformed(f"has a status in {here} that is none: {status!r}")
    return Run(
        cell=Cell(
            scheduler=take(fields, "scheduler", str, here),
            mode=take(fields, "mode", str, here),
            knobs=_knobs(fields.get("knobs"), f"{here}.knobs"),
            workload=take(fields, "workload", str, here),
            load=take(fields, "load", str, here),
            kernel=take(fields, "kernel", str, here),
            cpus=take(fields, "cpus", int, here),
            topology=take(fields, "topology", str, here),
        ),
        repetition=take(fields, "repetition", int, here),
        seed=take(fields, "seed", int, here),
        status=cast("Status", status),
        reason=take(fields, "reason", str, here),
        started=take(fields, "started", str, here),
        seconds=_figure(fields.get("seconds"), f"{here}.seconds"),
        metrics={
            name: _figure(value, f"{here}.metrics[{name!r}]")
            for name, value in mapping(fields.get("metrics"), f"{here}.metrics").items()
        },
        conditions=mapping(fields.get("conditions"), f"{here}.conditions"),
        samples_sha256=_maybe(fields, "samples_sha256", str, here),
        identical_twice=_maybe(fields, "identical_twice", bool, here),
        arrays=arrays,
    )


def document_of(content: Mapping[str, Any], arrays: Sequence[Arrays]) -> Document:
    """The document of a whole file's content; ``arrays`` are those of each run in turn."""
    runs = items(content.get("runs"), "runs")
    workloads = mapping(content.get("workloads"), "workloads")
    for name, workload in workloads.items():
        here = f"workloads[{name!r}]"
        for metric, about in mapping(mapping(workload, here).get("metrics"), here).items():
            if mapping(about, f"{here}[{metric!r}]").get("better") not in ("less", "more"):
                raise Malformed(f"does not say in {here} whether less or more {metric!r} is better")
    return Document(
        kind=take(content, "kind", str, "it"),
        created=take(content, "created", str, "it"),
        command=tuple(str(word) for word in items(content.get("command"), "command")),
        seed=take(content, "seed", int, "it"),
        host=mapping(content.get("host"), "host"),
        workloads=workloads,
        runs=tuple(
            run_of(given, number, own)
            for number, (given, own) in enumerate(zip(runs, arrays, strict=True))
        ),
    )


def mapping(value: object, where: str) -> JsonObject:
    """``value``, which must be a JSON object."""
    if not isinstance(value, dict):
        raise Malformed(f"has no object in {where}")
    return cast("JsonObject", value)


def items(value: object, where: str) -> list[Any]:
    """``value``, which must be a JSON list."""
    if not isinstance(value, list):
        raise Malformed(f"has no list in {where}")
    return cast("list[Any]", value)


def take(fields: Mapping[str, Any], key: str, kind: type[_T], where: str) -> _T:
    """The field ``key``, which must be of that type."""
    value = fields.get(key)
    # In Python, True is a number.
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise Malformed(f"has no {kind.__name__} {key!r} in {where}")
    return value


def _maybe(fields: Mapping[str, Any], key: str, kind: type[_T], where: str) -> _T | None:
    return None if fields.get(key) is None else take(fields, key, kind, where)


def _knobs(given: object, where: str) -> tuple[tuple[str, Any], ...]:
    values = mapping(given, where)
    if any(isinstance(value, dict | list) for value in values.values()):
        raise Malformed(f"has a knob that is no single value in {where}")
    return tuple(values.items())


def _figure(value: object, where: str) -> float:
    if value is None:
        return math.nan
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Malformed(f"has no number in {where}")
    return value
