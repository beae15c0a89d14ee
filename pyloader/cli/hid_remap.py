"""``scxhid hid remap``: keys, buttons and axes by the rules of a file."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from pyloader import sysfs
from pyloader.cli.complete import complete_device, complete_keymap
from pyloader.cli.output import duration, emit_json, note, table
from pyloader.cli.seconds import Seconds
from pyloader.cli.trial import on_trial
from pyloader.errors import ScxhidError, WrongUse

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pyloader.hid.remap.apply import Applied
    from pyloader.hid.remap.compose import Composed
    from pyloader.hid.remap.plan import Plan


@click.command()
@click.argument("file", metavar="[FILE|NAME]", required=False, shell_complete=complete_keymap)
@click.option(
    "--device",
    metavar="DEVICE",
    shell_complete=complete_device,
    help="Which one, see `scxhid hid --help`; else those that [device] is about.",
)
@click.option("--check", is_flag=True, help="Explain the rules on the device; change nothing.")
@click.option(
    "--trial",
    type=Seconds(),
    metavar="S",
    help="Take the rules back after S seconds unless you say that they are to stay.",
)
@click.option(
    "--watch",
    is_flag=True,
    help="Stay, and apply FILE again whenever it is saved, or a device comes; Ctrl-C ends that.",
)
@click.option("--list", "list_them", is_flag=True, help="The keymaps that come with scxhid.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def remap(
    file: str | None,
    device: str | None,
    check: bool,
    trial: float | None,
    watch: bool,
    list_them: bool,
    as_json: bool,
) -> None:
    """Let keys, buttons and axes of devices mean what FILE says, from the next report on.

    The rules count on all interfaces of a device that have any of the keys, and layers of
    one count on the others. A file with sections, [[device]], is for every device that one
    of them matches; with ignore = true they are left alone.

    FILE is TOML; docs/reference/remap.md has its grammar. Edit it and run the command
    again: the new rules take the place of the old ones between two reports, keys that are
    held are released as they were pressed. `scxhid hid detach DEVICE` ends it; so do
    backspace, escape and enter together, typed on the device itself. NAME is a keymap that
    comes with scxhid.

    Keys that the device cannot say are added to it once, for which the kernel asks the
    device anew.

    \b
    Examples:
      scxhid hid remap mine.toml --check
      scxhid hid remap mine.toml --device "my keyboard" --trial 10
      scxhid hid remap desk.toml --watch
      scxhid hid remap capslock-escape
    """
    if list_them:
        _list(as_json)
        return
    if file is None:
        raise WrongUse("no file is given; `scxhid hid remap --list` shows keymaps by name")
    if trial is not None and (as_json or not sys.stdin.isatty()):
        raise WrongUse("--trial asks whether the rules are to stay, so it needs a terminal")
    if watch and (check or as_json or trial is not None):
        raise WrongUse("--watch goes with none of --check, --trial and --json")
    before = sysfs.hid_devices()
    composed, plans, left = _planned(file, device)
    if not as_json:
        _warn(plans, left)
    if check:
        if as_json:
            _emit(composed, [{**_json(composed, p), "applied": False} for p in plans], left)
        else:
            _explain(composed, plans)
        return
    outcomes: list[Applied | ScxhidError] = []

    def do() -> list[Applied | ScxhidError]:
        outcomes.extend(_apply(plans))
        return outcomes

    if trial is not None:
        on_trial(do, lambda done: _tell(plans, done), _undo, trial)
    elif as_json:
        do()
        both = zip(plans, outcomes, strict=True)
        _emit(composed, [{**_json(composed, p), **_outcome_json(o)} for p, o in both], left)
    else:
        _tell(plans, do())
    if watch:
        _watch(file, device, composed, before)
    failures = [outcome for outcome in outcomes if isinstance(outcome, ScxhidError)]
    if failures:
        alike = len(failures) == len(plans) and len({each.exit_status for each in failures}) == 1
        click.get_current_context().exit(failures[0].exit_status if alike else 1)


def _planned(file: str, device: str | None) -> tuple[Composed, list[Plan], list[str]]:
    """The rules, what is to be done, and the sections that are for nobody."""
    from pyloader.hid.remap.choose import chosen, unused
    from pyloader.hid.remap.compose import find_file, read_compose
    from pyloader.hid.remap.plan import plan

    composed = read_compose(find_file(file))
    meant = chosen(composed, device)
    plans = [plan(each.rules, each.interfaces) for each in meant]
    return composed, plans, [] if device is not None else unused(composed, meant)


def _warn(plans: Sequence[Plan], left: Sequence[str]) -> None:
    for planned in plans:
        for warning in planned.warnings:
            note(f"warning: {warning}")
    for section in left:
        note(f"warning: {section} is for no device that is there")


def _watch(file: str, device: str | None, composed: Composed, devices: Sequence[str]) -> None:
    from pyloader.cli.watched import repeat

    def again() -> Mapping[str, bytes]:
        composed, plans, _ = _planned(file, device)
        _tell(plans, _apply(plans))
        sys.stdout.flush()
        return composed.files

    def failed(error: ScxhidError) -> None:
        note(f"scxhid: {error}; what counted before counts on")

    sys.stdout.flush()
    repeat(composed.files, devices, again, failed)


def _list(as_json: bool) -> None:
    from pyloader.hid.remap.compose import keymaps

    found = {
        path.stem: path.read_text().split("\n", 1)[0].lstrip("# ")
        for path in sorted(keymaps().glob("*.toml"))
    }
    if as_json:
        emit_json([{"name": name, "about": about} for name, about in found.items()])
        return
    table(("NAME", "WHAT IT DOES"), list(found.items()))


def _apply(plans: Sequence[Plan]) -> list[Applied | ScxhidError]:
    """What came of each; the error of a single one is the command's."""
    from pyloader.hid.remap.apply import apply

    if len(plans) == 1:
        return [apply(plans[0])]
    outcomes: list[Applied | ScxhidError] = []
    for planned in plans:
        try:
            outcomes.append(apply(planned))
        except ScxhidError as error:
            outcomes.append(error)
            note(f"scxhid: {planned.rules.path} on {_where(planned)}: {error}")
    return outcomes


