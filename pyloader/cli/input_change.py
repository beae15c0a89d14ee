"""The commands of ``scxhid input`` that change something."""

from __future__ import annotations

from typing import Any

import click
from click.shell_completion import CompletionItem

from pyloader.cli.complete import knob_items
from pyloader.cli.output import emit_json, note, value
from pyloader.cli.sched_change import assignments
from pyloader.errors import WrongUse

_JSON = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")


def _complete_knob(
    ctx: click.Context, param: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    from pyloader.catalog import find_input_mark

    return knob_items(find_input_mark().open().knobs, incomplete)


def _complete_model(
    ctx: click.Context, param: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    from pyloader.input_first.models import named

    found = ((str(model), name) for model, name in named().items())
    wanted = incomplete.upper()
    return [CompletionItem(text, help=name) for text, name in found if text.startswith(wanted)]


def _devices(option: str, words: str) -> Any:
    return click.option(
        f"--{option}",
        option,
        multiple=True,
        metavar="DEVICE",
        help=words,
        shell_complete=_complete_model,
    )


@click.command()
@click.argument("knobs", metavar="[KNOB=VALUE]...", nargs=-1, shell_complete=_complete_knob)
@_devices("only", "This device counts, and no other. May be given several times.")
@_devices("not", "This device does not count. May be given several times.")
@click.option("--all", "everything", is_flag=True, help="All devices count (again).")
@_JSON
def on(
    knobs: tuple[str, ...],
    only: tuple[str, ...],
    everything: bool,
    as_json: bool,
    **others: tuple[str, ...],
) -> None:
    """Let tasks that input wakes go first, under schedulers that look at their marks.

    It stays on when the command has ended, until `scxhid input off` or a reboot, and whichever
    scheduler is swapped in. When it is on already, knobs and devices that are given are changed,
    and what runs goes on.

    A DEVICE is a HID device's name in sysfs (0003:046D:C52B.0004), BUS:VENDOR:PRODUCT
    (0011:0001:0001 is a PS/2 keyboard), VENDOR:PRODUCT or a part of its name. It is remembered by
    bus, vendor and product: the same model counts, or not, when it is plugged in anew, and so do
    two of a kind.

    \b
    Examples:
      scxhid input on
      scxhid input on preempt=off
      scxhid input on --only 046d:c52b --only 0011:0001:0001
    """
    from pyloader.input_first import change

    is_new = change.on(assignments(knobs), only, others["not"], everything, note)
    who, reads, has_rule = _who_looks()
    if as_json:
        looks = {"scheduler": who, "scheduler_looks": reads and has_rule}
        emit_json({"on": True, "was_on": not is_new, **looks})
        return
    words = _in_words(who, reads, has_rule)
    click.echo(f"input first {'is on' if is_new else 'goes on'}; {words}")


def _who_looks() -> tuple[str | None, bool, bool]:
    """What schedules, None for the kernel's own; whether it reads the marks; and if it follows
    rules, whether one of them is for input."""
    from pyloader.errors import ScxhidError
    from pyloader.input_first import marks
    from pyloader.rules.apply import has_rule_for_input
    from pyloader.running import current, current_name

    try:
        running = current()
    except ScxhidError:
        running = None
    if running:
        reads = marks.are_read_by(running.place)
        return running.name, reads, reads and has_rule_for_input(running)
    return current_name(), False, False


def _in_words(who: str | None, reads: bool, has_rule: bool) -> str:
    if reads and not has_rule:
        return f"{who} runs, and none of its rules has input = true, so nobody goes first"
    if reads:
        return f"{who} runs and looks at marks"
    runs = f"{who} runs, which does not" if who else "the kernel's own scheduler does not"
    return f"{runs} look at marks: `scxhid sched use interactive` does"


@click.command()
@_JSON
def off(as_json: bool) -> None:
    """Take it off: tasks that input wakes are like any other. Nothing of it stays."""
    from pyloader.input_first import change

    was_on = change.off(note)
    if as_json:
        emit_json({"on": False, "was_on": was_on})
    else:
        click.echo("input first is off" if was_on else "input first was off; nothing changed")


@click.command(name="set")
@click.argument("knobs", metavar="KNOB=VALUE...", nargs=-1, shell_complete=_complete_knob)
@_JSON
def set_(knobs: tuple[str, ...], as_json: bool) -> None:
    """Turn knobs while it is on. All are checked before any is touched.

    \b
    Example:
      scxhid input set budget_us=2ms depth=2
    """
    from pyloader.input_first import change

    if not knobs:
        raise WrongUse("no knob is given; `scxhid input knobs` shows what can be turned")
    changed = change.set_knobs(assignments(knobs), note)
    if as_json:
        emit_json({"changed": {name: {"from": a, "to": b} for name, (a, b) in changed.items()}})
        return
    for name, (old, new) in changed.items():
        click.echo(f"{name}: {value(old)} → {value(new)}")
