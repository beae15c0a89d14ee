"""``scxhid hid import``: remap files out of those of other programs."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pyloader.cli.lazy import LazyGroup, Target
from pyloader.cli.output import emit_json, note
from pyloader.errors import NotPermitted, ScxhidError, WrongUse

if TYPE_CHECKING:
    from pyloader.hid.remap.keyd.convert import Converted

TARGETS = {"keyd": Target("pyloader.cli.hid_import:keyd", "a configuration of keyd")}


@click.group("import", cls=LazyGroup, targets=TARGETS)
def import_() -> None:
    """Make a remap file of what another remapper reads.

    \b
    Examples:
      scxhid hid import keyd /etc/keyd/default.conf
    """


@click.command()
@click.argument("file", type=click.Path())
@click.option("-o", "--output", "out", type=click.Path(), help="Write there, not to stdout.")
@click.option("--force", is_flag=True, help="Let OUT be overwritten.")
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
def keyd(file: str, out: str | None, force: bool, as_json: bool) -> None:
    """Make a remap file of FILE, a configuration of keyd.

    It is printed, or written to OUT. What could not be carried over, and what behaves
    otherwise than with keyd, is listed on stderr and in comments of the file, each with
    its line, the reason, and what can be done. docs/reference/keyd.md tells what becomes
    of what. Files that FILE includes are read as keyd does.

    The exit status is 0 also where something is listed; it is 1 if FILE is no
    configuration of keyd or nothing of it can be carried over, 2 if OUT is there
    already and --force is not given.

    \b
    Examples:
      scxhid hid import keyd /etc/keyd/default.conf
      scxhid hid import keyd /etc/keyd/default.conf -o mine.toml
      scxhid hid remap mine.toml --check
    """
    from pyloader.hid.remap.keyd.convert import convert
    from pyloader.hid.remap.keyd.document import document, place_of
    from pyloader.hid.remap.keyd.parse import parse_file

    if force and out is None:
        raise WrongUse("--force is about the file of -o, and none is given")
    converted = convert(parse_file(file))
    text = document(converted)
    if out is not None:
        _write(out, text, force)
    if as_json:
        emit_json(_json(file, out, converted, text))
        return
    for each in converted.notes:
        kind = "not carried over" if each.is_lost else "differs"
        note(f"{place_of(each)}\n    {kind}: {each.said}")
    if out is None:
        click.echo(text, nl=False)
        return
    lost = sum(each.is_lost for each in converted.notes)
    click.echo(
        f"{out}: rules carried over from {file}: {converted.carried}; things not carried over:"
        f" {lost}, different from keyd: {len(converted.notes) - lost}"
    )


def _write(out: str, text: str, force: bool) -> None:
    """Whole or not at all."""
    target = Path(out)
    if target.exists() and not force:
        raise WrongUse(f"{out} is there already; --force overwrites it")
    new = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        new.write_text(text)
        new.replace(target)
    except PermissionError as error:
        raise NotPermitted(f"{out} cannot be written: {error.strerror}") from None
    except OSError as error:
        new.unlink(missing_ok=True)
        raise ScxhidError(f"{out} cannot be written: {error.strerror}") from None


def _json(file: str, out: str | None, converted: Converted, text: str) -> dict[str, Any]:
    def notes(is_lost: bool) -> list[dict[str, Any]]:
        return [
            {
                "file": each.place.file,
                "line": each.place.line,
                "text": each.place.text.strip(),
                "why": each.why,
                "instead": each.instead or None,
            }
            for each in converted.notes
            if each.is_lost == is_lost
        ]

    return {
        "file": file,
        "output": out,
        "rules": converted.carried,
        "not_carried": notes(True),
        "differs": notes(False),
        "toml": text,
    }
