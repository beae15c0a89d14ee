"""The commands of ``scxhid sched`` that only look."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from pyloader.cli.knob_table import knob_json, knob_table
from pyloader.cli.output import clock, emit_json, note, table, value
from pyloader.cli.seconds import Seconds

if TYPE_CHECKING:
    from pyloader.attached import Attached

_JSON = click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")


@click.command(name="list")
@_JSON
def list_(as_json: bool) -> None:
    """List the schedulers that come with scxhid; the one that runs is marked."""
    from pyloader.catalog import schedulers
    from pyloader.running import current_name

    runs = current_name()
    rows = [(name, source.open(warn=note).about) for name, source in schedulers().items()]
    if as_json:
        emit_json(
            [
                {
                    "name": n,
                    "about": a.what,
                    "good_for": a.good_for,
                    "ignores": list(a.ignores or ()),
                    "runs": n == runs,
                }
                for n, a in rows
            ]
        )
        return
    table(
        ("NAME", "WHAT IT IS", "GOOD FOR"),
        [(f"{n} *" if n == runs else n, about.what, about.good_for) for n, about in rows],
    )


@click.command()
@_JSON
def knobs(as_json: bool) -> None:
    """Show the knobs of the scheduler that runs: value, default, range and what they do."""
    from pyloader.running import of_current

    of_current(lambda running: _show_knobs(running, as_json))


def _show_knobs(running: Attached, as_json: bool) -> None:
    now = running.knob_values()
    if running.knobs:
        if as_json:
            emit_json({name: knob_json(k, now[name]) for name, k in running.knobs.items()})
        else:
            knob_table(running.knobs, now)
        return
    from pyloader.btf import describe
    from pyloader.elsewhere import shape

    hidden = shape.plumbing(running.variables)
    shown = [v for name, v in running.variables.items() if name not in hidden]
    if as_json:
        emit_json(
            {
                v.name: {"value": v.value, "type": describe(v.type), "live": v.section.writable}
                for v in shown
            }
        )
        return
    table(
        ("VARIABLE", "VALUE", "TYPE", "CHANGE"),
        [
            (
                v.name,
                value(v.value)[:40],
                describe(v.type),
                "live" if v.section.writable else "swap",
            )
            for v in shown
        ],
    )


@click.command()
@click.option("--watch", type=Seconds(min=0.05), metavar="S", help="Again every S seconds.")
@_JSON
def stats(watch: float | None, as_json: bool) -> None:
    """Show what the scheduler that runs has counted, over all CPUs.

    With --watch: rates a second, a line of JSON each time with --json; Ctrl-C ends it.
    """
    from pyloader import sysfs
    from pyloader.running import of_current

    counted = of_current(_counted)
    before, then = counted.read(), time.monotonic_ns()
    if watch is None:
        if as_json:
            per_cpu = {n: row.tolist() for n, row in zip(counted.docs, before, strict=True)}
            totals = {name: sum(cpus) for name, cpus in per_cpu.items()}
            emit_json({"total": totals, "per_cpu": per_cpu, "kernel": sysfs.events()})
            return
        rows = [
            (name, f"{int(row.sum()):,}", doc)
            for (name, doc), row in zip(counted.docs.items(), before, strict=True)
        ]
        rows += [
            (n, f"{count:,}", "the kernel's own") for n, count in sysfs.events().items() if count
        ]
        table(("NAME", "COUNT", "WHAT"), rows, right=(1,))
        return
    import json

    while True:
        time.sleep(watch)
        counted_now = of_current(_counted)
        now, at = counted_now.read(), time.monotonic_ns()
        if counted_now.docs != counted.docs or now.shape != before.shape:
            counted, before, then = counted_now, now, at
            continue
        rates = (now - before).sum(axis=1) * 1e9 / (at - then)
        named: dict[str, float] = dict(zip(counted.docs, rates.tolist(), strict=True))
        if as_json:
            click.echo(json.dumps({"time": time.time(), "per_second": named}))
        else:
            words = "  ".join(f"{name} {rate:,.0f}/s" for name, rate in named.items() if rate)
            click.echo(f"{clock(time.time_ns())[11:]}  {words or 'nothing happened'}")
        counted, before, then = counted_now, now, at


class _Counted(NamedTuple):
    docs: dict[str, str]
    """Names of the counters in order, and what each counts as far as it is told."""
    read: Callable[[], Any]
    running: Attached
    """Held, since its maps are closed with it."""


def _counted(running: Attached) -> _Counted:
    """What the scheduler says it counts; of one without our tags, what its maps look like."""
    if running.stats:
        docs = {s.name: s.doc for s in running.stats.values()}
        return _Counted(docs, running.read_stats, running)
    from pyloader.elsewhere.counters import Counters

    counters = Counters(running.maps)
    docs = {c.name: "" if c.name.startswith(c.map_name) else c.where() for c in counters.list}
    return _Counted(docs, counters.read, running)


@click.command()
@click.option("--dump", is_flag=True, help="With the kernel's debug dump of each ejection.")
@click.option("-n", "count", type=click.IntRange(min=1), default=20, help="How many; default 20.")
@_JSON
def log(dump: bool, count: int, as_json: bool) -> None:
    """Show who was attached, who left and why: the newest last."""
    from pyloader import history, sched

    sched.collect()
    events = history.read()[-count:]
    if as_json:
        emit_json(events)
        return
    if not events:
        click.echo("nothing yet")
    for event in events:
        click.echo(f"{clock(event['time_ns'])}  {event['event']:<9} {event['name']}{_why(event)}")
        text = event.get("exit", {}).get("dump", "")
        if dump and text:
            click.echo("".join(f"    {line}\n" for line in text.splitlines()), nl=False)


def _why(event: dict[str, Any]) -> str:
    from pyloader.exitinfo import ExitInfo

    found = event.get("exit")
    if not found:
        return ""
    fields = {k: found[k] for k in ("kind", "exit_code", "reason", "message", "dump") if k in found}
    info = ExitInfo(**fields)
    if info.was_asked_for:
        return ""
    waited = f" (the task waited in a queue of {event['blamed']})" if "blamed" in event else ""
    return f": {info.sentence()}{waited}"
