"""The commands of ``scxhid input`` that only look."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from pyloader.cli.output import ago, clock, duration, emit_json, table, value

if TYPE_CHECKING:
    from pyloader.input_first.chains import Chain, Hop
    from pyloader.input_first.state import SeenDevice

_JSON = click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
_LINE = 40  # characters of a waterfall


@click.command()
@_JSON
def show(as_json: bool) -> None:
    """Show whether input first is on, which devices count, and how long tasks waited for a CPU.

    Waits are told by depth: 0 are readers, whom a device woke, 1 are those whom they woke, and so
    on. Devices are told that have sent something, or that the user has named.

    JSON: {"on": false} or {"on", "since", "knobs", "devices": [{"device", "name", "counts",
    "reports", "events"}], "waits": [{"depth", "samples", "p50_us", …}], "counts": {NAME: N}}.
    """
    from pyloader.input_first import state

    running = state.opened()
    if running is None:
        if as_json:
            emit_json({"on": False})
        else:
            click.echo("input first is off; `scxhid input on` switches it on")
        return
    from pyloader.input_first.chains import Chains
    from pyloader.probes.histogram import to_json

    with Chains() as chains:
        waits = [
            {"depth": depth, **to_json(counts)}
            for depth, counts in enumerate(chains.waits())
            if counts.any()
        ]
        counts = chains.counts()
        devices = state.seen_devices(running)
        now, since = running.knob_values(), state.since_ns() or 0
        if as_json:
            emit_json(
                {
                    "on": True,
                    "since": since / 1e9,
                    "knobs": now,
                    "devices": [_device_json(each) for each in devices],
                    "waits": waits,
                    "counts": counts,
                }
            )
            return
        click.echo(f"input first  on, since {clock(since)} ({ago(since)})")
        for name, knob in running.changed_knobs().items():
            click.echo(f"  {name} = {value(knob)}")
        _tables(devices, waits)
        rows = [
            (name, f"{n:,}", stat.doc)
            for (name, n), stat in zip(counts.items(), running.stats.values(), strict=True)
            if n
        ]
        if rows:
            click.echo()
            table(("NAME", "COUNT", "WHAT"), rows, right=(1,))


def _tables(devices: list[SeenDevice], waits: list[dict[str, Any]]) -> None:
    click.echo()
    if devices:
        table(
            ("DEVICE", "COUNTS", "REPORTS", "WOKE", "NAME"),
            [
                (
                    str(each.model),
                    "yes" if each.counts else "no",
                    f"{each.reports:,}",
                    f"{each.events:,}",
                    each.name,
                )
                for each in devices
            ],
            right=(2, 3),
        )
    else:
        click.echo("no device has sent anything since")
    if waits:
        click.echo()
        table(
            ("DEPTH", "TASKS", "P50", "P90", "P99", "WHO"),
            [
                (
                    str(each["depth"]),
                    f"{each['samples']:,}",
                    *(_time(each[f"p{share}_us"]) for share in (50, 90, 99)),
                    "woken by a device" if each["depth"] == 0 else f"{each['depth']} further on",
                )
                for each in waits
            ],
            right=(0, 1, 2, 3, 4),
        )


def _time(us: float | None) -> str:
    return "" if us is None else duration(us * 1e3)


def _device_json(each: SeenDevice) -> dict[str, Any]:
    return {
        "device": str(each.model),
        "name": each.name,
        "counts": each.counts,
        "reports": each.reports,
        "events": each.events,
    }


@click.command()
@click.option("--last", default=1, type=click.IntRange(1, 64), show_default=True, metavar="N")
@_JSON
def chain(last: int, as_json: bool) -> None:
    """Show the last events: whom the device woke, whom those woke, and what each waited.

    Each line is a task; time runs to the right, from the arrival of the report on: dots while it
    waits for a CPU, a bar from then on for as long as it has computed. The kernel remembers 64
    events, and of each the first eight tasks.

    JSON: a list of {"number", "device", "name", "hops": [{"depth", "pid", "comm", "waker",
    "woken_us", "ran_us", "used_us", "cpu"}], "left_out"}, times after the report's arrival.
    """
    from pyloader.input_first.chains import Chains, to_json

    with Chains() as chains:
        found = chains.read()[-last:]
    if as_json:
        emit_json([to_json(each) for each in found])
        return
    if not found:
        click.echo("no device has woken anybody since input first was switched on")
    for each in found:
        draw(each)


def draw(chain: Chain) -> None:
    """Print a chain as a waterfall."""
    for line in lines(chain):
        click.echo(line)


def lines(chain: Chain) -> Iterator[str]:
    """A chain as a waterfall: a line for the event, and one for each task."""
    ends = [hop.ran_ns + hop.used_ns if hop.ran_ns else hop.woken_ns for hop in chain.hops]
    span = max([end - chain.began_ns for end in ends], default=0) or 1
    yield (f"event {chain.number} of {chain.name} ({chain.device}), {duration(span)}")
    for hop in chain.hops:
        who = f"{'  ' * hop.depth}{hop.comm} ({hop.pid})"
        yield (f"  {who:<28.28} {_bar(hop, chain.began_ns, span):<{_LINE}}  {_told(hop)}")
    if chain.left_out:
        yield (f"  and {chain.left_out} more")


def _bar(hop: Hop, began: int, span: int) -> str:
    def place(ns: int) -> int:
        return min(_LINE - 1, round((ns - began) * (_LINE - 1) / span))

    woken = place(hop.woken_ns)
    ran = place(hop.ran_ns) if hop.ran_ns else _LINE
    done = place(hop.ran_ns + hop.used_ns) if hop.ran_ns else _LINE
    return " " * woken + "·" * (ran - woken) + "█" * max(done - ran, 1 if hop.ran_ns else 0)


def _told(hop: Hop) -> str:
    if hop.waited_ns is None:
        return "waits"
    return f"waited {duration(hop.waited_ns)}, ran {duration(hop.used_ns)} on CPU {hop.cpu}"


@click.command()
@_JSON
def knobs(as_json: bool) -> None:
    """Show its knobs: value, default, range and what they do. Off, the values are the defaults."""
    from pyloader.catalog import find_input_mark
    from pyloader.cli.knob_table import knob_json, knob_table
    from pyloader.input_first import state

    running = state.opened()
    all_ = running.knobs if running else find_input_mark().open().knobs
    now = running.knob_values() if running else {n: knob.default for n, knob in all_.items()}
    if as_json:
        emit_json({name: knob_json(knob, now[name]) for name, knob in all_.items()})
    else:
        knob_table(all_, now)
