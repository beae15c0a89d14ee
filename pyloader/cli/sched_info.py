"""``scxhid sched info``: all that an object says, or gives away, about a scheduler."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from pyloader.cli.complete import complete_scheduler
from pyloader.cli.knob_table import knob_json, knob_table
from pyloader.cli.output import emit_json, note, table, value

if TYPE_CHECKING:
    from pyloader.spec import ObjectSpec, OpsSpec

_WIDEST_VALUE = 40
_KERNELS_TIMEOUT_MS = 30_000  # SCX_WATCHDOG_MAX_TIMEOUT, the kernel's where timeout_ms is 0


@click.command()
@click.argument("what", metavar="NAME|FILE", shell_complete=complete_scheduler)
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
def info(what: str, as_json: bool) -> None:
    """Tell all that a scheduler says about itself: it need not run, and no root is needed.

    Everything comes from the compiled object (BTF), so it works for any object, also
    one made elsewhere: without tags its variables are shown, what it does not honour
    follows from its callbacks, and what its own user-space program would do from the
    maps and constants that it leaves to it.

    \b
    Examples:
      scxhid sched info simple
      scxhid sched info ./scx_flatcg.bpf.o --json
    """
    from pyloader.catalog import find_scheduler

    source = find_scheduler(what)
    spec = source.open(warn=note)
    if as_json:
        emit_json(_as_dict(spec))
        return
    _show(spec)
    if source.c_file:
        click.echo(f"\nsource: {source.c_file}")


def _as_dict(spec: ObjectSpec) -> dict[str, Any]:
    from pyloader.elsewhere import halves, shape
    from pyloader.elsewhere.ignores import ignores

    why_not = _why_not_hosted(spec)
    return {
        "name": spec.name,
        "about": spec.about.what,
        "good_for": spec.about.good_for,
        "made_elsewhere": shape.is_made_elsewhere(spec),
        "license": spec.license,
        "digest": spec.digest,
        "ops": {ops.name: _ops_dict(ops) for ops in spec.ops.values()},
        "unusable": _unusable(spec) or None,
        "hostable": why_not == "",
        "why_not_hostable": why_not or None,
        "ignores": list(ignores(spec)),
        "missing_half": halves.missing_half(spec),
        "knobs": {k.name: knob_json(k, k.default) for k in spec.knobs.values()},
        "stats": {s.name: s.doc for s in spec.stats.values()},
        "counters": _counters(spec),
        "variables": {v.name: v.initial for v in spec.variables.values()},
        "maps": {m.name: m.type for m in spec.maps.values()},
        "programs": {p.name: p.instructions for p in spec.programs.values()},
    }


def _ops_dict(ops: OpsSpec) -> dict[str, Any]:
    from pyloader.elsewhere import flags

    return {
        "kind": ops.kind,
        **{name: v for name, v in ops.fields.items() if v},
        "callbacks": list(ops.callbacks),
        "flag_names": flags.names(int(ops.fields.get("flags") or 0)),
    }


def _show(spec: ObjectSpec) -> None:
    from pyloader.elsewhere import halves, shape
    from pyloader.elsewhere.ignores import ignores

    elsewhere = shape.is_made_elsewhere(spec)
    unsaid = "made elsewhere; it" if elsewhere else "it"
    click.echo(f"{spec.name}: {spec.about.what or f'{unsaid} does not say what it is'}")
    if spec.about.good_for:
        click.echo(f"good for: {spec.about.good_for}")
    if shape.is_scheduler(spec):
        unheard = ignores(spec)
        certain = "" if spec.about.ignores is not None else " (as far as its callbacks tell)"
        if unheard:
            click.echo(f"does not honour: {', '.join(unheard)}{certain}")
    for ops in spec.ops.values():
        _show_ops(ops)
    why_not = _why_not_hosted(spec)
    if why_not is not None:
        click.echo(f"  hosted     {f'no: {why_not}' if why_not else 'yes, so a swap has no gap'}")
    if missing := halves.missing_half(spec):
        click.echo("\nIts own user-space program is not in the file; it")
        for half in missing:
            click.echo(f"  - {half}")
    if spec.knobs:
        click.echo("\nKnobs")
        knob_table(spec.knobs, {name: knob.default for name, knob in spec.knobs.items()})
    if spec.stats:
        click.echo("\nStatistics")
        table(("NAME", "COUNTS"), [(s.name, s.doc) for s in spec.stats.values()])
    elif counters := _counters(spec):
        click.echo("\nStatistics (per-CPU maps of numbers; `scxhid sched stats` sums them up)")
        click.echo(f"  {', '.join(counters)}")
    if not spec.knobs:
        _show_variables(spec)
    if unusable := _unusable(spec):
        click.echo(f"\n`scxhid sched use` does not take it: {unusable}")


def _show_ops(ops: OpsSpec) -> None:
    from pyloader.elsewhere import flags, shape

    shown_apart = {"name", "flags", "timeout_ms"}
    optional = ", optional" if ops.is_optional else ""
    click.echo(f"\n{ops.kind} {ops.name}{optional}, which the kernel lists as {ops.kernel_name}")
    click.echo(f"  callbacks  {', '.join(ops.callbacks) or 'none'}")
    if ops.kind in (shape.SCHED_OPS, shape.CID_OPS):
        set_flags = flags.names(int(ops.fields.get("flags") or 0))
        click.echo(f"  flags      {', '.join(set_flags) or 'none'}")
        own = ops.fields.get("timeout_ms")
        whose = "" if own else ", the kernel's longest"
        click.echo(f"  timeout    {own or _KERNELS_TIMEOUT_MS:,} ms{whose}")
    others = {k: v for k, v in ops.fields.items() if v and k not in shown_apart}
    if others:
        click.echo("  fields     " + ", ".join(f"{k} = {v}" for k, v in others.items()))


def _why_not_hosted(spec: ObjectSpec) -> str | None:
    """In words; empty if it can be hosted, None if it is no scheduler to attach."""
    from pyloader.elsewhere import shape
    from pyloader.sched import why_not_hosted

    if not any(ops.kind == shape.SCHED_OPS for ops in spec.ops.values()):
        return None
    if shape.is_made_elsewhere(spec):
        return "made elsewhere, not for the host: it is swapped by detach and attach"
    return why_not_hosted(spec)


def _unusable(spec: ObjectSpec) -> str:
    """Why it is nothing to attach as a scheduler; empty if it is."""
    from pyloader.elsewhere import shape
    from pyloader.errors import BadObject

    try:
        spec.sole_ops(shape.SCHED_OPS)
    except BadObject as error:
        return str(error)
    return ""


def _counters(spec: ObjectSpec) -> list[str]:
    """Names of what a scheduler without our tags seems to count."""
    from pyloader.elsewhere import counters, shape

    if not shape.is_made_elsewhere(spec):
        return []
    return [
        counter.name
        for m in spec.maps.values()
        if m.type in counters.TYPE_NAMES
        for counter in counters.of_map(
            m.name, m.max_entries, m.value_type, m.value_size, spec.enums
        )
    ]


def _show_variables(spec: ObjectSpec) -> None:
    from pyloader.btf import describe
    from pyloader.elsewhere import adapt, cpus, shape

    hidden = shape.plumbing(spec.variables)
    rows = [
        (v.name, describe(v.type), v.section, value(v.initial)[:_WIDEST_VALUE])
        for v in spec.variables.values()
        if v.name not in hidden
    ]
    if rows:
        click.echo("\nVariables (no knobs are declared; these can be set the same way)")
        table(("NAME", "TYPE", "SECTION", "VALUE"), rows)
    known = adapt.well_known(spec) if shape.is_made_elsewhere(spec) else {}
    if known:
        click.echo(f"set for this machine at load: {cpus.described(known)}")
    if sized := shape.sized_by_cpu(spec):
        click.echo(f"one element a CPU, from the load on: {', '.join(v.name for v in sized)}")
    filled = len(shape.constants(spec))
    if filled:
        click.echo(f"and {filled} constants of the kernel's, filled in at load")
