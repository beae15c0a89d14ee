"""Keys of the user's own: a file of names and keys, and what actions are called."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from textual.binding import Binding

from pyloader.errors import BadValue

if TYPE_CHECKING:
    from textual.app import App


def read(path: Path) -> dict[str, str]:
    """The keys of a file, ``"time.pause" = "p"``; empty if there is none. BadValue if it is not so.

    Names are those that the help shows; keys are Textual's (``ctrl+p``, ``f5``), several with
    commas.
    """
    try:
        found = tomllib.loads(path.read_text())
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise BadValue(f"{path} cannot be read: {error}") from None
    flat = dict(_flat(found))
    for name, key in flat.items():
        if not isinstance(key, str):
            raise BadValue(f'{path}: {name} is not a key, as "ctrl+p" is')
    return {name: str(key) for name, key in flat.items()}


def _flat(table: dict[str, object], prefix: str = "") -> Iterator[tuple[str, object]]:
    """``[time] pause = …`` is the same as ``"time.pause" = …``."""
    for name, value in table.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{name}.")  # pyright: ignore[reportUnknownArgumentType]
        else:
            yield f"{prefix}{name}", value


def names() -> dict[str, Binding]:
    """Every key that can be changed, by its name."""
    from tui.app import PANES, TopApp
    from tui.widgets.grid import Grid

    found: dict[str, Binding] = {}
    for owner in (TopApp, Grid, *PANES.values()):
        for each in owner.BINDINGS:
            if isinstance(each, Binding) and each.id:
                found[each.id] = each
    return found


def apply(app: App[None], keymap: dict[str, str]) -> list[str]:
    """Let the user's keys hold; returns names that there are not."""
    known = names()
    app.set_keymap({name: key for name, key in keymap.items() if name in known})
    return [name for name in keymap if name not in known]


def runner(app: App[None], action: str) -> Callable[[], None]:
    """Something to call that runs an action where the focus is."""

    async def run() -> None:
        await app.run_action(action, app.focused or app.screen)

    def call() -> None:
        app.call_later(run)

    return call
