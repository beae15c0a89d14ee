"""``scxhid bench input``: how long a report of an input device takes to those who wait for it."""

from __future__ import annotations

from typing import Any

import click

from pyloader.errors import WrongUse
from vm.bench_cli import options
from vm.bench_cli.ending import end_in_order


@click.command("input")
@click.option(
    "--sched",
    "schedulers",
    default="interactive",
    show_default=True,
    metavar="A,B,…",
    help="Names or files, each with knobs as NAME:KNOB=VALUE:KNOB=VALUE; the kernel's own is"
    " measured in any case.",
)
@click.option(
    "--here/--in-vm",
    "is_here",
    default=None,
    help="On this machine, or in a virtual one; by default here if this machine can.",
)
@click.option(
    "--cpus", default="", metavar="N", help="Of the virtual machine, from 1 to 64; 1 by default."
)
@options.KERNEL
@click.option(
    "--rounds",
    default=3,
    show_default=True,
    type=click.IntRange(1, 1000),
    help="How often each is measured, in turns.",
)
@click.option(
    "--seconds",
    default=1.0,
    show_default=True,
    type=click.FloatRange(0.2, 600),
    metavar="S",
    help="How long each time; slow devices as long as 100 reports take.",
)
@click.option(
    "--load",
    "loads",
    default="",
    metavar="L,…",
    help="Of idle, hogs2, hogs8 (so many busy processes a CPU), forks.",
)
@click.option(
    "--device",
    "devices",
    default="",
    metavar="D,…",
    help="Of mouse125, mouse1000, mouse8000 (reports a second), keyboard.",
)
@click.option(
    "--shape",
    "shapes",
    default="",
    metavar="S,…",
    help="Of alone, chain (three processes), heavy, heavychain (300 us of work each).",
)
@click.option(
    "--input",
    "knobs",
    multiple=True,
    metavar="KNOB=VALUE",
    help="Turn a knob of input first (`scxhid input knobs`).",
)
@options.output("Every figure.")
@options.as_json("Print the medians as JSON.")
def input_(**given: Any) -> None:
    """Measure how long input takes to its readers, idle and under load.

    A mouse and a keyboard that are made for it send reports, on this machine (as root, under a
    kernel with sched_ext) or else in a virtual one. Told is how long a report takes to its reader,
    and along a chain of processes: under the kernel's own scheduler, the same with SCHED_FIFO for
    the readers, and each scheduler without and with input first (`scxhid input`). Nothing moves on
    the screen: the devices are grabbed. What ran before runs again afterwards, after Ctrl-C as
    well. Six minutes, in which the machine is slow.

    \b
      sudo scxhid bench input
      scxhid bench input --in-vm --load hogs2 --shape chain --rounds 5
      sudo scxhid bench input --sched interactive,layers -o mine.json
      sudo scxhid bench input --input budget_us=2000 --device mouse1000

    JSON: {"where", "kernel", "cpus", "accel", "rounds", "seconds", "knobs", "cells": [{"load",
    "device", "shape", "hz", "until", "words", "ways": {NAME: {METRIC: {"median", "low", "high"},
    …, "of_bound", "of_kernel": {METRIC: {"ratio", "low", "high"}}}}}]}; times in ns, low and high
    the ends of the 95 % bootstrap interval over rounds.

    Exit status: 1 when a scheduler of somebody else runs; 3 and 4 with --here: this machine cannot,
    or you may not.
    """
    end_in_order()
    from pyloader.cli.sched_change import assignments
    from vm.bench.input import command

    cpus, is_here = given["cpus"], given["is_here"]
    if cpus and (not cpus.isdecimal() or not 1 <= int(cpus) <= 64):
        raise WrongUse(f"--cpus takes one number from 1 to 64 here, not {cpus!r}")
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
