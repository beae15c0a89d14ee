"""``scxhid top``."""

from __future__ import annotations

import re
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pyloader.cli.output import duration, emit_json, note, table
from pyloader.cli.seconds import Seconds
from pyloader.errors import WrongUse
from tui.draw.words import printable

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np

    from pyloader.view.snapshot import Snapshot


PANE_NAMES = ("overview", "schedulers", "knobs", "devices", "statistics", "tasks")


class Size(click.ParamType):  # pyright: ignore[reportMissingTypeArgument]
    """Width and height of a screen, in characters."""

    name = "size"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, int]:
        found = re.fullmatch(r"(\d{1,4})[x×](\d{1,4})", str(value))
        width, height = map(int, found.groups()) if found else (0, 0)
        if not (40 <= width <= 1000 and 12 <= height <= 400):
            self.fail(f"{value} is no size: 120x40, from 40x12 to 1000x400.", param, ctx)
        return width, height


@click.command()
@click.option("--once", is_flag=True, help="Look for S seconds, print what was seen, and end.")
@click.option(
    "--for",
    "seconds",
    type=Seconds(min=0.05),
    metavar="S",
    help="How long --once and --screenshot look; by default a second.",
)
@click.option("--json", "as_json", is_flag=True, help="With --once: print it as JSON.")
@click.option(
    "--every",
    type=Seconds(min=0.02, max=60),
    metavar="S",
    help="Refresh every S seconds (+ and - change it); by default 1, of a recording its own.",
)
@click.option(
    "--record",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write all that is shown to FILE, for --replay. Only its owner may read it.",
)
@click.option(
    "--replay",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Show a recording. Space pauses, < and > go a minute back and forth.",
)
@click.option(
    "--screenshot",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE.svg",
    help="Look for S seconds, write the screen as an SVG, and end; needs no terminal.",
)
@click.option(
    "--size",
    type=Size(),
    default="120x40",
    metavar="WxH",
    help="Characters and lines of the screenshot; by default 120x40.",
)
@click.option(
    "--pane",
    type=click.Choice(PANE_NAMES),
    default="overview",
    help="The pane to begin with.",
)
@click.option("--theme", metavar="NAME", help="A theme's name; `scxhid top --themes` lists them.")
@click.option("--themes", is_flag=True, help="List the themes, and end.")
@click.option("--keys", is_flag=True, help="List the names of keys, for keys.toml, and end.")
@click.option("--source", hidden=True, help="MODULE:CALL that makes a source, for benchmarks.")
def top(
    once: bool,
    seconds: float | None,
    as_json: bool,
    every: float | None,
    record: Path | None,
    replay: Path | None,
    screenshot: Path | None,
    size: tuple[int, int],
    pane: str,
    theme: str | None,
    themes: bool,
    keys: bool,
    source: str | None,
) -> None:
    """Show what CPUs do, how long woken tasks wait, how late input is read; and change it.

    BPF programs measure it, attached for as long as the command runs, under any scheduler. Without
    root there is what the kernel tells everybody, and a word on what is missing. Keys swap
    schedulers and turn knobs; ? shows them all, ctrl+p finds every action by its name. Own keys:
    ~/.config/scxhid/keys.toml, lines such as "time.pause" = "p".

    \b
    Examples:
      scxhid top
      scxhid top --record evening.top     and later: scxhid top --replay evening.top
      scxhid top --screenshot now.svg --for 10 --size 160x50
      scxhid top --once --json
    """
    if as_json and not once:
        raise WrongUse("--json goes with --once")
    if sum(map(bool, (once, replay or record, screenshot and record))) > 1:
        raise WrongUse("--once, --record and --replay are each by themselves")
    if record and replay:
        raise WrongUse("--record records the machine, --replay shows a recording: one of the two")
    if seconds is not None and not (once or screenshot):
        raise WrongUse("--for goes with --once or --screenshot; Ctrl-C or q ends the screen")
    if once:
        _once(seconds or 1.0, as_json)
        return
    needs_terminal = not (screenshot or themes or keys)
    if needs_terminal and not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise WrongUse(
            "the screen needs a terminal: `scxhid top --once` prints, --screenshot draws"
        )
    from tui import screen

    if themes or keys:
        click.echo("\n".join(screen.theme_names() if themes else screen.key_lines()))
        return
    wanted = screen.Wanted(every, record, replay, pane, theme, source)
    if screenshot:
        screen.picture(wanted, screenshot, size, seconds or 1.0)
        note(f"{screenshot} shows the screen")
        return
    screen.run(wanted)


def _once(seconds: float, as_json: bool) -> None:
    from pyloader.view.collector import Collector

    with Collector() as collector:
        collector.start()
        time.sleep(seconds)
        seen = collector.take()
    if as_json:
        emit_json(seen.to_json())
        return
    show(seen)
    for sentence in seen.missing:
        note(sentence)


def show(seen: Snapshot) -> None:
    """A line a CPU, how long woken tasks waited, and a line a HID device that sent reports."""
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
    _show_input_first(seen)
    _show_devices(seen)


def _show_input_first(seen: Snapshot) -> None:
    """Whether it is on, how long those waited that a device woke, and the longest chain."""
    if seen.input_first is None:
        return
    said = seen.input_first.to_json()
    if not said["on"]:
        click.echo("input first  off")
        return
    waits = [
        f"{'readers' if not each['depth'] else 'hop ' + str(each['depth'])} waited {_median(each)}"
        for each in said["waits"]
    ]
    unused = "" if said["used"] else " (the scheduler does not use it)"
    click.echo(f"input first  {', '.join(['on' + unused, *waits])}")
    if said["chain"]:
        names = ", ".join(printable(hop["comm"]) for hop in said["chain"]["hops"])
        click.echo(f"             {printable(said['chain']['name'])} → {names}")


def _show_devices(seen: Snapshot) -> None:
    """A line a HID device, and the median of each stage that its reports went through."""
    if not seen.devices:
        return
    rows: list[list[str]] = []
    for device in seen.devices:
        said = device.to_json()
        stages = [_median(each) for each in said["stages"].values()]
        told = said["total"]
        p99 = "" if told["p99_us"] is None else duration(told["p99_us"] * 1e3)
        counts = [f"{said[name]:,}" for name in ("reports", "coalesced", "dropped", "unread")]
        rows.append([device.name, device.device, _median(told), p99, *stages, *counts])
    click.echo()
    stages = [name.upper() for name in seen.devices[0].to_json()["stages"]]
    headers = ["DEVICE", "", "MEDIAN", "P99", *stages, "REPORTS", "COALESCED", "DROPPED", "UNREAD"]
    table(headers, rows, right=range(2, len(headers)))
    click.echo(
        "Not measured: the device's firmware and USB polling before, the compositor and the display"
        " after, and readers of hidraw."
    )


def _median(said: dict[str, Any]) -> str:
    return "" if said["p50_us"] is None else duration(said["p50_us"] * 1e3)


def _share(part: float) -> str:
    return _figure(part * 100, ".0f", " %")


def _figure(value: float, form: str, unit: str = "") -> str:
    return "" if value != value else f"{value:{form}}{unit}"


def _number(value: int) -> str:
    return "" if value < 0 else str(value)
