"""``scxhid doctor``: what this machine can do, and the command that mends what is missing."""

from __future__ import annotations

import sys
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from pyloader.doctor import Check

_WORDS = {True: ("ok", "green"), False: ("no", "red"), None: ("?", "yellow")}
_PURPOSES = {
    "schedulers": "run CPU schedulers",
    "hid": "run HID programs",
    "build": "compile programs",
    "vm": "run virtual machines",
}


@click.command("doctor", short_help="can this machine do it; what is missing; what mends it")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def doctor(as_json: bool) -> None:
    """Look at everything that scxhid needs from this machine, and change nothing.

    Below each thing that is missing stands the command that mends it. The exit status
    is 0 if this machine can run a CPU scheduler, else 3: a virtual machine may still
    be able to (`scxhid demo`, `scxhid vm shell`).

    \b
    --json prints {"can": {"schedulers", "hid", "build", "vm": true|false},
                   "checks": [{"name", "ok": true|false|null, "detail", "remedy", "needed_for"}]}
    where null means that it could not be told, and needed_for names the members of
    "can" that depend on it.
    """
    from pyloader.doctor import abilities, run

    checks = run()
    can = abilities(checks)
    if as_json:
        from pyloader.cli.output import emit_json

        emit_json({"can": can, "checks": [asdict(check) for check in checks]})
    else:
        _show(checks, can)
    sys.exit(0 if can["schedulers"] else 3)


def _show(checks: list[Check], can: dict[str, bool]) -> None:
    width = max(len(check.name) for check in checks)
    for check in checks:
        word, colour = _WORDS[check.ok]
        mark = click.style(f"{word:>2}", fg=colour)
        click.echo(f"{mark}  {check.name:<{width}}  {check.detail}")
        if check.remedy:
            click.echo(f"{'':{width + 6}}{click.style('to mend it:', dim=True)} {check.remedy}")
    click.echo()
    width = max(len(text) for text in _PURPOSES.values())
    for purpose, text in _PURPOSES.items():
        word, colour = _WORDS[can[purpose]]
        lacking = [c.name for c in checks if c.ok is False and purpose in c.needed_for.split()]
        reason = f"  for want of {', '.join(lacking)}" if lacking else ""
        click.echo(f"{click.style(f'{word:>2}', fg=colour)}  {text:<{width}}{reason}".rstrip())
