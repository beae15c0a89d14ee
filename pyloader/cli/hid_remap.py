"""``scxhid hid remap``: keys, buttons and axes by the rules of a file."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any

import click

from pyloader.cli.complete import complete_device
from pyloader.cli.output import duration, emit_json, note, table
from pyloader.cli.seconds import Seconds
from pyloader.errors import WrongUse

if TYPE_CHECKING:
    from pyloader.hid.remap.apply import Applied
    from pyloader.hid.remap.plan import Plan


@click.command()
@click.argument("file", type=click.Path())
@click.option(
    "--device",
    metavar="DEVICE",
    shell_complete=complete_device,
    help="Which one, see `scxhid hid --help`; else the one that [device] is about.",
)
@click.option("--check", is_flag=True, help="Explain the rules on the device; change nothing.")
@click.option(
    "--trial",
    type=Seconds(),
    metavar="S",
    help="Take the rules back after S seconds unless you say that they are to stay.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def remap(file: str, device: str | None, check: bool, trial: float | None, as_json: bool) -> None:
    """Let keys, buttons and axes of a device mean what FILE says, from the next report on.

    The rules count on all interfaces of the device that have any of the keys, and layers of
    one count on the others.

    FILE is TOML; docs/reference/remap.md has its grammar. Edit it and run the command
    again: the new rules take the place of the old ones between two reports, keys that are
    held are released as they were pressed. `scxhid hid detach DEVICE` ends it; so do
    backspace, escape and enter together, typed on the device itself.

    Keys that the device cannot say are added to it once, for which the kernel asks the
    device anew.

    \b
    Examples:
      scxhid hid remap mine.toml --check
      scxhid hid remap mine.toml --device "my keyboard" --trial 10
    """
    from pyloader.hid.remap.apply import apply, undo
    from pyloader.hid.remap.plan import meant, plan
    from pyloader.hid.remap.read import read_file

    if trial is not None and (as_json or not sys.stdin.isatty()):
        raise WrongUse("--trial asks whether the rules are to stay, so it needs a terminal")
    rules = read_file(file)
    planned = plan(rules, meant(rules, device))
    if not as_json:
        for warning in planned.warnings:
            note(f"warning: {warning}")
    if check:
        _explain(planned, as_json)
        return
    applied = apply(planned)
    if as_json:
        emit_json(
            {**_json(planned), "applied": True, "replaced": applied.replaced, "ns": applied.ns}
        )
        return
    click.echo(_done(planned, applied))
    if trial is not None and not _is_wanted(trial):
        undo(applied)
        before = "the rules from before count again" if applied.replaced else "nothing is remapped"
        click.echo(f"\nnobody said so within {trial:g} s: {before}")


def _done(planned: Plan, applied: Applied) -> str:
    rules = planned.rules
    how = "count now instead of others" if applied.replaced else "count now"
    added = f"; keys added to it for {', '.join(planned.added)}" if planned.added else ""
    number = sum(map(len, rules.layers.values())) + len(rules.combos) + len(rules.scales)
    return (
        f"{rules.path}: {number} rules {how} on {_where(planned)}, in force after"
        f" {duration(applied.ns)}{added}"
    )


def _where(planned: Plan) -> str:
    return " and ".join(f"{part.device.sysname} ({part.device.name})" for part in planned.parts)


def _is_wanted(seconds: float) -> bool:
    import select

    end = time.monotonic() + seconds
    click.echo(f"keep them? Enter y within {seconds:g} s: ", nl=False)
    while (left := end - time.monotonic()) > 0:
        if not select.select([sys.stdin], [], [], left)[0]:
            return False
        line = sys.stdin.readline()
        if not line or line.strip().lower() in ("n", "no"):
            return False
        if line.strip().lower() in ("y", "yes"):
            return True
    return False


def _explain(planned: Plan, as_json: bool) -> None:
    from pyloader.hid.remap.explain import explain

    if as_json:
        emit_json({**_json(planned), "applied": False})
        return
    click.echo(f"{planned.rules.path} on {_where(planned)}:\n")
    lines = [tuple(line) for line in explain(planned)]
    head = ("INTERFACE", "LAYER", "KEY", "READS", "DOES", "WRITES")
    if len(planned.parts) == 1:
        lines, head = [line[1:] for line in lines], head[1:]
    if lines:
        table(head, lines)
    for name, scale in planned.rules.scales.items():
        click.echo(f"{name} times {scale:g}")
    for part in planned.parts:
        if part.extra:
            its = "its" if len(planned.parts) == 1 else f"{part.device.sysname}'s"
            click.echo(
                f"\nthe device cannot say {', '.join(planned.added)}: keys are added to {its}"
                f" report descriptor ({len(part.extra)} bytes)"
            )
    click.echo("\nnothing was changed")


def _json(planned: Plan) -> dict[str, Any]:
    from pyloader.hid.remap.explain import explain

    return {
        "file": planned.rules.path,
        "device": planned.device.sysname,
        "interfaces": [part.device.sysname for part in planned.parts],
        "rules": [line._asdict() for line in explain(planned)],
        "scales": planned.rules.scales,
        "added_keys": list(planned.added),
        "warnings": list(planned.warnings),
    }
