"""The commands of ``scxhid sched`` that change what runs."""

from __future__ import annotations

from typing import Any

import click

from pyloader.cli.complete import complete_knob, complete_scheduler
from pyloader.cli.output import duration, emit_json, note, value
from pyloader.cli.seconds import Seconds
from pyloader.errors import WrongUse

_JSON = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
_TRIAL = click.option(
    "--trial",
    "trial_s",
    type=Seconds(min=0, max=3600),
    default=0.0,
    metavar="S",
    help="Watch it for S seconds; if it is thrown out, put the old one back. A stall shows "
    "only after the scheduler's own timeout (simple: 5 s).",
)
_REPLACE = click.option(
    "--replace", is_flag=True, help="Take off a scheduler that somebody else attached."
)


def assignments(words: tuple[str, ...]) -> dict[str, str]:
    """``KNOB=VALUE`` words by name; WrongUse for anything else, or a name given twice."""
    found: dict[str, str] = {}
    for word in words:
        name, equals, text = word.partition("=")
        if not equals or not name:
            raise WrongUse(f"{word!r} is not of the form KNOB=VALUE")
        if name in found:
            raise WrongUse(f"{name} is given twice")
        found[name] = text
    return found


@click.command()
@click.argument("what", metavar="NAME|FILE", shell_complete=complete_scheduler)
@click.argument("knobs", metavar="[KNOB=VALUE]...", nargs=-1, shell_complete=complete_knob)
@click.option("--keep-knobs", is_flag=True, help="Carry over knobs of the same name and type.")
@_TRIAL
@_REPLACE
@click.option("--no-pin", is_flag=True, help="Stay in the foreground; Ctrl-C takes it off.")
@_JSON
def use(
    what: str,
    knobs: tuple[str, ...],
    keep_knobs: bool,
    trial_s: float,
    replace: bool,
    no_pin: bool,
    as_json: bool,
) -> None:
    """Attach the scheduler NAME, or swap to it if one runs.

    FILE may be C source (NAME.bpf.c, compiled first) or an object (NAME.bpf.o). It is
    compiled, loaded and verified before anything is detached; if the kernel refuses it
    or it does not run, what ran before goes on.

    \b
    Examples:
      scxhid sched use simple
      scxhid sched use simple slice_us=2ms fifo=on
      scxhid sched use ./mine.bpf.c --trial 10
    """
    from pyloader import sched
    from pyloader.catalog import find_scheduler

    source = find_scheduler(what)
    spec = source.open(warn=note)
    values = sched.parse_values(spec, assignments(knobs))
    options = sched.UseOptions(int(trial_s * 1e9), replace, keep_knobs)
    if no_pin:
        with source.blamed():
            what_then = sched.hold(
                spec, values, options, lambda name: note(f"{name} runs; Ctrl-C takes it off")
            )
        note(what_then)
        return
    if trial_s:
        note(f"it will be watched for {trial_s:g} s once it runs")
    with source.blamed():
        result = sched.use(spec, values, options, note)
    _report(result, as_json)


@click.command()
@_TRIAL
@_REPLACE
@_JSON
def back(trial_s: float, replace: bool, as_json: bool) -> None:
    """Attach the previous scheduler again, with its knobs as they were.

    It has stayed loaded, so nothing is compiled or verified again.
    """
    from pyloader import sched

    _report(sched.back(sched.UseOptions(int(trial_s * 1e9), replace), note), as_json)


@click.command()
@_JSON
def stop(as_json: bool) -> None:
    """Take our scheduler off: the kernel's own runs. `scxhid sched back` undoes it."""
    from pyloader import sched

    name = sched.stop(note)
    if as_json:
        emit_json({"stopped": name})
    elif name:
        click.echo(f"{name} is off; the kernel's own scheduler runs")
    else:
        click.echo("nothing of scxhid's was attached; nothing changed")


@click.command(name="set")
@click.argument("knobs", metavar="KNOB=VALUE...", nargs=-1, shell_complete=complete_knob)
@_TRIAL
@_JSON
def set_(knobs: tuple[str, ...], trial_s: float, as_json: bool) -> None:
    """Turn knobs of the scheduler that runs.

    A live knob changes at once, by a store to memory that the program reads. A
    load-time knob is a constant of the program: changing one loads a fresh copy and
    swaps to it. Several at once are one change; all are checked before any is touched.

    \b
    Examples:
      scxhid sched set slice_us=1000
      scxhid sched set slice_us=20ms fifo=on
    """
    from pyloader import sched

    if not knobs:
        raise WrongUse("no knob is given; `scxhid sched knobs` shows what can be turned")
    result = sched.set_knobs(assignments(knobs), sched.UseOptions(int(trial_s * 1e9)), note)
    if as_json:
        changed = {name: {"from": a, "to": b} for name, (a, b) in result.changed.items()}
        emit_json({"changed": changed, "swap": _as_dict(result.swap) if result.swap else None})
        return
    for name, (old, new) in result.changed.items():
        click.echo(f"{name}: {value(old)} → {value(new)}")
    if result.swap:
        _report(result.swap, False)


def _as_dict(result: Any) -> dict[str, Any]:
    return {
        "name": result.name,
        "previous": result.previous,
        "mode": "direct",
        "load_ns": result.load_ns,
        "attach_ns": result.attach_ns,
        "gap_ns": result.gap_ns,
        "kept_knobs": dict(result.kept_knobs),
    }


def _report(result: Any, as_json: bool) -> None:
    if as_json:
        emit_json(_as_dict(result))
        return
    times = [f"attached in {duration(result.attach_ns)}"]
    if result.load_ns:
        times.insert(0, f"loaded and verified in {duration(result.load_ns)}")
    if result.gap_ns is not None:
        times.append(f"{duration(result.gap_ns)} without either")
    after = f", after {result.previous}" if result.previous else ""
    click.echo(f"{result.name} runs{after}: {', '.join(times)}")
    for name, kept in result.kept_knobs.items():
        click.echo(f"  kept {name} = {value(kept)}")
