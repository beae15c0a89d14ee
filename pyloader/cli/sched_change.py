"""The commands of ``scxhid sched`` that change what runs."""

from __future__ import annotations

import dataclasses
from typing import Any

import click

from pyloader.cli.complete import complete_knob, complete_scheduler
from pyloader.cli.output import duration, emit_json, note, value
from pyloader.cli.seconds import Seconds
from pyloader.errors import WrongUse

_JSON = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")


def _trial(default: str) -> Any:
    return click.option(
        "--trial",
        "trial_s",
        type=Seconds(min=0, max=3600),
        metavar="S",
        help="Watch it for S seconds; if it is thrown out meanwhile, put the old one back. "
        f"Default: {default}.",
    )


_TRIAL_LONG = _trial("as long as a stall takes to show, 5.5 s for what is hosted; 0: no trial")
_TRIAL_NONE = _trial("0, no trial")
_NO_WAIT = click.option(
    "--no-wait", is_flag=True, help="Return at once; a small process of its own does the trial."
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
@_TRIAL_LONG
@_NO_WAIT
@click.option("--watch", is_flag=True, help="Stay after the trial, and put back what can be.")
@click.option("--direct", is_flag=True, help="Attach it by itself, also where it can be hosted.")
@_REPLACE
@click.option("--no-pin", is_flag=True, help="Stay in the foreground; Ctrl-C takes it off.")
@_JSON
def use(
    what: str,
    knobs: tuple[str, ...],
    keep_knobs: bool,
    trial_s: float | None,
    no_wait: bool,
    watch: bool,
    direct: bool,
    replace: bool,
    no_pin: bool,
    as_json: bool,
) -> None:
    """Attach the scheduler NAME, or swap to it if one runs.

    FILE may be C source (NAME.bpf.c, compiled first) or an object (NAME.bpf.o). It is
    compiled, loaded and verified before what runs is touched; if the kernel refuses it
    or it does not run, what ran before goes on.

    A scheduler that says it can be hosted is: a resident host stays attached and calls
    it, so that a swap to the next one is one store, with no gap. Others are swapped by
    detach and attach. Either way it is watched for a while (--trial), and the old one is
    put back if it is thrown out. Ctrl-C ends the trial and puts the old one back.

    \b
    Examples:
      scxhid sched use simple
      scxhid sched use simple slice_us=2ms fifo=on
      scxhid sched use ./mine.bpf.c --trial 10
      scxhid sched use interactive --no-wait
    """
    from pyloader import sched
    from pyloader.catalog import find_scheduler
    from pyloader.elsewhere.remarks import before_use
    from pyloader.running import require_sched_ext

    source = find_scheduler(what)
    spec = source.open(warn=note)
    values = spec.parse_values(assignments(knobs))
    require_sched_ext()
    for line in before_use(spec):
        note(line)
    if no_pin and (no_wait or watch or trial_s):
        raise WrongUse("--no-pin stays itself: it goes with none of --trial, --no-wait, --watch")
    if no_wait and watch:
        raise WrongUse("--no-wait returns at once and --watch stays: give one of them")
    trial_ns = sched.default_trial_ns(spec, direct) if trial_s is None else int(trial_s * 1e9)
    options = sched.UseOptions(trial_ns, replace, keep_knobs, direct, not no_wait)
    if no_pin:
        with source.blamed():
            what_then = sched.hold(
                spec, values, options, lambda name: note(f"{name} runs; Ctrl-C takes it off")
            )
        note(what_then)
        return
    if trial_ns and not no_wait:
        options = dataclasses.replace(options, on_trial=_on_trial)
    with source.blamed():
        result = sched.use(spec, values, options, note)
    _report(result, as_json)
    if watch:
        note(f"watching {result.name}; Ctrl-C ends the watch, and it runs on")
        sched.watch(note)


def _on_trial(name: str, trial_ns: int) -> None:
    note(f"{name} runs; watching it for {trial_ns / 1e9:g} s (Ctrl-C puts back what ran before)")


@click.command()
@_TRIAL_NONE
@_NO_WAIT
@_REPLACE
@_JSON
def back(trial_s: float | None, no_wait: bool, replace: bool, as_json: bool) -> None:
    """Make the previous scheduler the current one again, with its knobs as they were.

    It has stayed loaded: nothing is compiled or verified again. Where both are hosted
    that is one store.
    """
    from pyloader import sched

    trial_ns = int((trial_s or 0) * 1e9)
    _report(sched.back(sched.UseOptions(trial_ns, replace, wait=not no_wait), note), as_json)


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
@_TRIAL_NONE
@_NO_WAIT
@_JSON
def set_(knobs: tuple[str, ...], trial_s: float | None, no_wait: bool, as_json: bool) -> None:
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
    options = sched.UseOptions(int((trial_s or 0) * 1e9), wait=not no_wait)
    result = sched.set_knobs(assignments(knobs), options, note)
    if as_json:
        changed = {name: {"from": a, "to": b} for name, (a, b) in result.changed.items()}
        emit_json({"changed": changed, "swap": _as_dict(result.swap) if result.swap else None})
        return
    for name, (old, new) in result.changed.items():
        click.echo(f"{name}: {value(old)} → {value(new)}")
    if result.swap:
        _report(result.swap, False)


def _as_dict(result: Any) -> dict[str, Any]:
    gapless = result.gapless
    return {
        "name": result.name,
        "previous": result.previous,
        "mode": "hosted" if result.is_hosted else "direct",
        "load_ns": result.load_ns,
        "attach_ns": result.attach_ns,
        "gap_ns": result.gap_ns,
        "gapless": dataclasses.asdict(gapless) if gapless else None,
        "kept_knobs": dict(result.kept_knobs),
    }


def _report(result: Any, as_json: bool) -> None:
    if as_json:
        emit_json(_as_dict(result))
        return
    how = "hosted" if result.is_hosted else "direct"
    times = [f"loaded and verified in {duration(result.load_ns)}"] if result.load_ns else []
    if result.gapless:
        times += _gapless_in_words(result.gapless)
    else:
        times.append(f"attached in {duration(result.attach_ns)}")
    if result.gap_ns is not None:
        times.append(f"{duration(result.gap_ns)} without either")
    after = f", after {result.previous}" if result.previous else ""
    click.echo(f"{result.name} runs ({how}){after}: {', '.join(times)}")
    for name, kept in result.kept_knobs.items():
        click.echo(f"  kept {name} = {value(kept)}")


def _gapless_in_words(change: Any) -> list[str]:
    words = ["swapped with no gap"]
    if change.first_task_ns is not None:
        words.append(f"first task after {duration(change.first_task_ns)}")
    tasks = "1 task" if change.drained == 1 else f"{change.drained} tasks"
    words.append(f"{tasks} drained in {duration(change.drain_ns)}")
    return words