def _tell(plans: Sequence[Plan], outcomes: Sequence[Applied | ScxhidError]) -> None:
    for planned, outcome in zip(plans, outcomes, strict=True):
        if not isinstance(outcome, ScxhidError):
            click.echo(_done(planned, outcome))


def _undo(outcomes: Sequence[Applied | ScxhidError]) -> str:
    from pyloader.hid.remap.apply import undo

    said: list[str] = []
    for each in outcomes:
        if isinstance(each, ScxhidError):
            continue
        undo(each)
        now = "the rules from before count again" if each.replaced else "nothing is remapped"
        said.append(f"{now} on {each.device.sysname}" if len(outcomes) > 1 else now)
    return "; ".join(said) or "nothing was changed"


def _done(planned: Plan, applied: Applied) -> str:
    rules = planned.rules
    how = "now instead of others" if applied.replaced else "now"
    added = f"; keys added to it for {', '.join(planned.added)}" if planned.added else ""
    number = sum(map(len, (*rules.layers.values(), rules.carried, rules.combos, rules.scales)))
    what = "1 rule counts" if number == 1 else f"{number} rules count"
    return (
        f"{rules.path}: {what} {how} on {_where(planned)}, in force after"
        f" {duration(applied.ns)}{added}"
    )


def _where(planned: Plan) -> str:
    return " and ".join(f"{part.device.sysname} ({part.device.name})" for part in planned.parts)


def _explain(composed: Composed, plans: Sequence[Plan]) -> None:
    from pyloader.hid.remap.choose import left_alone
    from pyloader.hid.remap.plan import in_words

    for planned in plans:
        _explain_one(planned)
        click.echo()
    for each in left_alone(composed):
        click.echo(f"{each.section.path} leaves {in_words(each.interfaces[0])} alone\n")
    click.echo("nothing was changed")


def _explain_one(planned: Plan) -> None:
    from pyloader.hid.remap.explain import explain

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


def _emit(composed: Composed, devices: list[dict[str, Any]], left: list[str]) -> None:
    if composed.is_plain:
        emit_json(devices[0])
    else:
        from pyloader.hid.remap.choose import left_alone

        alone = [
            {"section": each.section.path, "device": each.interfaces[0].sysname}
            for each in left_alone(composed)
        ]
        emit_json({"file": composed.path, "devices": devices, "unused": left, "left_alone": alone})


def _json(composed: Composed, planned: Plan) -> dict[str, Any]:
    from pyloader.hid.remap.explain import explain

    section = {} if composed.is_plain else {"section": planned.rules.path}
    return {
        "file": composed.path,
        **section,
        "device": planned.device.sysname,
        "interfaces": [part.device.sysname for part in planned.parts],
        "rules": [line._asdict() for line in explain(planned)],
        "scales": planned.rules.scales,
        "added_keys": list(planned.added),
        "warnings": list(planned.warnings),
    }


def _outcome_json(outcome: Applied | ScxhidError) -> dict[str, Any]:
    if isinstance(outcome, ScxhidError):
        return {"applied": False, "error": str(outcome)}
    return {"applied": True, "replaced": outcome.replaced, "ns": outcome.ns}
