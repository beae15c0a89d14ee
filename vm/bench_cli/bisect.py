"""``scxhid bench bisect``: which callback of two versions of a scheduler costs otherwise."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from vm.bench_cli import options
from vm.bench_cli.ending import end_in_order


def share(context: click.Context, parameter: click.Parameter, value: str | None) -> float | None:
    """What ``0.5%`` says, or ``0.5`` which means the same; None as it is."""
    if value is None:
        return None
    try:
        percent = float(value.strip().removesuffix("%"))
    except ValueError:
        percent = -1.0
    if not 0 <= percent <= 1000:
        raise click.BadParameter(f"{value!r} is not a share from 0% to 1000%", context, parameter)
    return percent / 100


@click.command()
@click.argument("a")
@click.argument("b", required=False)
@click.option(
    "--file",
    type=click.Path(path_type=Path),
    metavar="FILE.bpf.c",
    help="A and B are revisions of this file; without B, A and the file as it is.",
)
@click.option(
    "--range",
    "is_range",
    is_flag=True,
    help="Find the first revision after A, up to B, at which a callback costs otherwise.",
)
@click.option(
    "--callback",
    default="",
    metavar="NAME",
    help="The one that --range follows; else the one that differs most.",
)
@click.option(
    "--workload",
    default="callbacks",
    show_default=True,
    metavar="W",
    help="'callbacks': a little of everything that makes the kernel call a scheduler; or any of"
    " `scxhid bench list` that can run exactly.",
)
@click.option(
    "--load",
    default="full",
    show_default=True,
    metavar="L",
    help="Busy tasks beside it: idle, full (one a CPU), over (four a CPU).",
)
@click.option(
    "--cpus",
    default=1,
    show_default=True,
    type=click.IntRange(1, 16),
    metavar="N",
    help="With more than one only the callbacks' own instructions can be told.",
)
@click.option("--seeds", default=3, show_default=True, type=click.IntRange(1, 1000), metavar="N")
@click.option(
    "--threshold",
    callback=share,
    metavar="P%",
    help="Tell no difference below this; 0.1% by default. With --range: what counts as otherwise;"
    " half of the whole difference by default.",
)
@click.option(
    "--fail-over",
    callback=share,
    metavar="P%",
    help="Exit with status 1 if a callback costs more than this more, and with 125 if that cannot"
    " be measured, as `git bisect run` wants it.",
)
@click.option(
    "--gate",
    default="first",
    show_default=True,
    type=click.Choice(["first", "all"]),
    help="Which seeds are run twice and must give the same counts.",
)
@options.KERNEL
@click.option("--direct", is_flag=True, help="Without the resident host, as bisect always does.")
@options.output("Every count.")
@options.as_json("Print the comparison as JSON.")
def bisect(direct: bool, gate: str, **given: Any) -> None:
    """Say in which callback two versions of a scheduler differ, in instructions.

    A and B are files, schedulers by name, or revisions of a file (REVISION:PATH), each with knobs
    as :KNOB=VALUE. Both run, without the resident host, in a machine that counts instructions in
    place of time, under the same seeds: so each count is the same whenever it is taken, however
    busy this machine is, and one instruction more in a callback is seen. Told are calls,
    instructions a call, and the lines of the source that make the difference. A callback whose
    code is the same in both is told apart: it may cost otherwise only because it is called
    otherwise.

    \b
      scxhid bench bisect simple my-simple.bpf.c
      scxhid bench bisect HEAD~3:schedulers/simple.bpf.c schedulers/simple.bpf.c
      scxhid bench bisect --file schedulers/simple.bpf.c HEAD
      scxhid bench bisect --file schedulers/simple.bpf.c --range v1.0 HEAD
      scxhid bench bisect simple simple:slice_us=1000 --workload wakeup --load over
      git bisect run scxhid bench bisect /tmp/good.bpf.c schedulers/simple.bpf.c --fail-over 1%

    JSON: {"format", "a", "b", "kernel", "qemu", "workload", "load", "cpus", "seeds", "threshold",
    "says", "callbacks": [{"callback", "verdict": "more|less|same|a|b", "same_code", "ratio":
    {"median", "low", "high"}, "a": {"calls", "instructions_a_call", …}, "b", "lines"}], "first"};
    -o adds "runs", with every count.

    Exit status: 0, whatever differs; with --fail-over 1 if a callback costs more, 125 if there is
    no answer. Without it 1 when a version does not compile or a repeated run differs.
    """
    end_in_order()
    from vm.exact.bisect import command

    sys.exit(command.run(command.Request(gate_all=gate == "all", **given)))
