"""Horizontal bars of several parts, at half a character's resolution."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import groupby

from rich.segment import Segment
from rich.style import Style

#: Parts of a bar without colours are told apart by these.
GLYPHS = "█▓▒░#"


@lru_cache(maxsize=4096)
def stacked(ends: tuple[int, ...], width: int, styles: tuple[Style, ...]) -> tuple[Segment, ...]:
    """A solid bar ``width`` cells wide. ``ends``: where each part ends, in half cells.

    ``styles``: of the parts, and last of what is left empty; parts take their foreground.
    """
    halves = _halves(ends, width)
    empty = len(ends)
    cells: list[tuple[str, Style]] = []
    for left, right in zip(halves[::2], halves[1::2], strict=True):
        if left == right:
            cells.append((" " if left == empty else "█", styles[left]))
        else:
            background = styles[right].bgcolor if right == empty else styles[right].color
            cells.append(("▌", Style(color=styles[left].color, bgcolor=background)))
    return _joined(cells)


@lru_cache(maxsize=4096)
def lined(ends: tuple[int, ...], width: int, styles: tuple[Style, ...]) -> tuple[Segment, ...]:
    """The same as a line, which leaves air between the rows of many."""
    halves = _halves(ends, width)
    empty = len(ends)
    track = Style(color=styles[empty].bgcolor)
    cells: list[tuple[str, Style]] = []
    for left, right in zip(halves[::2], halves[1::2], strict=True):
        if left == empty:
            cells.append(("━", track))
        elif right == empty:
            cells.append(("╸", styles[left]))
        else:
            cells.append(("━", styles[left]))
    return _joined(cells)


def _halves(ends: tuple[int, ...], width: int) -> list[int]:
    """Which part each half cell is of; ``len(ends)`` for none."""
    halves: list[int] = []
    for part, end in enumerate(ends):
        halves += [part] * (min(end, 2 * width) - len(halves))
    return halves + [len(ends)] * (2 * width - len(halves))


def _joined(cells: Sequence[tuple[str, Style]]) -> tuple[Segment, ...]:
    segments: list[Segment] = []
    for style, run in groupby(cells, lambda cell: cell[1]):
        segments.append(Segment("".join(character for character, _ in run), style))
    return tuple(segments)


@lru_cache(maxsize=4096)
def lettered(ends: tuple[int, ...], width: int, style: Style) -> tuple[Segment, ...]:
    """The same bar for a screen without colours: each part has a glyph of its own."""
    text = ""
    for part, end in enumerate(ends):
        text += GLYPHS[part % len(GLYPHS)] * (min(round(end / 2), width) - len(text))
    return (Segment(text.ljust(width), style),)


def ends_of(shares: Sequence[float], width: int) -> tuple[int, ...]:
    """Where parts end, in half cells, whose shares of the whole (0 to 1) are these; NaN is none."""
    ends: list[int] = []
    total = 0.0
    for share in shares:
        total += share if share == share else 0.0
        ends.append(round(min(max(total, 0.0), 1.0) * 2 * width))
    return tuple(ends)
