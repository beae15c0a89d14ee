"""``scxhid bench run``: schedulers side by side on every machine, under every workload."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from pyloader.errors import WrongUse
from vm.bench_cli import options
from vm.bench_cli.complete import (
    complete_executor,
    complete_load,
    complete_schedulers,
    complete_workload,
)
from vm.bench_cli.ending import end_in_order
from vm.bench_cli.words import cpu_numbers, mebibytes, schedulers_of, words_of

#: Options of one kind of run that say nothing to the other.
_OF_EXACT = ("seeds", "metrics", "jobs", "gate", "times")
_OF_MACHINES = ("topologies", "reps", "seed", "runs_per_machine", "memory", "accel", "executor")
#: What may stand beside --resume.
_WITH_RESUME = ("resume", "executor", "jobs", "exact", "as_json")


@click.command()
@click.option("--exact", is_flag=True, help="Bit-identical runs, where virtual time is counted.")
@click.option(
    "--sched",
    "schedulers",
    default="",
    metavar="A,B,…",
    shell_complete=complete_schedulers,
    help="Names or files, each with knobs as NAME:KNOB=VALUE:KNOB=VALUE; 'kernel' is the kernel's"
    " own scheduler.",
)
@click.option(
    "--workload",
    "workloads",
    default="wakeup",
    show_default=True,
    metavar="W,…",
    shell_complete=complete_workload,
    help="Names (`scxhid bench list`), or files FILE.py.",
)
@click.option(
    "--load",
    "loads",
    default="",
    metavar="L,…",
    shell_complete=complete_load,
    help="What runs beside the workload: idle, light, full, over; its usual load by default.",
)
@click.option(
    "--cpus",
    default="",
    metavar="N,…",
    help="Machines, by their number of CPUs: 2 by default, 4,1 for exact runs.",
)
@click.option(
    "--topology",
    "topologies",
    default="",
    metavar="T,…",
    help="Machines, by their topology: 1s2c2t, 1s2l4c2t, 2n1s2c1t (see below).",
)
@click.option(
    "--kernel",
    "kernels",
    default="",
    metavar="V,…",
    help="Versions or their beginnings (7.3,6.16), paths, host; the newest by default.",
)
@click.option("--direct", is_flag=True, help="Attach without the resident host.")
@click.option(
    "--hosted",
    is_flag=True,
    help="Only under the resident host; with --direct, both ways. By default where it can be.",
)
@click.option(
    "--reps",
    default=10,
    show_default=True,
    type=click.IntRange(1, 1000),
    metavar="N",
    help="How often each is measured.",
)
@click.option(
    "--seconds",
    type=click.FloatRange(0.1, 3600),
    metavar="S",
    help="How long each time; as each workload says by default.",
)
@click.option(
    "--timeout",
    "timeout_s",
    type=click.FloatRange(1, 36000),
    metavar="S",
    help="When a workload counts as hung; a minute and 20 times what it measures by default.",
)
@click.option(
    "--seed",
    default=1,
    show_default=True,
    type=click.IntRange(0, 2**31),
    metavar="N",
    help="That of the order of the runs, and of the chance in workloads.",
)
@click.option(
    "--runs-per-machine",
    default=40,
    show_default=True,
    type=click.IntRange(1, 10000),
    metavar="N",
    help="After so many, machines are booted anew.",
)
@click.option("--memory", default="2G", show_default=True, metavar="SIZE", help="Of a machine.")
@click.option(
    "--accel",
    default="auto",
    show_default=True,
    type=click.Choice(["auto", "kvm", "tcg"]),
    help="auto: KVM if it works here, else emulation.",
)
@click.option(
    "--executor",
    default="",
    metavar="NAME[:ARG]",
    shell_complete=complete_executor,
    help="Measure where this executor does: dask:tcp://HOST:8786, or MODULE:FACTORY.",
)
@click.option(
    "--resume",
    type=click.Path(path_type=Path),
    metavar="FILE.json",
    help="Go on with what was begun for that file.",
)
@click.option("--fresh", is_flag=True, help="Begin anew where something was left half-done.")
@click.option(
    "--seeds",
    default=10,
    show_default=True,
    type=click.IntRange(1, 1000),
    metavar="N",
    help="Exact: how many.",
)
@click.option(
    "--metric",
    "metrics",
    default="",
    metavar="M,…",
    help="Exact: only these; all that are valid by default.",
)
@click.option(
    "-j",
    "--jobs",
    default=0,
    type=click.IntRange(0, 256),
    metavar="N",
    help="Exact: machines side by side; one less than the host has CPUs by default.",
)
@click.option(
    "--gate",
    default="first",
    show_default=True,
    type=click.Choice(["first", "all"]),
    help="Exact: which seeds are run twice and must give the same: the first of each cell, or all.",
)
@click.option(
    "--times",
    default=2,
    show_default=True,
    type=click.IntRange(2, 1000),
    metavar="N",
    help="Exact: how often those are run.",
)
@options.output("Every figure.")
@options.as_json("Print the medians as JSON.")
@click.pass_context
def run(context: click.Context, exact: bool, **given: Any) -> None:
    """Measure schedulers side by side in virtual machines, and print medians.

    Every scheduler under every workload and load, on machines of every kernel, number of CPUs and
    topology, --reps times. Each is measured once, in random order, before any is measured again, so
    that what changes on the host meanwhile strikes all. What each run takes to be repeated stands
    in FILE.json. A machine that is lost costs one run; a scheduler that the kernel throws out, a
    workload that crashes, hangs or prints nonsense are told as such, and never averaged in.

    Ctrl-C at any time: what is done is in FILE.json.journal, and --resume FILE.json goes on.

    \b
      scxhid bench run --sched kernel,simple --workload wakeup --cpus 1,2 -o build/wakeup.json
      scxhid bench run --sched kernel,interactive:slice_us=2000 --load light,full,over
      scxhid bench run --sched kernel,nest --topology 1s2c2t,2n1s2c1t --kernel 7.3,6.16
      scxhid bench run --resume build/wakeup.json
      scxhid bench run --sched kernel,simple --executor dask:tcp://host:8786 -o all.json

    A topology is numbers with letters, each so many in one of the level before: n NUMA nodes, s
    sockets, l last-level caches, c cores, t threads; what is left out is one.

    --exact: each scheduler under each seed. An exact run counts instructions in place of time, so
    the same seed gives the same samples on any host under any load: machines may run side by side,
    and beside anything else. It shows latencies, shares and counts. Throughput and makespan are
    refused: its time is the sum of what all CPUs do, not the longest of them.

    \b
      scxhid bench run --exact --sched kernel,simple -o build/wakeup.json
      scxhid bench run --exact --sched interactive:slice_us=2000 --cpus 1 --load over --seeds 3
      scxhid bench run --exact --sched kernel,nest --workload schbench --metric p99_ns --direct
      scxhid bench run --exact --sched simple --workload input --seeds 1 --times 20

    JSON: a list of {"scheduler", "mode", "knobs", "workload", "load", "kernel", "cpus", "topology",
    "runs": {STATUS: n}, "metrics": {NAME: {"median", "low", "high", "unit"}}}, times in ns, low and
    high the ends of the 95 % bootstrap interval over runs (exact: over seeds).

    Exit status: 1 when nothing could be measured, another bench runs, or the result cannot be
    written where it should; exact: when a run repeated under the same seed differs, and nothing is
    written then. 2 wrong use, 3 this machine cannot, 130 Ctrl-C.
    """
    end_in_order()
    if given["resume"]:
        others = [p.name for p in context.command.params if p.name not in _WITH_RESUME]
        _refuse_others(
            context, [name for name in others if name], "--resume, which asks for the same"
        )
        exact = exact or _is_exact(given["resume"])
    if exact:
        _refuse_others(context, _OF_MACHINES, "--exact")
    else:
        _refuse_others(context, _OF_EXACT, "runs without --exact")
    (_run_exact if exact else _run_machines)(**given)


def _is_exact(output: Path) -> bool:
    from vm.exact.bench import is_begun

    return is_begun(output)


def _refuse_others(context: click.Context, names: Sequence[str], what: str) -> None:
    for parameter in context.command.params:
        source = context.get_parameter_source(parameter.name or "")
        if parameter.name in names and source is ParameterSource.COMMANDLINE:
            raise WrongUse(f"{parameter.opts[0]} says nothing to {what}")


def _run_exact(**given: Any) -> None:
    from vm.exact import bench as exact_bench
    from vm.exact.request import Request
    from vm.matrix import command

    output: Path | None = given["resume"] or given["output"]
    if given["resume"]:
        request = exact_bench.begun(given["resume"])
    else:
        what = replace(
            _request(**given),
            cpus=cpu_numbers("--cpus", given["cpus"] or "4,1"),
            reps=given["seeds"],
        )
        metrics = words_of("--metric", given["metrics"])
        request = Request(what, given["gate"] == "all", metrics, given["times"])
    command.told(
        lambda: exact_bench.run(
            request, output=output, fresh=given["fresh"], jobs=given["jobs"], say=command.say
        ),
        output,
        given["as_json"],
    )


def _run_machines(**given: Any) -> None:
    from vm.matrix import bench, command

    output: Path | None = given["resume"] or given["output"]
    if given["resume"]:
        request = bench.begun(given["resume"])
    else:
        request = _request(**given)
    command.run(
        request,
        output=output,
        fresh=given["fresh"],
        executor=given["executor"],
        as_json=given["as_json"],
    )


def _request(**given: Any) -> Any:
    from vm.matrix.request import Request

    topologies = words_of("--topology", given["topologies"])
    cpus = cpu_numbers("--cpus", given["cpus"]) if given["cpus"] or not topologies else ()
    return Request(
        schedulers=schedulers_of(given["schedulers"]),
        workloads=words_of("--workload", given["workloads"]),
        loads=words_of("--load", given["loads"]),
        kernels=words_of("--kernel", given["kernels"]) or ("",),
        cpus=cpus or (() if topologies else (2,)),
        topologies=topologies,
        modes=tuple(mode for mode in ("hosted", "direct") if given[mode]),
        reps=given["reps"],
        seconds=given["seconds"],
        timeout_s=given["timeout_s"],
        seed=given["seed"],
        runs_per_machine=given["runs_per_machine"],
        memory_mib=mebibytes("--memory", given["memory"]),
        accel=given["accel"],
    )
