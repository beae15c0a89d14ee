"""The commands of ``scxhid sched`` that only look."""

from __future__ import annotations

import time
from typing import Any

import click

from pyloader.cli.complete import complete_scheduler
from pyloader.cli.output import clock, emit_json, note, table, value
from pyloader.cli.seconds import Seconds

_JSON = click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")


@click.command(name="list")
@_JSON
def list_(as_json: bool) -> None:
    """List the schedulers that come with scxhid; the one that runs is marked."""
    from pyloader import sysfs
    from pyloader.catalog import schedulers

    runs = sysfs.read().ops
    rows = [(name, source.open(warn=note).about) for name, source in schedulers().items()]
    if as_json:
        emit_json(
            [
                {"name": n, "about": a.what, "good_for": a.good_for, "runs": n == runs}
                for n, a in rows
            ]
        )
        return
    table(
        ("NAME", "WHAT IT IS", "GOOD FOR"),
        [(f"{n} *" if n == runs else n, about.what, about.good_for) for n, about in rows],
    )


@click.command()
@click.argument("what", metavar="NAME|FILE", shell_complete=complete_scheduler)
@_JSON
def info(what: str, as_json: bool) -> None:
    """Tell all that a scheduler says about itself: it need not run, and no root is needed.

    Everything comes from the compiled object (BTF), so it works for any object, also
    one made elsewhere: without tags its variables are shown.
    """
    from pyloader.catalog import find_scheduler

    spec = find_scheduler(what).open(warn=note)
    if as_json:
        emit_json(
            {
                "name": spec.name,
                "about": spec.about.what,
                "good_for": spec.about.good_for,
                "license": spec.license,
                "digest": spec.digest,
                "ops": {o.name: {"kind": o.kind, **_plain(o.fields)} for o in spec.ops.values()},
                "knobs": {k.name: _knob_json(k, k.default) for k in spec.knobs.values()},
                "stats": {s.name: s.doc for s in spec.stats.values()},
                "variables": {v.name: v.initial for v in spec.variables.values()},
                "maps": {m.name: m.type for m in spec.maps.values()},
                "programs": {p.name: p.instructions for p in spec.programs.values()},
            }
        )
        return
    click.echo(f"{spec.name}: {spec.about.what or 'it does not say what it is'}")
    if spec.about.good_for:
        click.echo(f"good for: {spec.about.good_for}")
    for ops in spec.ops.values():
        click.echo(f"\n{ops.kind} {ops.name}: {', '.join(ops.callbacks)}")
        set_fields = {k: v for k, v in ops.fields.items() if v and k != "name"}
        if set_fields:
            click.echo("  " + ", ".join(f"{k} = {v}" for k, v in set_fields.items()))
    if spec.knobs:
        click.echo("\nKnobs")
        _knob_table(spec.knobs, {name: knob.default for name, knob in spec.knobs.items()})
    if spec.stats:
        click.echo("\nStatistics")
        table(("NAME", "COUNTS"), [(s.name, s.doc) for s in spec.stats.values()])
    if not spec.knobs and spec.variables:
        from pyloader.btf import describe

        click.echo("\nVariables (no knobs are declared; these can be set the same way)")
        table(
            ("NAME", "TYPE", "SECTION", "VALUE"),
            [
                (v.name, describe(v.type), v.section, value(v.initial)[:40])
                for v in spec.variables.values()
            ],
        )
    source = find_scheduler(what)
    if source.c_file:
        click.echo(f"\nsource: {source.c_file}")


@click.command()
@_JSON
def knobs(as_json: bool) -> None:
    """Show the knobs of the scheduler that runs: value, default, range and what they do."""
    from pyloader.sched import require_current

    running = require_current()
    now = running.knob_values()
    if running.knobs:
        if as_json:
            emit_json({name: _knob_json(k, now[name]) for name, k in running.knobs.items()})
        else:
            _knob_table(running.knobs, now)
        return
    from pyloader.btf import describe

    if as_json:
        emit_json(
            {
                v.name: {"value": v.value, "type": describe(v.type), "live": v.section.writable}
                for v in running.variables.values()
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
            for v in running.variables.values()
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
    from pyloader.sched import require_current

    running = require_current()
    names = list(running.stats)
    before, then = running.read_stats(), time.monotonic_ns()
    if watch is None:
        if as_json:
            per_cpu = {n: row.tolist() for n, row in zip(names, before, strict=True)}
            totals = {name: sum(cpus) for name, cpus in per_cpu.items()}
            emit_json({"total": totals, "per_cpu": per_cpu, "kernel": sysfs.events()})
            return
        rows = [
            (s.name, f"{int(row.sum()):,}", s.doc)
            for s, row in zip(running.stats.values(), before, strict=True)
        ]
        rows += [
            (n, f"{count:,}", "the kernel's own") for n, count in sysfs.events().items() if count
        ]
        table(("NAME", "COUNT", "WHAT"), rows, right=(1,))
        return
    import json

    while True:
        time.sleep(watch)
        running = require_current()
        now, at = running.read_stats(), time.monotonic_ns()
        if now.shape != before.shape:
            names, before, then = list(running.stats), now, at
            continue
        rates = (now - before).sum(axis=1) * 1e9 / (at - then)
        named: dict[str, float] = dict(zip(names, rates.tolist(), strict=True))
        if as_json:
            click.echo(json.dumps({"time": time.time(), "per_second": named}))
        else:
            words = "  ".join(f"{name} {rate:,.0f}/s" for name, rate in named.items() if rate)
            click.echo(f"{clock(time.time_ns())[11:]}  {words or 'nothing happened'}")
        before, then = now, at


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
    return "" if info.was_asked_for else f": {info.sentence()}"


def _knob_json(knob: Any, now: Any) -> dict[str, Any]:
    return {
        "value": now,
        "default": knob.default,
        "min": knob.minimum,
        "max": knob.maximum,
        "unit": knob.unit,
        "live": not knob.at_load,
        "doc": knob.doc,
    }


def _knob_table(knobs: Any, now: dict[str, Any]) -> None:
    table(
        ("KNOB", "VALUE", "UNIT", "DEFAULT", "RANGE", "CHANGE", "WHAT IT DOES"),
        [
            (
                k.name,
                value(now[k.name]),
                k.unit,
                value(k.default),
                "on, off" if isinstance(k.default, bool) else f"{k.minimum}-{k.maximum}",
                "by a swap" if k.at_load else "live",
                k.doc,
            )
            for k in knobs.values()
        ],
        right=(1, 3),
    )


def _plain(fields: Any) -> dict[str, Any]:
    return {k: v for k, v in fields.items() if v}
