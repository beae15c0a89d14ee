"""``scxhid bench``: schedulers measured against each other."""

from __future__ import annotations

import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

import click
from click.core import ParameterSource

from pyloader.errors import WrongUse


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def bench() -> None:
    """Measure schedulers against each other and against the kernel's own."""


@bench.command(short_help="measure, and write every figure to a file")
@click.option("--exact", is_flag=True, help="Bit-identical runs, where virtual time is counted.")
@click.option(
    "--sched",
    "schedulers",
    default="",
    metavar="A,B,…",
    help="Names or files, each with knobs as NAME:KNOB=VALUE:KNOB=VALUE; 'kernel' is the kernel's"
    " own scheduler. With input: interactive, if nothing is named.",
)
@click.option(
    "--workload",
    "workloads",
    default="wakeup",
    show_default=True,
    metavar="W,…",
    help="'wakeup' (exact): how late a periodic sleeper wakes up, idle and among hogs. 'input': how"
    " long a report of an input device takes to its reader and to those behind it.",
)
@click.option("--seeds", default=10, show_default=True, type=click.IntRange(1, 1000), metavar="N")
@click.option(
    "--cpus",
    default="",
    metavar="N,…",
    help="Machines to measure on, by their number of CPUs: 4,1 for exact runs, 1 for input in a"
    " virtual machine.",
)
@click.option("--kernel", default="", metavar="V", help="A version or its beginning (7.3).")
@click.option(
    "--hogs",
    default=2,
    show_default=True,
    type=click.IntRange(1, 16),
    help="Exact: busy tasks pinned to each CPU.",
)
@click.option(
    "--work",
    "work_us",
    default=0,
    show_default=True,
    type=click.IntRange(0, 100_000),
    metavar="US",
    help="What the sleeper does after each wake-up.",
)
@click.option("--direct", is_flag=True, help="Attach without the resident host.")
@click.option(
    "--gate",
    default="first",
    show_default=True,
    type=click.Choice(["first", "all"]),
    help="Which seeds are run twice and must give the same: the first of each cell, or all.",
)
@click.option(
    "--here/--in-vm",
    "is_here",
    default=None,
    help="Input: on this machine, or in a virtual one; by default here if this machine can.",
)
@click.option(
    "--rounds",
    default=3,
    show_default=True,
    type=click.IntRange(1, 1000),
    help="Input: how often each is measured, in turns.",
)
@click.option(
    "--seconds",
    default=1.0,
    show_default=True,
    type=click.FloatRange(0.2, 600),
    metavar="S",
    help="Input: how long each time; slow devices as long as 100 reports take.",
)
@click.option(
    "--load",
    "loads",
    default="",
    metavar="L,…",
    help="Input: of idle, hogs2, hogs8 (so many busy processes a CPU), forks.",
)
@click.option(
    "--device",
    "devices",
    default="",
    metavar="D,…",
    help="Input: of mouse125, mouse1000, mouse8000 (reports a second), keyboard.",
)
@click.option(
    "--shape",
    "shapes",
    default="",
    metavar="S,…",
    help="Input: of alone, chain (three processes), heavy, heavychain (300 us of work each).",
)
@click.option(
    "--input",
    "knobs",
    multiple=True,
    metavar="KNOB=VALUE",
    help="Input: turn a knob of input first (`scxhid input knobs`).",
)
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), metavar="FILE.json", help="Every figure."
)
@click.option("--json", "as_json", is_flag=True, help="Print the medians as JSON.")
@click.pass_context
def run(context: click.Context, workloads: str, **given: Any) -> None:
    """Measure schedulers side by side, and print medians.

    --workload wakeup --exact: each scheduler under each seed. An exact run counts instructions in
    place of time, so the same seed gives the same samples on any host under any load. It shows
    latencies, order and counts. It cannot show throughput: its time is the sum of what all CPUs do,
    not the longest of them. Schedulers that can be hosted run under the resident host, unless
    --direct is given.

    --workload input: a mouse and a keyboard that are made for it send reports, on this machine (as
    root, under a kernel with sched_ext) or else in a virtual one. Told is how long a report takes
    to its reader, and along a chain of processes, idle and under load: under the kernel's own
    scheduler, the same with SCHED_FIFO for the readers, and each scheduler without and with input
    first (`scxhid input`). Nothing moves on the screen: the devices are grabbed. What ran before
    runs again afterwards, after Ctrl-C as well. Six minutes, in which the machine is slow.

    \b
      scxhid bench run --exact --sched kernel,simple -o build/wakeup.json
      scxhid bench run --exact --sched interactive:slice_us=2000 --cpus 1 --seeds 3
      sudo scxhid bench run --workload input
      scxhid bench run --workload input --in-vm --load hogs2 --shape chain --rounds 5
      sudo scxhid bench run --workload input --input budget_us=2000 --device mouse1000

    JSON, exact: a list of {"scheduler", "mode", "knobs", "workload", "cpus", "kernel", "seeds",
    "metrics": {NAME: {"median", "low", "high"}}}, times in ns, low and high the ends of the 95 %
    bootstrap interval over seeds. Input: {"where", "kernel", "cpus", "accel", "rounds", "seconds",
    "knobs", "cells": [{"load", "device", "shape", "hz", "until", "words", "ways": {NAME: {METRIC:
    {"median", "low", "high"}, …, "of_bound", "of_kernel": {METRIC: {"ratio", "low", "high"}}}}}]}.

    Exit status: 1 when a run repeated under the same seed differs, nothing is written then, or when
    a scheduler of somebody else runs; 3 and 4 with --here: this machine cannot, or you may not.
    """
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _end)
    is_input = workloads == _INPUT
    _refuse_others(context, _OF_EXACT if is_input else _OF_INPUT, workloads)
    if is_input:
        _run_input(**given)
    else:
        _run_exact(workloads, **given)


