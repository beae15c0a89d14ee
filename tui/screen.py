"""Sets the screen up as the command line asks, and runs it."""

from __future__ import annotations

import asyncio
import importlib
import os
from dataclasses import dataclass
from pathlib import Path

from pyloader.errors import ScxhidError, UnknownName, WrongUse
from pyloader.names import nearest
from pyloader.view.collector import Collector
from pyloader.view.recording import Recorder, Recording
from tui import keys
from tui.app import TopApp
from tui.controls import Controls, Live, Nothing
from tui.feed import Source
from tui.sources import Recorded, Replay


@dataclass(frozen=True)
class Wanted:
    """What the command line asks for."""

    every: float | None
    record: Path | None
    replay: Path | None
    pane: str
    theme: str | None
    source: str | None


def run(wanted: Wanted) -> None:
    """Run the screen until it is left."""
    source, app = _app(wanted)
    try:
        app.run()
    finally:
        source.close()
    if isinstance(source, Recorded):
        print(f"{wanted.record}: {source.note}")
    if app.return_code:
        raise ScxhidError("the screen ended with an error")


def picture(wanted: Wanted, path: Path, size: tuple[int, int], seconds: float) -> None:
    """Run it without a terminal for so long, and write what it shows then."""
    source, app = _app(wanted)

    async def look() -> str:
        async with app.run_test(size=size) as pilot:
            await pilot.pause(seconds)
            while not len(app.timeline) and not app.has_ended:
                await pilot.pause(0.1)
            app.present()
            await pilot.pause()
            return app.export_screenshot(title="scxhid top")

    try:
        drawn = asyncio.run(look())
        path.write_text(drawn)
    except OSError as error:
        raise ScxhidError(f"{path} cannot be written: {error.strerror}") from None
    finally:
        source.close()


def _app(wanted: Wanted) -> tuple[Source, TopApp]:
    controls: Controls = Live()
    every = wanted.every
    if wanted.source:
        source, controls = _made(wanted.source)
    elif wanted.replay:
        source, controls = Replay(Recording(wanted.replay)), Nothing()
        every = every or max(0.05, source.spacing)
    else:
        source = Collector()
    if wanted.record:
        source = Recorded(source, Recorder(wanted.record))
    if wanted.theme is not None and wanted.theme not in theme_names():
        near = nearest(wanted.theme, theme_names())
        raise UnknownName("theme", wanted.theme, near, "`scxhid top --themes` lists all")
    return source, TopApp(
        source,
        controls,
        interval=every or 1.0,
        keymap=keys.read(config_dir() / "keys.toml"),
        theme=wanted.theme,
        pane=wanted.pane,
    )


def _made(call: str) -> tuple[Source, Controls]:
    module, _, name = call.partition(":")
    try:
        return getattr(importlib.import_module(module), name)()
    except (ImportError, AttributeError, ValueError) as error:
        raise WrongUse(f"--source {call}: {error}") from None


def config_dir() -> Path:
    """Where the user's own keys lie."""
    return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "scxhid"


def theme_names() -> list[str]:
    """Our own first."""
    from textual.theme import BUILTIN_THEMES

    from tui.palette import THEMES

    return [*(each.name for each in THEMES), *sorted(BUILTIN_THEMES)]


def key_lines() -> list[str]:
    """A line a key: its name, what it is now, what it does."""
    found = keys.names()
    return [f"{name:<24} {each.key:<32} {each.description}" for name, each in found.items()]
