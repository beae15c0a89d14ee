"""``scxhid bench list``: what a matrix can be made of."""

from __future__ import annotations

from typing import Any

import click

from vm.bench_cli import options


@click.command("list")
@options.as_json("Print it as JSON.")
def list_(as_json: bool) -> None:
    """List workloads with what they measure, loads, schedulers, executors.

    Of each metric: its unit, whether less or more of it is better, and its kind. Exact runs tell
    latencies, shares and counts; throughput and makespans need the time of a real machine.

    \b
      scxhid bench list
      scxhid bench list --json | jq '.workloads[].name'

    JSON: {"workloads": [{"name", "about", "loads", "seconds", "exact", "missing": [TOOL, …],
    "metrics": [{"name", "unit", "better", "kind", "about"}]}], "loads": {NAME: {"a_cpu", "duty",
    "about"}}, "schedulers": [NAME, …], "topology": TEXT, "executors": [NAME, …]}.
    """
    from pyloader.cli.output import emit_json

    told = _told()
    if as_json:
        emit_json(told)
        return
    for workload in told["workloads"]:
        _workload(workload)
    click.echo("Loads (--load), beside a workload:")
    for name, load in told["loads"].items():
        click.echo(f"  {name:<8} {load['about']}")
    click.echo(f"\nSchedulers (--sched): {', '.join(told['schedulers'])}, or a file;")
    click.echo("  knobs as NAME:KNOB=VALUE (`scxhid sched info NAME` shows them)")
    click.echo("\nTopologies (--topology):")
    click.echo(_wrapped(told["topology"]))
    click.echo(f"\nExecutors (--executor): {', '.join(told['executors'])}, or MODULE:FACTORY")


def _told() -> dict[str, Any]:
    import dataclasses

    from pyloader.catalog import schedulers
    from vm.matrix.executors import names
    from vm.matrix.topology import GRAMMAR
    from vm.workloads import find
    from vm.workloads.model import LOADS

    return {
        "workloads": [
            {
                "name": one.name,
                "about": one.about,
                "loads": list(one.loads),
                "seconds": one.seconds,
                "exact": one.exact,
                "missing": find.missing(one),
                "metrics": [dataclasses.asdict(metric) for metric in one.metrics],
            }
            for one in find.workloads().values()
        ],
        "loads": {name: dataclasses.asdict(load) for name, load in LOADS.items()},
        "schedulers": ["kernel", *schedulers()],
        "topology": GRAMMAR,
        "executors": names(),
    }


def _workload(told: dict[str, Any]) -> None:
    exact = "" if told["exact"] else ", not exact"
    click.echo(f"{told['name']}: {told['about']}")
    click.echo(f"  loads {', '.join(told['loads'])}; measures for {told['seconds']:g} s{exact}")
    if told["missing"]:
        click.echo(f"  missing on this machine: {', '.join(told['missing'])}")
    widths = [max(len(metric[key]) for metric in told["metrics"]) for key in ("name", "unit")]
    for metric in told["metrics"]:
        click.echo(
            f"  {metric['name']:<{widths[0]}}  {metric['unit']:<{widths[1]}}  {metric['better']} is"
            f" better  {metric['kind']:<10}  {metric['about']}"
        )
    click.echo()


def _wrapped(text: str) -> str:
    import textwrap

    return textwrap.fill(text, 96, initial_indent="  ", subsequent_indent="  ")
