"""The base of what is drawn line by line."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, ClassVar, Self

from rich.segment import Segment
from rich.style import Style
from rich.text import Text
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from tui.owner import owner
from tui.timeline import Timeline

if TYPE_CHECKING:
    from tui.palette import Palette

Line = Sequence[Segment]


class Drawn(Widget):
    """Draws all lines at once, when there is something new; each is kept until then.

    So are the lines with the frame around them: Textual would put every line of a widget that has
    a changed one through its styles again, which was half of what a look at the screen cost.
    """

    DEFAULT_CSS = "Drawn { height: auto; width: 1fr; }"
    LEAST_S: ClassVar[float] = 0.0
    """How far apart the moments are that it draws, where they come fast; s."""

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        self._framed: list[Strip] | None = None
        self._sides: tuple[Sequence[Segment], Sequence[Segment]] | None = None
        self._are_edges_old = False
        self._is_captioning = False
        super().__init__(id=id, classes=classes)
        self._drawn: list[Line] | None = None
        self._lines: list[Strip] = []
        self._said: tuple[str | Text, ...] = ()
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
        self._caption()
        self.draw_changes()

    def title(self) -> str | Text:
        """The words in the upper edge of its frame."""
        return self.BORDER_TITLE

    def caption(self) -> str | Text:
        """The words in the lower one."""
        return ""

    def redraw(self) -> None:
        """Draw anew at the next paint."""
        self._drawn = None
        self.refresh()

    def _caption(self) -> None:
        """A change of these words while drawing would be another paint, so it comes before."""
        said = (self.title(), self.caption())
        if said == self._said or not self.styles.border:
            return
        self._is_captioning = True
        if said[:1] != self._said[:1]:
            self.border_title = said[0]
        if said[1:] != self._said[1:]:
            self.border_subtitle = said[1]
        self._is_captioning = False
        self._said = said

    def draw_changes(self) -> None:
        """Draw now, and have painted what differs: painting is most of what a look costs."""
        width, height = self.size
        if not width or not self.display:
            return
        old = self._drawn
        if old is None:
            self.redraw()
            return
        self._drawn = self._all_lines(width, height)
        if len(old) != len(self._drawn):
            self.redraw()
            return
        dirty = [n for n, (a, b) in enumerate(zip(old, self._drawn, strict=True)) if a != b]
        if not dirty:
            return
        style = self.rich_style
        for number in dirty:
            self._lines[number] = _strip(self._drawn[number], width, style)
        self._frame(dirty)
        self.refresh(*(Region(0, first, width, count) for first, count in _stretches(dirty)))

    def _all_lines(self, width: int, height: int) -> list[Line]:
        lines = [list(line) for line in self.draw(width, height)]
        return [*lines, *[[]] * (height - len(lines))]

    def draw(self, width: int, height: int) -> Sequence[Line]:
        """All lines, of at most this size."""
        raise AssertionError("each widget draws itself")

    def render_line(self, y: int) -> Strip:
        width, height = self.size
        if self._drawn is None:
            # Once for all lines: a widget finds its style by asking all that it is in.
            style = self.rich_style
            self._drawn = self._all_lines(width, height)
            self._lines = [_strip(line, width, style) for line in self._drawn]
        return self._lines[y] if y < len(self._lines) else Strip.blank(width)

    def on_resize(self) -> None:
        self._caption()
        self.redraw()

    # --- lines with their frame ---

    def render_lines(self, crop: Region) -> list[Strip]:
        framed, (width, height) = self._framed, self.outer_size
        if crop != Region(0, 0, width, height):
            return super().render_lines(crop)
        if not framed or len(framed) != height or framed[0].cell_length != width:
            framed = self._framed = super().render_lines(crop)
            self._sides = None
        elif self._are_edges_old:
            for y in {0, height - 1}:
                framed[y] = super().render_lines(Region(0, y, width, 1))[0]
        self._are_edges_old = False
        return framed

    def _frame(self, numbers: Sequence[int]) -> None:
        """Put the same frame around lines that changed as is around the others."""
        framed, gutter = self._framed, self.gutter
        if framed is None or len(framed) != len(self._lines) + gutter.height:
            self._framed = None
            return
        background, filters = self.background_colors[1], self.get_line_filters()
        if self._sides is None:
            any_line = framed[gutter.top]
            end = any_line.cell_length - gutter.right
            self._sides = (list(any_line.crop(0, gutter.left)), list(any_line.crop(end)))
        left, right = self._sides
        for number in numbers:
            line = self._lines[number]
            for each in filters:
                line = line.apply_filter(each, background)
            width = line.cell_length + gutter.width
            framed[gutter.top + number] = Strip([*left, *line, *right], width)

    def refresh(
        self,
        *regions: Region,
        repaint: bool = True,
        layout: bool = False,
        recompose: bool = False,
    ) -> Self:
        if self._is_captioning:
            width, height = self.outer_size
            gutter = self.gutter
            self._are_edges_old = True
            regions = tuple(Region(-gutter.left, y - gutter.top, width, 1) for y in {0, height - 1})
        elif repaint and not regions:
            self._framed = None
        return super().refresh(*regions, repaint=repaint, layout=layout, recompose=recompose)

    def notify_style_update(self) -> None:
        self._framed = None
        super().notify_style_update()


def _strip(line: Line, width: int, style: Style) -> Strip:
    return Strip(line).adjust_cell_length(width).apply_style(style)


def _stretches(lines: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Lines that follow each other, as the first and how many."""
    for _, members in groupby(enumerate(lines), lambda pair: pair[1] - pair[0]):
        numbers = [line for _, line in members]
        yield numbers[0], len(numbers)


Runs = Sequence[tuple[int, int, Style]]


def runs_of(styles: Sequence[Style]) -> Runs:
    """Where each stretch of one style begins and ends: for several lines of the same styles."""
    found: list[tuple[int, int, Style]] = []
    at = 0
    for style, members in groupby(styles):
        end = at + len(list(members))
        found.append((at, end, style))
        at = end
    return found


def styled(text: Sequence[str], runs: Runs) -> list[Segment]:
    """Characters as few segments; what is beyond the last style is left out."""
    return [Segment("".join(text[first:end]), style) for first, end, style in runs]
