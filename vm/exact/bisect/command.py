"""``scxhid bench bisect``: both versions under every seed, and what differs."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click

from pyloader.errors import ScxhidError, WrongUse
from vm.exact import machine
from vm.exact.bisect import compare, lines, search, table
from vm.exact.bisect.measure import Measured, Place, check, first_difference, measure
from vm.exact.bisect.version import Version, present, subject_line, version
from vm.exact.run import NotIdentical
from vm.kernels import choose

FORMAT = "scxhid bisect 1"

#: A difference below it is not told, unless another threshold is asked for.
THRESHOLD = 0.001


class NotMeasured(ScxhidError):
    """With ``--fail-over``: there is no answer. ``git bisect run`` skips such a revision."""

    exit_status = 125


@dataclass(frozen=True)
class Request:
    """What the command line asks for. ``threshold`` and ``fail_over`` are shares; None: as usual,
    and never."""

    a: str
    b: str | None
    file: Path | None
    is_range: bool
    callback: str
    workload: str
    load: str
    cpus: int
    seeds: int
    threshold: float | None
    fail_over: float | None
    gate_all: bool
    kernel: str
    output: Path | None
    as_json: bool


@dataclass
class Bench:
    """Measures versions at one place, each once, and tells how far it is.

    The first seed of the first two is run twice, with ``gate_all`` every seed of all: whether
    counts repeat is a question of the machine more than of the version.
    """

    place: Place
    seeds: int
    gate_all: bool
    done: dict[tuple[str, str], Measured] = field(default_factory=dict[tuple[str, str], Measured])

    def runs(self, one: Version) -> list[Measured]:
        """The version under every seed.

        Raises:
            NotIdentical: a seed that was run twice counted otherwise.
        """
        return [self.run(one, seed) for seed in range(1, self.seeds + 1)]

    def run(self, one: Version, seed: int) -> Measured:
        subject = one.subject
        key = (f"{subject.object_sha256} {dict(subject.knobs)}", str(seed))
        if key not in self.done:
            _tell(f"{one.label}, seed {seed}")
            found = measure(subject, self.place, seed)
            versions = {version for version, _ in self.done} | {key[0]}
            if self.gate_all or (seed == 1 and len(versions) <= 2):
                _tell(f"{one.label}, seed {seed} again")
                self._require_same(one, found, measure(subject, self.place, seed))
            self.done[key] = found
        return self.done[key]

    def _require_same(self, one: Version, found: Measured, again: Measured) -> None:
        difference = first_difference(found, again)
        if difference:
            raise NotIdentical(
                f"{one.label} with seed {found.seed} did not give the same counts twice:"
                f" {difference}; nothing of it can be trusted"
            )


def run(request: Request) -> int:
    """Measure, print, and return the exit status.

    Raises:
        WrongUse: something in the request makes no sense; nothing was started.
        NotIdentical: a repeated run differs.
        NotMeasured: with ``--fail-over``, any other reason for which there is no answer.
    """
    try:
        return _run(request)
    except WrongUse:
        raise
    except ScxhidError as error:
        if request.fail_over is None:
            raise
        raise NotMeasured(str(error)) from error
    finally:
        _tell("")


def _run(request: Request) -> int:
    check(request.workload, request.load, request.cpus)
    if request.output and not request.output.parent.is_dir():
        raise ScxhidError(
            f"{request.output} cannot be written: there is no directory {request.output.parent}"
        )
    a, b = _versions(request)
    qemu = machine.require_qemu()
    kernel = choose(request.kernel, say=lambda text: click.echo(f"scxhid: {text}", err=True))
    place = Place(kernel, request.workload, request.load, request.cpus)
    bench = Bench(place, request.seeds, request.gate_all)
    threshold = THRESHOLD if request.threshold is None else request.threshold
    started = time.monotonic()
    found: search.Found | None = None
    if request.is_range and request.file:
        found = search.first_that_differs(
            request.file, a, b, bench.runs, threshold, request.threshold, request.callback, _tell
        )
        a, b = found.before, found.first
    else:
        for seed in range(1, request.seeds + 1):  # in turns, so that an early end has both
            for one in (a, b):
                bench.run(one, seed)
    rows = compare.rows(bench.runs(a), bench.runs(b), threshold)
    says = compare.sentence(rows, threshold)
    document = _document(request, place, qemu, (a, b), bench, rows, says, found)
    if request.output:
        _write(request.output, json.dumps(document, indent=1) + "\n")
    _tell("")
    if request.as_json:
        click.echo(json.dumps({k: v for k, v in document.items() if k != "runs"}))
    else:
        click.echo(_shown(request, a, b, rows, says, threshold, found))
        click.echo(f"{place.kernel.version}, {time.monotonic() - started:.0f} s on this host.")
    return int(request.fail_over is not None and _exceeds(rows, request.fail_over))


def _versions(request: Request) -> tuple[Version, Version]:
    if request.is_range and (request.file is None or request.b is None):
        raise WrongUse("--range needs two revisions and --file, of which it looks through")
    if request.callback and not request.is_range:
        raise WrongUse("--callback says which one --range is to follow, and there is no --range")
    if request.b is None and request.file is None:
        raise WrongUse("name two versions, or a revision and --file, to compare it with the file")
    a = version(request.a, request.file)
    if request.b is not None:
        return a, version(request.b, request.file)
    assert request.file is not None
    return a, present(request.file)


def _exceeds(rows: Sequence[compare.Row], limit: float) -> bool:
    """Whether a callback costs more by more than ``limit``, a share."""
    return any(row.verdict == "more" and row.ratio and row.ratio[0] - 1 > limit for row in rows)


def _shown(
    request: Request,
    a: Version,
    b: Version,
    rows: Sequence[compare.Row],
    says: str,
    threshold: float,
    found: search.Found | None,
) -> str:
    labels = [f"{side}: {_label(one, request.file)}" for side, one in (("A", a), ("B", b))]
    text = [*labels, "", table.table(rows, own_only=request.cpus > 1)]
    blocks = [table.lines(row) for row in rows if row.differs and not row.same_code]
    text += [f"\n{block}" for block in blocks if block]
    text += ["", table.verdict_line(says, threshold, request.seeds)]
    if found and request.file:
        at = [subject_line(request.file, commit) for commit in found.commits]
        text.append(
            f"The first at which {found.callback} differs from {request.a}: {at[0]}"
            + (
                f"; or one of those before it, which cannot be measured: {', '.join(at[1:])}"
                if at[1:]
                else ""
            )
        )
    return "\n".join(text)


def _label(one: Version, file: Path | None) -> str:
    return (
        f"{one.label[:12]} ({subject_line(file, one.commit)})" if one.commit and file else one.label
    )


def _document(
    request: Request,
    place: Place,
    qemu: str,
    versions: tuple[Version, Version],
    bench: Bench,
    rows: Sequence[compare.Row],
    says: str,
    found: search.Found | None,
) -> dict[str, Any]:
    measured = [bench.runs(one) for one in versions]
    return {
        "format": FORMAT,
        "a": _version_json(versions[0]),
        "b": _version_json(versions[1]),
        "kernel": place.kernel.version,
        "qemu": qemu,
        "workload": place.workload,
        "load": place.load,
        "cpus": place.cpus,
        "seeds": request.seeds,
        "threshold": THRESHOLD if request.threshold is None else request.threshold,
        "says": says,
        "callbacks": [_row_json(row) for row in rows],
        "first": list(found.commits) if found else None,
        "runs": [
            {
                "version": side,
                "seed": run.seed,
                "counts_sha256": run.sha256,
                "length_ns": run.length_ns,
                "host_s": round(run.host_s, 1),
                "command": list(run.command),
                "callbacks": {
                    name: {
                        "calls": c.calls,
                        "instructions": c.instructions,
                        "own_instructions": c.own_instructions,
                        "kernel_calls": c.kernel_calls,
                    }
                    for name, c in run.callbacks.items()
                },
            }
            for side, runs in zip(("a", "b"), measured, strict=True)
            for run in runs
        ],
    }


def _row_json(row: compare.Row) -> dict[str, Any]:
    found = lines.line_rows(row) if row.differs and not row.same_code else []
    return row.to_json() | {"lines": [vars(line) for line in found if line.difference]}


def _version_json(one: Version) -> dict[str, Any]:
    return {
        "asked": one.label,
        "commit": one.commit or None,
        "scheduler": one.subject.name,
        "knobs": dict(one.subject.knobs),
        "object_sha256": one.subject.object_sha256,
    }


def _write(path: Path, text: str) -> None:
    partial = path.with_name(path.name + ".partial")
    try:
        partial.write_text(text)
        partial.rename(path)
    except OSError as error:
        raise ScxhidError(f"{path} cannot be written: {error.strerror}") from None


def _tell(text: str) -> None:
    """Say what is being done, on a terminal only, in one line that is overwritten."""
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)
