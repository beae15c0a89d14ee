"""``scxhid bench input``: where it is measured, and how it is told."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from pyloader.errors import ScxhidError
from vm.bench.input import cells, figures, here, inside, table
from vm.bench.input.rounds import Plan, Samples
from vm.bench.input.ways import ways


@dataclass(frozen=True)
class Request:
    """What the command line asks for. ``where`` is ``here``, ``vm``, or empty: here if it can."""

    schedulers: Sequence[str]
    loads: Sequence[str] = ()
    devices: Sequence[str] = ()
    shapes: Sequence[str] = ()
    knobs: Mapping[str, str] | None = None
    rounds: int = 3
    seconds: float = 1.0
    where: str = ""
    cpus: int = 1
    kernel: str = ""
    output: Path | None = None
    as_json: bool = False


@dataclass(frozen=True)
class _Measured:
    samples: Samples
    where: str
    kernel: str
    cpus: int
    accel: str | None


def run(request: Request) -> None:
    """Check all of it, measure, write, print."""
    plan = _plan(request)
    output = request.output
    if output and not output.parent.is_dir():
        raise ScxhidError(f"{output} cannot be written: there is no directory {output.parent}")
    measured = _measure(request, plan)
    document = _document(plan, measured)
    if output:
        _write(output, {**document, "samples": measured.samples})
    if request.as_json:
        click.echo(json.dumps(document, indent=2))
        return
    _print(plan, document)


def _plan(request: Request) -> Plan:
    from pyloader.catalog import find_input_mark
    from vm.exact.subject import subject

    for text in request.schedulers:
        subject(text, direct=True)
    find_input_mark().open().parse_values(request.knobs or {})
    return Plan(
        ways(request.schedulers),
        cells.chosen(request.loads, request.devices, request.shapes),
        request.rounds,
        request.seconds,
        request.knobs or {},
    )


def _measure(request: Request, plan: Plan) -> _Measured:
    error = None if request.where == "vm" else here.why_not()
    if error and request.where == "here":
        raise type(error)(f"{error}; --in-vm measures in a virtual machine")
    minutes = sum(cell.seconds(plan.seconds) + 0.5 for cell in plan.cells) * len(plan.ways) / 60
    about = f"about {_number(max(1, round(plan.rounds * minutes)), 'minute')}"
    if not error and request.where != "vm":
        _say(f"measuring on this machine, {about}; it will be slow meanwhile, Ctrl-C ends it")
        try:
            samples = here.run(plan, _tell)
        finally:
            _tell("")
        return _Measured(samples, "here", os.uname().release, os.cpu_count() or 1, None)
    why = f" ({error})" if error else ""
    _say(f"measuring in a virtual machine{why}, {about}")
    sampled = inside.run(
        plan, cpus=request.cpus, kernel=request.kernel, tells=sys.stderr.isatty(), say=_say
    )
    return _Measured(sampled.samples, "vm", sampled.kernel, request.cpus, sampled.accel)


def _document(plan: Plan, measured: _Measured) -> dict[str, Any]:
    return {
        "where": measured.where,
        "kernel": measured.kernel,
        "cpus": measured.cpus,
        "accel": measured.accel,
        "rounds": plan.rounds,
        "seconds": plan.seconds,
        "knobs": dict(plan.knobs),
        "cells": figures.cells(plan, measured.samples),
    }


def _print(plan: Plan, document: Mapping[str, Any]) -> None:
    told = document["cells"]
    click.echo(table.latencies(told))
    got = table.hogs(told)
    if got:
        click.echo(
            f"\nwhat the load got, of the time of all CPUs, or of its work under kernel\n{got}"
        )
    click.echo()
    for line in table.marks(told):
        click.echo(line)
    emulated = ", emulated: ratios carry over, times do not" if document["accel"] == "tcg" else ""
    where = "on this machine" if document["where"] == "here" else "in a virtual machine"
    cpus = document["cpus"]
    rounds = _number(plan.rounds, "round")
    click.echo(
        "p50 / p99 in ms from before a report is written until its reader has it (read), or until"
        f" the last process has done its work (end); medians over {rounds}.\n"
        "fifo: the kernel's own with SCHED_FIFO for the readers, the bound. +input: input first.\n"
        f"Measured {where}: kernel {document['kernel']}, {_number(cpus, 'CPU')}{emulated}."
    )


def _number(n: int, what: str) -> str:
    return f"{n} {what}{'' if n == 1 else 's'}"


def _write(path: Path, document: Mapping[str, Any]) -> None:
    partial = path.with_name(path.name + ".partial")
    try:
        partial.write_text(json.dumps(document) + "\n")
        partial.rename(path)
    except OSError as error:
        raise ScxhidError(f"{path} cannot be written: {error.strerror}") from None


def _say(text: str) -> None:
    click.echo(f"scxhid: {text}", err=True)


def _tell(text: str) -> None:
    """What is being done, on a terminal only, in one line that is overwritten."""
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)
