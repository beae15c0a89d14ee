"""Over time: the waits of woken tasks as a heat map, the load, and what was changed when."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from weakref import WeakKeyDictionary

import numpy as np
from rich.color import Color
from rich.segment import Segment
from rich.style import Style

from tui.draw import blocks, words
from tui.timeline import OCTAVES, Entry
from tui.widgets.drawn import Drawn, Line, runs_of, styled

_LABEL = 6
_DECADES = 3.5  # from the coldest to the hottest


class Heat(Drawn):
    """A column a snapshot, the newest at the right; two octaves of waiting time a line."""

    LEAST_S = 0.45  # it shows minutes, or sums of seconds
    BORDER_TITLE = "woken → running, over time"

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._kept: WeakKeyDictionary[Entry, dict[tuple[int, int], Sequence[int]]] = (
            WeakKeyDictionary()
        )

    def caption(self) -> str:
        room = self.size.width - _LABEL
        entries = self.timeline.up_to_shown(room) if self.timeline and room > 0 else []
        if not entries:
            return ""
        return f"the last {words.span(entries[-1].snapshot.at - entries[0].snapshot.at)}"

    def draw(self, width: int, height: int) -> Sequence[Line]:
        if self.timeline is None or height < 2 or width <= _LABEL:
            return []
        entries = self.timeline.up_to_shown(width - _LABEL)
        tall = max(1, height - 2 if height >= 5 else height - 1)
        lines = [self._marks_line(entries, width)] if height >= 5 else []
        return [*lines, *self._map(entries, tall, width), self._load_line(entries, width)]

    def _map(self, entries: Sequence[Entry], tall: int, width: int) -> list[Line]:
        pal = self.palette
        if not entries:
            return []
        heats = [self._heats(each, 2 * tall) for each in entries]
        marked = [self._mark_style(each) if each.marks else None for each in entries]
        pad = " " * (width - _LABEL - len(entries))
        lines: list[Line] = []
        for row in range(tall):
            # The longest waits are on top.
            upper, lower = 2 * (tall - row) - 1, 2 * (tall - row) - 2
            line = [Segment(f"{self._row_label(row, tall):>{_LABEL - 1}} ", pal.muted)]
            if pad:
                line.append(Segment(pad, pal.text))
            previous: tuple[int, int, Style | None] | None = None
            text = ""
            for column, mark in enumerate(marked):
                now = (heats[column][upper], heats[column][lower], mark)
                if now != previous and previous is not None:
                    line.append(self._cell(text, *previous))
                    text = ""
                text += " "
                previous = now
            if previous is not None:
                line.append(self._cell(text, *previous))
            lines.append(line)
        return lines

    def _heats(self, entry: Entry, rows: int) -> Sequence[int]:
        """How hot each row of a column is, the shortest waits first, as indices of the palette.

        A column is drawn again whenever it moves, so it is kept. What counts is the part of the
        wake-ups of its time that a row has, on a logarithmic scale: the whole is hottest.
        """
        top = len(self.palette.heat) - 1
        kept = self._kept.setdefault(entry, {})
        if (rows, top) not in kept:
            counts = _grouped(entry.octaves, rows)
            parts = counts / max(counts.sum(), 1.0)
            with np.errstate(divide="ignore"):
                hot = np.ceil(top * (1 + np.log10(parts * 2) / _DECADES))
            hot = np.where(counts >= 0.5, np.clip(hot, 1, top), 0)
            kept[rows, top] = tuple(map(int, hot.tolist()))
        return kept[rows, top]

    def _cell(self, text: str, upper: int, lower: int, mark: Style | None) -> Segment:
        heat = self.palette.heat
        if not self.palette.has_colours:
            character = "│" if mark else blocks.block(max(upper, lower) / (len(heat) - 1))
            return Segment(character * len(text), self.palette.text)
        if mark:
            behind = heat[max(upper, lower)].color if upper or lower else None
            return Segment("│" * len(text), _on(mark, behind))
        if not upper and not lower:
            return Segment(text, self.palette.text)
        if upper == lower:
            return Segment("█" * len(text), heat[upper])
        background = heat[lower].color if lower else None
        if not upper:
            return Segment("▄" * len(text), heat[lower])
        return Segment("▀" * len(text), _on(heat[upper], background))

    @staticmethod
    def _row_label(row: int, tall: int) -> str:
        """The time at the lower edge of every other row."""
        octaves = OCTAVES / tall
        if row % 2 and tall > 4:
            return ""
        return words.short(1e3 * 2.0 ** round((tall - row - 1) * octaves))

    def _mark_style(self, entry: Entry) -> Style | None:
        kinds = {mark.kind for mark in entry.marks}
        return next((s for kind, s in self._styles().items() if kind in kinds), None)

    def _styles(self) -> dict[str, Style]:
        """Of what may be changed, the first one counting where several were at once."""
        pal = self.palette
        return {"swap": pal.mark, "input": pal.good, "knob": pal.middling}

    def _marks_line(self, entries: Sequence[Entry], width: int) -> Line:
        """What was changed, beginning above its vertical line; the newest where they meet."""
        start = width - len(entries)
        cells = [" "] * width
        style = [self.palette.muted] * width
        styles = self._styles()
        for column, entry in enumerate(entries):
            for mark in entry.marks:
                label = f"▾{mark.text}"
                at = min(start + column, width - len(label))
                if at < 0:
                    continue
                cells[at : at + len(label)] = label
                shown = styles[mark.kind]
                style[at : at + len(label)] = [shown] * len(label)
                if at + len(label) < width:
                    cells[at + len(label)] = " "
        return styled(cells, runs_of(style[:width]))

    def _load_line(self, entries: Sequence[Entry], width: int) -> Line:
        loads = blocks.spark((each.load for each in entries), 1.0)
        return [
            Segment(f"{'load':>{_LABEL - 1}} ", self.palette.muted),
            Segment(loads.rjust(width - _LABEL), self.palette.kinds[0]),
        ]


@lru_cache(maxsize=4096)
def _on(style: Style, background: Color | None) -> Style:
    return style + Style(bgcolor=background)


def _grouped(octaves: np.ndarray, rows: int) -> np.ndarray:
    """The octaves in so many rows, samples spread evenly within an octave."""
    sums = np.concatenate([[0.0], np.cumsum(octaves)])
    at = np.linspace(0, len(octaves), rows + 1)
    return np.diff(np.interp(at, np.arange(len(octaves) + 1), sums))
