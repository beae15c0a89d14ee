"""Tab completion: names of schedulers and knobs, and the shells' own scripts."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import click
from click.shell_completion import CompletionItem, get_completion_class

from pyloader.errors import ScxhidError


def complete_scheduler(
    ctx: click.Context, param: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Names of schedulers; a path is left to the shell."""
    from pyloader.catalog import schedulers

    return complete_name(schedulers, incomplete)


def complete_hid_program(
    ctx: click.Context, param: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Names of HID programs; a path is left to the shell."""
    from pyloader.catalog import hid_programs

    return complete_name(hid_programs, incomplete)


def complete_keymap(
    ctx: click.Context, param: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Names of keymaps; all else is left to the shell."""
    from pyloader.hid.remap.compose import keymaps
    from pyloader.toml_text import shipped_names

    found = complete_name(lambda: shipped_names(keymaps()), incomplete)
    return found or [CompletionItem(incomplete, type="file")]


def complete_name(known: Callable[[], Iterable[str]], incomplete: str) -> list[CompletionItem]:
    """Those that are known; a path is left to the shell."""
    if "/" in incomplete or incomplete.startswith("."):
        return [CompletionItem(incomplete, type="file")]
    try:
        return [CompletionItem(name) for name in known() if name.startswith(incomplete)]
    except ScxhidError:
        return []


def complete_knob(
    ctx: click.Context, param: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """``NAME=`` of the knobs of the named scheduler, or of the one that runs."""
    named = ctx.params.get("what")
    knobs: Any
    try:
        if named:
            from pyloader.catalog import find_scheduler

            knobs = find_scheduler(named).open().knobs
        else:
            from pyloader.sched import require_current

            knobs = require_current().knobs
    except ScxhidError:
        return []
    return knob_items(knobs, incomplete)


def complete_hid_knob(
    ctx: click.Context, param: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """``NAME=`` of the knobs of the named HID program."""
    from pyloader.catalog import find_hid_program

    try:
        knobs = find_hid_program(ctx.params.get("what") or "").open().knobs
    except ScxhidError:
        return []
    return knob_items(knobs, incomplete)


def knob_items(knobs: Any, incomplete: str) -> list[CompletionItem]:
    """``NAME=`` of those that fit, each with what it is for."""
    return [
        CompletionItem(f"{name}=", help=knob.doc)
        for name, knob in knobs.items()
        if name.startswith(incomplete)
    ]


def complete_device(
    ctx: click.Context, param: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Names in sysfs of the HID devices that there are, told by what they call themselves."""
    from pyloader.hid.device import devices

    wanted = incomplete.lower()
    return [
        CompletionItem(d.sysname, help=d.name)
        for d in devices()
        if d.sysname.lower().startswith(wanted)
    ]


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print the completion script for SHELL.

    \b
    bash:  scxhid completion bash > ~/.local/share/bash-completion/completions/scxhid
    zsh:   scxhid completion zsh > ~/.zfunc/_scxhid
    fish:  scxhid completion fish > ~/.config/fish/completions/scxhid.fish
    """
    from pyloader.cli import cli

    made = get_completion_class(shell)
    assert made is not None
    click.echo(made(cli, {}, "scxhid", "_SCXHID_COMPLETE").source())
