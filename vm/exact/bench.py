"""``scxhid bench run --exact``: every scheduler on every machine under every seed, and a table."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from pyloader.errors import ScxhidError, WrongUse
from vm.exact import machine
from vm.exact.metrics import medians
from vm.exact.plan import wakeup_phases
from vm.exact.run import Result, cell, document
from vm.exact.subject import Subject, subject
from vm.kernels import choose

WORKLOADS = ("wakeup",)

#: What somebody may ask for and an exact run cannot tell.
_NEEDS_REAL_TIME = ("throughput", "makespan", "hackbench", "build", "compile")

_COLUMNS = (
    ("p50", "p50_ns"),
    ("p99", "p99_ns"),
    ("p99.9", "p999_ns"),
    ("max", "max_ns"),
    ("floor p50", "floor_p50_ns"),
    ("floor p99", "floor_p99_ns"),
    ("idle p50", "idle_p50_ns"),
)


@dataclass(frozen=True)
class Request:
    """What the command line asks for, as it was typed."""

    exact: bool
    schedulers: Sequence[str]
    workloads: Sequence[str]
    seeds: int
    cpus: Sequence[str]
    kernel: str
    hogs: int
    work_us: int
    direct: bool
    gate_all: bool
    output: Path | None
    as_json: bool


def run(request: Request) -> None:
    """Check all of the request, measure, write, print.

    Raises:
        WrongUse: something in the request makes no sense; nothing was started.
        NotIdentical: a repeated run differs.
    """
    machines, subjects = _checked(request)
    kernel = choose(request.kernel, say=lambda text: click.echo(f"scxhid: {text}", err=True))
    phases = wakeup_phases(request.hogs, request.work_us * 1000)
    cells = [(s, cpus) for cpus in machines for s in subjects]
    results: list[Result] = []
    started = time.monotonic()
    try:
        for seed in range(1, request.seeds + 1):
            for number, (one, cpus) in enumerate(cells):
                done = (seed - 1) * len(cells) + number
                total = len(cells) * request.seeds
                _tell(f"{done + 1} of {total}: {one.label}, {cpus} CPUs, seed {seed}")
                gate = request.gate_all or seed == 1
                results.append(
                    cell(one, cpus=cpus, seed=seed, kernel=kernel, gate=gate, phases=phases)
                )
    finally:
        _tell("")
    summary = summarise(results)
    if request.output:
        _write(request.output, document(results, summary))
    if request.as_json:
        click.echo(json.dumps(summary))
        return
    click.echo(table(summary))
    click.echo(
        f"Medians over {request.seeds} seed{'s' if request.seeds > 1 else ''} and their 95 %"
        f" intervals, wake-up lateness in us; {time.monotonic() - started:.0f} s on this host."
    )


def _checked(request: Request) -> tuple[list[int], list[Subject]]:
    if not request.exact:
        raise WrongUse("only exact runs can be measured so far; add --exact")
    for name in request.workloads:
        if name in _NEEDS_REAL_TIME:
            raise WrongUse(
                f"an exact run cannot measure {name}: its time is the sum of what all CPUs do, so"
                " a machine with more CPUs only looks slower; throughput needs KVM or metal"
            )
        if name not in WORKLOADS:
            raise WrongUse(f"no workload is called {name!r}; there is {', '.join(WORKLOADS)}")
    machines: list[int] = []
    for text in request.cpus:
        if not text.isdecimal() or not 1 <= int(text) <= 64:
            raise WrongUse(f"--cpus takes numbers from 1 to 64 with commas between, not {text!r}")
        machines.append(int(text))
    output = request.output
    if output and not output.parent.is_dir():
        raise ScxhidError(f"{output} cannot be written: there is no directory {output.parent}")
    machine.require_qemu()
    return machines, [subject(text, direct=request.direct) for text in request.schedulers]


def summarise(results: Sequence[Result]) -> list[dict[str, Any]]:
    """One entry for each scheduler and machine: medians over seeds with their intervals."""
    groups: dict[tuple[str, int], list[Result]] = {}
    for result in results:
        groups.setdefault((result.subjects[0].label, result.cpus), []).append(result)
    return [
        {
            "scheduler": runs[0].subjects[0].name,
            "mode": runs[0].subjects[0].mode,
            "knobs": dict(runs[0].subjects[0].knobs),
            "workload": "wakeup",
            "cpus": cpus,
            "kernel": runs[0].kernel,
            "seeds": len(runs),
            "metrics": {
                name: {"median": middle, "low": low, "high": high}
                for name, (middle, low, high) in medians([r.metrics for r in runs]).items()
            },
        }
        for (_, cpus), runs in groups.items()
    ]


def table(summary: Sequence[dict[str, Any]]) -> str:
    """The summary in aligned columns: one line for each scheduler and machine, times in us."""
    rows = [["scheduler", "cpus", *(title for title, _ in _COLUMNS), "hogs' shares"]]
    for entry in summary:
        knobs = "".join(f":{name}={value}" for name, value in entry["knobs"].items())
        mode = "" if entry["mode"] == "kernel" else f" ({entry['mode']})"
        figures = entry["metrics"]
        rows.append(
            [
                f"{entry['scheduler']}{knobs}{mode}",
                str(entry["cpus"]),
                *(_shown(figures.get(name)) for _, name in _COLUMNS),
                _shares(figures),
            ]
        )
    widths = [max(len(row[at]) for row in rows) for at in range(len(rows[0]))]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if at == 0 else cell.rjust(width)
            for at, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    )


def _shown(figure: dict[str, float] | None) -> str:
    if figure is None:
        return "-"
    middle, low, high = (figure[name] / 1000 for name in ("median", "low", "high"))
    if low == high:
        return f"{middle:.4g}"
    return f"{middle:.4g} ({low:.4g}–{high:.4g})"


def _shares(figures: dict[str, dict[str, float]]) -> str:
    if "hog_share_least" not in figures:
        return "-"
    least, most = figures["hog_share_least"]["low"], figures["hog_share_most"]["high"]
    return f"{least:.2f}–{most:.2f}"


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
