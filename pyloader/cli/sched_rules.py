"""``scxhid sched rules``: the rules of the scheduler ``layers``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from pyloader.cli.output import clock, duration, emit_json, note, table
from pyloader.errors import WrongUse

if TYPE_CHECKING:
    from pyloader.rules.apply import InForce
    from pyloader.rules.model import Layer, Rule, RuleSet
    from pyloader.rules.read import Read


@click.command()
@click.argument("file", required=False, type=click.Path())
@click.option("--check", is_flag=True, help="Only say whether FILE is right; needs no root.")
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
def rules(file: str | None, check: bool, as_json: bool) -> None:
    """Let the scheduler `layers` follow the rules in FILE, or show those in force.

    FILE is TOML: tables [layer.NAME] say how a layer is treated, [[rule]] which tasks
    belong to it. It takes effect at once and as a whole; no scheduler is swapped. With
    a fault in FILE nothing changes. `desktop` is a file that comes with scxhid.

    \b
    Examples:
      scxhid sched use layers
      scxhid sched rules mine.toml --check
      scxhid sched rules desktop
      scxhid sched rules                       what is in force, and what was counted
    """
    if file is None:
        if check:
            raise WrongUse("no file is given; `scxhid sched rules FILE --check` checks one")
        _show(as_json)
        return
    from pyloader.rules.cpus import this_machine
    from pyloader.rules.read import find_file, read_file

    file = find_file(file)
    found = read_file(file, this_machine())
    if not as_json:
        for warning in found.warnings:
            note(f"warning: {warning}")
        _give_hint(found.rules, f"{file}: ")
    if check:
        _checked(file, found, as_json)
        return
    from pyloader.rules.apply import apply

    applied = apply(found.rules, file, note)
    if as_json:
        more = {"version": applied.version, "taken_ns": applied.taken_ns}
        emit_json({**_read_json(file, found), "applied": True, **more})
        return
    what = _counts(found)
    click.echo(f"{file}: {what} in force, seen by every CPU after {duration(applied.taken_ns)}")


def _give_hint(rules: RuleSet, where: str = "") -> None:
    from pyloader.rules.hints import hint

    if said := hint(rules):
        note(f"hint: {where}{said}")


def _checked(file: str, found: Read, as_json: bool) -> None:
    if as_json:
        emit_json({**_read_json(file, found), "applied": False})
        return
    odd = f", {len(found.warnings)} warned of above" if found.warnings else ""
    click.echo(f"{file}: {_counts(found)}{odd}; nothing was changed")


def _show(as_json: bool) -> None:
    from pyloader.rules.apply import in_force

    now = in_force()
    if as_json:
        emit_json(
            {
                "file": now.source or None,
                "applied_ns": now.applied_ns or None,
                "version": now.version,
                **_rules_json(now.rules, now),
            }
        )
        return
    when = f"{now.source}, applied {clock(now.applied_ns)}" if now.applied_ns else "as it starts"
    click.echo(f"rules of layers: {when}\n")
    settings = [
        (
            layer.name,
            str(layer.weight),
            f"{layer.slice_us:,}",
            _cpus(layer) or "all",
            layer.latency,
            "yes" if layer.preempt else "no",
        )
        for layer in now.rules.layers.values()
    ]
    table(("LAYER", "WEIGHT", "SLICE µs", "CPUS", "LATENCY", "PREEMPTS"), settings, right=(1, 2))
    click.echo()
    total = sum(figures.run_ns for figures in now.figures.values()) or 1
    counted = [
        (
            name,
            f"{f.tasks:,}",
            duration(f.run_ns),
            f"{100 * f.run_ns / total:.1f} %",
            f"{f.enqueued:,}",
            *(_time(ns) for ns in (f.wait_mean_ns, f.wait_p50_ns, f.wait_p99_ns)),
            f"{f.preempting:,}",
            f"{f.preempted:,}",
        )
        for name, f in now.figures.items()
    ]
    heads = ("LAYER", "TASKS", "RAN", "SHARE", "QUEUED", "WAIT MEAN", "P50 <", "P99 <")
    more = ("INTERRUPTED OTHERS", "WAS INTERRUPTED")
    table((*heads, *more), counted, right=tuple(range(1, 10)))
    click.echo()
    rows = [(str(n), _words(rule), rule.layer) for n, rule in enumerate(now.rules.rules, 1)]
    table(("RULE", "TASKS", "LAYER"), [*rows, ("", "all others", "default")], right=(0,))
    if now.applied_ns:
        _give_hint(now.rules)


def _time(ns: int | None) -> str:
    return "-" if ns is None else duration(ns)


def _cpus(layer: Layer) -> str | None:
    from pyloader.rules.cpus import text

    return None if layer.cpus is None else text(layer.cpus)


def _words(rule: Rule) -> str:
    """What a rule looks at, as a line."""
    parts = [f"{k} {v}" for k, v in (("comm", rule.comm), ("cgroup", rule.cgroup)) if v]
    for key, pair in (("uid", rule.uid), ("nice", rule.nice)):
        if pair:
            parts.append(
                f"{key} {pair[0]}" if pair[0] == pair[1] else f"{key} {pair[0]}..{pair[1]}"
            )
    if rule.kernel_thread is not None:
        parts.append("kernel threads" if rule.kernel_thread else "no kernel threads")
    if rule.input is not None:
        parts.append("while woken for input" if rule.input else "while not woken for input")
    return ", ".join(parts) or "all"


def _counts(found: Read) -> str:
    own = _counted(len(found.rules.layers) - 1, "layer")
    several = len(found.rules.rules)
    more = f" ({several} with each pattern by itself)" if several != found.written else ""
    return f"{own} beside the default one, {_counted(found.written, 'rule')}{more}"


def _counted(n: int, what: str) -> str:
    return f"{n} {what}" if n == 1 else f"{n} {what}s"


def _read_json(file: str, found: Read) -> dict[str, Any]:
    from pyloader.rules.hints import hint

    more = {"warnings": list(found.warnings), "hint": hint(found.rules)}
    return {"file": file, **more, **_rules_json(found.rules)}


def _rules_json(rules: RuleSet, now: InForce | None = None) -> dict[str, Any]:
    """Layers (with figures where they are known) and rules, as documented in rules.md."""
    layers = [
        {
            "name": layer.name,
            "weight": layer.weight,
            "slice_us": layer.slice_us,
            "cpus": _cpus(layer),
            "latency": layer.latency,
            "preempt": layer.preempt,
            **({"figures": now.figures[layer.name]._asdict()} if now else {}),
        }
        for layer in rules.layers.values()
    ]
    listed = [
        {
            "layer": rule.layer,
            "comm": rule.comm,
            "cgroup": rule.cgroup,
            "uid": rule.uid,
            "nice": rule.nice,
            "kernel_thread": rule.kernel_thread,
            "input": rule.input,
        }
        for rule in rules.rules
    ]
    return {"layers": layers, "rules": listed}
