"""The base of what is drawn line by line."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, ClassVar

from rich.segment import Segment
from rich.style import Style
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from tui.owner import owner
from tui.timeline import Timeline

if TYPE_CHECKING:
    from tui.palette import Palette

Line = Sequence[Segment]


class Drawn(Widget):
    """Draws all lines at once, when there is something new; each is kept until then."""

    DEFAULT_CSS = "Drawn { height: auto; width: 1fr; }"
    LEAST_S: ClassVar[float] = 0.0
    """How far apart the moments are that it draws, where they come fast; s."""

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._lines: list[Strip] | None = None
        self.timeline: Timeline | None = None
        self._shown_at = -1e9

    @property
    def palette(self) -> Palette:
        return owner(self).palette

    def show(self, timeline: Timeline) -> None:
        """Draw the moment that ``timeline`` shows."""
        self.timeline = timeline
        entry = timeline.shown
        if entry and timeline.is_live and 0 <= entry.snapshot.at - self._shown_at < self.LEAST_S:
            return
        self._shown_at = entry.snapshot.at if entry else -1e9
        self.caption()
        self._draw_changes()

    def caption(self) -> None:
        """Set the words of the border; a change of them while drawing would be another paint."""

    def redraw(self) -> None:
        """Draw anew at the next paint."""
        self._lines = None
        self.refresh()

    def _draw_changes(self) -> None:
        """Draw now, and have painted what differs: painting is most of what a look costs."""
        old, width = self._lines, self.size.width
        if not width or not self.display:
            return
        self._lines = None if old is None else self._drawn()
        if old is None or self._lines is None or len(old) != len(self._lines):
            self.redraw()
            return
        dirty = [n for n, (a, b) in enumerate(zip(old, self._lines, strict=True)) if a != b]
        if dirty:
            self.refresh(*(Region(0, first, width, count) for first, count in _stretches(dirty)))

    def _drawn(self) -> list[Strip]:
        width, height = self.size
        # Once for all lines: a widget finds its style by asking all that it is in.
        style = self.rich_style
        lines = [
            Strip(line).adjust_cell_length(width).apply_style(style)
            for line in self.draw(width, height)
        ]
        blank = Strip.blank(width, style)
        return [*lines, *[blank] * (height - len(lines))]

    def draw(self, width: int, height: int) -> Sequence[Line]:
        """All lines, of at most this size."""
        raise AssertionError("each widget draws itself")

    def render_line(self, y: int) -> Strip:
        if self._lines is None:
            self._lines = self._drawn()
        return self._lines[y] if y < len(self._lines) else Strip.blank(self.size.width)

    def on_resize(self) -> None:
        self.caption()
        self.redraw()


def _stretches(lines: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Lines that follow each other, as the first and how many."""
    for _, members in groupby(enumerate(lines), lambda pair: pair[1] - pair[0]):
        numbers = [line for _, line in members]
        yield numbers[0], len(numbers)


def runs(text: Sequence[str], styles: Sequence[Style]) -> list[Segment]:
    """Characters with a style each, as few segments."""
    segments: list[Segment] = []
    for style, pairs in groupby(zip(text, styles, strict=True), lambda pair: pair[1]):
        segments.append(Segment("".join(character for character, _ in pairs), style))
    return segments
