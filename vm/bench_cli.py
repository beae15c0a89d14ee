"""``scxhid bench``: schedulers measured against each other."""

from __future__ import annotations

import signal
import sys
from pathlib import Path
from typing import NoReturn

import click


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def bench() -> None:
    """Measure schedulers against each other and against the kernel's own, in virtual machines."""


@bench.command(short_help="measure, and write every figure to a file")
@click.option("--exact", is_flag=True, help="Bit-identical runs, where virtual time is counted.")
@click.option(
    "--sched",
    "schedulers",
    required=True,
    metavar="A,B,…",
    help="Names or files, each with knobs as NAME:KNOB=VALUE:KNOB=VALUE; 'kernel' is the kernel's"
    " own scheduler.",
)
@click.option(
    "--workload",
    "workloads",
    default="wakeup",
    show_default=True,
    metavar="W,…",
    help="'wakeup': how late a periodic sleeper wakes up, idle and among hogs.",
)
@click.option("--seeds", default=10, show_default=True, type=click.IntRange(1, 1000), metavar="N")
@click.option(
    "--cpus",
    default="4,1",
    show_default=True,
    metavar="N,…",
    help="Machines to measure on, by their number of CPUs.",
)
@click.option("--kernel", default="", metavar="V", help="A version or its beginning (7.3).")
@click.option(
    "--hogs",
    default=2,
    show_default=True,
    type=click.IntRange(1, 16),
    help="Busy tasks pinned to each CPU.",
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
    "-o", "--output", type=click.Path(path_type=Path), metavar="FILE.json", help="Every figure."
)
@click.option("--json", "as_json", is_flag=True, help="Print the medians as JSON.")
def run(
    exact: bool,
    schedulers: str,
    workloads: str,
    seeds: int,
    cpus: str,
    kernel: str,
    hogs: int,
    work_us: int,
    direct: bool,
    gate: str,
    output: Path | None,
    as_json: bool,
) -> None:
    """Measure each scheduler under each seed, and print medians over the seeds.

    An exact run counts instructions in place of time, so the same seed gives the same samples on
    any host under any load. It shows latencies, order and counts. It cannot show throughput: its
    time is the sum of what all CPUs do, not the longest of them.

    Schedulers that can be hosted run under the resident host, unless --direct is given.

    \b
      scxhid bench run --exact --sched kernel,simple -o build/wakeup.json
      scxhid bench run --exact --sched interactive:slice_us=2000 --cpus 1 --seeds 3

    JSON: a list of {"scheduler", "mode", "knobs", "workload", "cpus", "kernel", "seeds",
    "metrics": {NAME: {"median", "low", "high"}}}, times in ns, low and high the ends of the 95 %
    bootstrap interval over seeds.

    Exit status: 1 when a run repeated under the same seed differs; nothing is written then.
    """
    from vm.exact import bench as exact_bench

    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _end)
    exact_bench.run(
        exact_bench.Request(
            exact=exact,
            schedulers=schedulers.split(","),
            workloads=workloads.split(","),
            seeds=seeds,
            cpus=cpus.split(","),
            kernel=kernel,
            hogs=hogs,
            work_us=work_us,
            direct=direct,
            gate_all=gate == "all",
            output=output,
            as_json=as_json,
        )
    )


def _end(number: int, frame: object) -> NoReturn:
    """Leave by way of the ``finally`` blocks, which end the machine and remove its files."""
    sys.exit(128 + number)
