"""How commands print: JSON, tables, times. Plain in a pipe, pleasant on a terminal."""

from __future__ import annotations

import os
import sys
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from typing import Any, TextIO

import click

from pyloader.errors import ScxhidError


def emit_json(value: Any) -> None:
    """One JSON document on stdout."""
    import json

    click.echo(json.dumps(value, indent=2, default=str))


def note(text: str) -> None:
    """A remark on stderr, so that stdout stays what was asked for."""
    click.echo(text, err=True)


@contextmanager
def destination(output: str | None) -> Generator[TextIO]:
    """Where lines go: a file that only its owner may read, or standard output (None and ``-``)."""
    if output is None or output == "-":
        yield sys.stdout
        return
    try:
        fd = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise ScxhidError(f"{output} cannot be written: {error.strerror}") from None
    with os.fdopen(fd, "w", encoding="utf-8") as file:
        yield file


def table(headers: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[int] = ()) -> None:
    """Aligned columns; those in ``right`` are flush right. Never cut off in a pipe."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    made = Table(box=None, pad_edge=False, header_style="bold")
    for index, header in enumerate(headers):
        last = index == len(headers) - 1
        made.add_column(
            header, justify="right" if index in right else "left", no_wrap=not last, overflow="fold"
        )
    for row in rows:
        made.add_row(*(Text(cell) for cell in row))
    width = None if sys.stdout.isatty() else 10_000
    console = Console(width=width, highlight=False, soft_wrap=False)
    with console.capture() as printed:
        console.print(made)
    # rich pads the last column; in a pipe nobody wants the spaces.
    click.echo("\n".join(line.rstrip() for line in printed.get().splitlines()))


def duration(ns: int | float) -> str:
    """A time in the unit that reads best: ``820 ns``, ``1.3 ms``, ``12.0 s``."""
    for unit, scale in (("s", 1e9), ("ms", 1e6), ("µs", 1e3)):
        if ns >= scale:
            return f"{ns / scale:.1f} {unit}"
    return f"{ns:.0f} ns"


def ago(then_ns: int) -> str:
    """How long ago, roughly: ``3 s``, ``12 min``, ``2 h``, ``5 days``."""
    import time

    seconds = max(0, (time.time_ns() - then_ns) // 1_000_000_000)
    for unit, size in (("days", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"


def clock(ns: int) -> str:
    """A moment, local time: ``2026-11-22 18:20:08``."""
    import time

    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(ns / 1e9))


def value(v: Any) -> str:
    """A knob's value as a user would type it."""
    return {True: "on", False: "off"}[v] if isinstance(v, bool) else str(v)
