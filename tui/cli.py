"""``scxhid top``."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import click

from pyloader.cli.output import duration, emit_json, note, table
from pyloader.cli.seconds import Seconds
from pyloader.errors import WrongUse

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np

    from pyloader.view.snapshot import Snapshot


@click.command()
@click.option("--once", is_flag=True, help="Look for S seconds, print what was seen, and end.")
@click.option(
    "--for",
    "seconds",
    type=Seconds(min=0.05),
    default=1.0,
    metavar="S",
    help="How long --once looks; by default a second.",
)
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
def top(once: bool, seconds: float, as_json: bool) -> None:
    """Show what CPUs do, and how long woken tasks wait until they run.

    BPF programs measure it, attached for as long as the command runs, under any scheduler. Without
    root there is what the kernel tells everybody, /proc/stat, and a word on what is missing.

    \b
    Examples:
      scxhid top --once
      scxhid top --once --for 10 --json
    """
    if not once:
        raise WrongUse("there is no screen yet: `scxhid top --once` prints what can be measured")
    from pyloader.view.collector import Collector

    with Collector() as collector:
        time.sleep(seconds)
        seen = collector.take()
    if as_json:
        emit_json(seen.to_json())
        return
    show(seen)
    for sentence in seen.missing:
        note(sentence)


def show(seen: Snapshot) -> None:
    """A line a CPU, and how long woken tasks waited."""
    columns: dict[str, Callable[[np.void], str]] = {
        "CPU": lambda cpu: str(cpu["cpu"]),
        "BUSY": lambda cpu: _share(cpu["busy"]),
        "FAIR": lambda cpu: _share(cpu["fair"]),
        "SCHED_EXT": lambda cpu: _share(cpu["ext"]),
        "REAL-TIME": lambda cpu: _share(cpu["rt"]),
        "IRQ": lambda cpu: _share(cpu["irq"]),
        "STOLEN": lambda cpu: _share(cpu["steal"]),
        "WAITING": lambda cpu: _figure(cpu["waiting"], ".2f"),
        "SWITCHES/s": lambda cpu: _figure(cpu["switches"], ",.0f"),
        "MOVED/s": lambda cpu: _figure(cpu["migrations"], ",.0f"),
        "MHz": lambda cpu: _number(cpu["mhz"]),
        "CACHE": lambda cpu: _number(cpu["cache"]),
        "NODE": lambda cpu: _number(cpu["node"]),
    }
    rows = [[show(cpu) for show in columns.values()] for cpu in seen.cpus]
    # What nothing tells on this machine has no column.
    told = [n for n in range(len(columns)) if any(row[n] for row in rows)]
    headers = list(columns)
    table(
        [headers[n] for n in told],
        [[row[n] for n in told] for row in rows],
        right=range(len(told)),
    )
    click.echo(f"\nscheduler  {seen.scheduler.title}")
    said = seen.latency_json()
    if said:
        times = ", ".join(
            f"{name} {duration(said[key] * 1e3)}"
            for name, key in (
                ("median", "p50_us"),
                ("p90", "p90_us"),
                ("p99", "p99_us"),
                ("p99.9", "p999_us"),
            )
            if said[key] is not None
        )
        click.echo(
            f"woken → running  {times or 'nobody was woken'}"
            f"  ({said['samples']:,} wake-ups in {seen.seconds:.1f} s)"
        )


def _share(part: float) -> str:
    return _figure(part * 100, ".0f", " %")


def _figure(value: float, form: str, unit: str = "") -> str:
    return "" if value != value else f"{value:{form}}{unit}"


def _number(value: int) -> str:
    return "" if value < 0 else str(value)
