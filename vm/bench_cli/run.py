"""``scxhid bench run``: schedulers side by side on every machine, under every workload."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from pyloader.errors import WrongUse
from vm.bench_cli.ending import end_in_order


@click.command()
@click.option("--exact", is_flag=True, help="Bit-identical runs, where virtual time is counted.")
@click.option(
    "--sched",
    "schedulers",
    default="",
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
    help="'wakeup' (exact): how late a periodic sleeper wakes up, idle and among hogs.",
)
@click.option("--seeds", default=10, show_default=True, type=click.IntRange(1, 1000), metavar="N")
@click.option(
    "--cpus",
    default="",
    metavar="N,…",
    help="Machines to measure on, by their number of CPUs: 4,1 by default.",
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
    "-o", "--output", type=click.Path(path_type=Path), metavar="FILE.json", help="Every figure."
)
@click.option("--json", "as_json", is_flag=True, help="Print the medians as JSON.")
def run(workloads: str, **given: Any) -> None:
    """Measure schedulers side by side, and print medians.

    --exact: each scheduler under each seed. An exact run counts instructions in place of time, so
    the same seed gives the same samples on any host under any load. It shows latencies, order and
    counts. It cannot show throughput: its time is the sum of what all CPUs do, not the longest of
    them. Schedulers that can be hosted run under the resident host, unless --direct is given.

    \b
      scxhid bench run --exact --sched kernel,simple -o build/wakeup.json
      scxhid bench run --exact --sched interactive:slice_us=2000 --cpus 1 --seeds 3

    JSON, exact: a list of {"scheduler", "mode", "knobs", "workload", "cpus", "kernel", "seeds",
    "metrics": {NAME: {"median", "low", "high"}}}, times in ns, low and high the ends of the 95 %
    bootstrap interval over seeds.

    Exit status: 1 when a run repeated under the same seed differs; nothing is written then.
    """
    end_in_order()
    _refuse_special(workloads)
    _run_exact(workloads, **given)


def _refuse_special(workloads: str) -> None:
    if "input" in workloads.split(","):
        raise WrongUse(
            "input latency with input first, on this machine or a virtual one, has a command of its"
            " own: scxhid bench input"
        )


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
