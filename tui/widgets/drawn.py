"""The base of what is drawn line by line."""

from __future__ import annotations

from collections.abc import Sequence
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
        self.redraw()

    def redraw(self) -> None:
        """Draw anew at the next paint."""
        self._lines = None
        self.refresh()

    def draw(self, width: int, height: int) -> Sequence[Line]:
        """All lines, of at most this size."""
        raise AssertionError("each widget draws itself")

    def render_line(self, y: int) -> Strip:
        width, height = self.size
        if self._lines is None:
            self._lines = [
                Strip(line).adjust_cell_length(width) for line in self.draw(width, height)
            ]
        if y < len(self._lines):
            return self._lines[y].apply_style(self.rich_style)
        return Strip.blank(width, self.rich_style)

    def on_resize(self) -> None:
        self.redraw()


def text(words: str, style: Style) -> Segment:
    return Segment(words, style)
