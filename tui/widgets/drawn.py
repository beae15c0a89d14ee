"""The base of what is drawn line by line."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from rich.segment import Segment
from rich.style import Style
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

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._lines: list[Strip] | None = None
        self.timeline: Timeline | None = None

    @property
    def palette(self) -> Palette:
        return owner(self).palette

    def show(self, timeline: Timeline) -> None:
        """Draw the moment that ``timeline`` shows."""
        self.timeline = timeline
        self.caption()
        self.redraw()

    def caption(self) -> None:
        """Set the words of the border; a change of them while drawing would be another paint."""

    def redraw(self) -> None:
        """Draw anew at the next paint."""
        self._lines = None
        self.refresh()

    def draw(self, width: int, height: int) -> Sequence[Line]:
        """All lines, of at most this size."""
        raise AssertionError("each widget draws itself")

    def render_line(self, y: int) -> Strip:
        if self._lines is None:
            width, height = self.size
            # Once for all lines: a widget finds its style by asking all that it is in.
            style = self.rich_style
            lines = [
                Strip(line).adjust_cell_length(width).apply_style(style)
                for line in self.draw(width, height)
            ]
            blank = Strip.blank(width, style)
            self._lines = [*lines, *[blank] * (height - len(lines))]
        return self._lines[y] if y < len(self._lines) else Strip.blank(self.size.width)

    def on_resize(self) -> None:
        self.caption()
        self.redraw()


def runs(text: Sequence[str], styles: Sequence[Style]) -> list[Segment]:
    """Characters with a style each, as few segments."""
    segments: list[Segment] = []
    for style, pairs in groupby(zip(text, styles, strict=True), lambda pair: pair[1]):
        segments.append(Segment("".join(character for character, _ in pairs), style))
    return segments