_INPUT = "input"

#: Options of the one kind of workload that say nothing to the other.
_OF_EXACT = ("exact", "seeds", "hogs", "work_us", "direct", "gate")
_OF_INPUT = ("is_here", "rounds", "seconds", "loads", "devices", "shapes", "knobs")


def _refuse_others(context: click.Context, names: Sequence[str], workloads: str) -> None:
    for parameter in context.command.params:
        source = context.get_parameter_source(parameter.name or "")
        if parameter.name in names and source is ParameterSource.COMMANDLINE:
            raise WrongUse(f"{parameter.opts[0]} says nothing to --workload {workloads}")


def _run_exact(workloads: str, **given: Any) -> None:
    from vm.exact import bench as exact_bench

    if not given["schedulers"]:
        raise WrongUse("--sched is missing: name schedulers, as in --sched kernel,simple")
    exact_bench.run(
        exact_bench.Request(
            exact=given["exact"],
            schedulers=given["schedulers"].split(","),
            workloads=workloads.split(","),
            seeds=given["seeds"],
            cpus=(given["cpus"] or "4,1").split(","),
            kernel=given["kernel"],
            hogs=given["hogs"],
            work_us=given["work_us"],
            direct=given["direct"],
            gate_all=given["gate"] == "all",
            output=given["output"],
            as_json=given["as_json"],
        )
    )


def _run_input(**given: Any) -> None:
    from pyloader.cli.sched_change import assignments
    from vm.bench.input import command

    cpus, is_here = given["cpus"], given["is_here"]
    if cpus and (not cpus.isdecimal() or not 1 <= int(cpus) <= 64):
        raise WrongUse(f"--cpus takes one number from 1 to 64 with --workload input, not {cpus!r}")
    if is_here and (cpus or given["kernel"]):
        raise WrongUse("--cpus and --kernel are of a virtual machine, and --here is this one")
    command.run(
        command.Request(
            schedulers=_words(given["schedulers"]) or ["interactive"],
            loads=_words(given["loads"]),
            devices=_words(given["devices"]),
            shapes=_words(given["shapes"]),
            knobs=assignments(given["knobs"]),
            rounds=given["rounds"],
            seconds=given["seconds"],
            where={None: "", True: "here", False: "vm"}[is_here],
            cpus=int(cpus or 1),
            kernel=given["kernel"],
            output=given["output"],
            as_json=given["as_json"],
        )
    )


def _words(text: str) -> list[str]:
    return [word for word in text.split(",") if word]


def _end(number: int, frame: object) -> NoReturn:
    """Leave by way of the ``finally`` blocks, which end the machine and remove its files."""
    sys.exit(128 + number)
