"""A table that draws only what is in sight; sorted, filtered, its cursor stays with its row."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from tui.draw.words import fit
from tui.owner import owner

if TYPE_CHECKING:
    from tui.palette import Palette

Words = str | Callable[[int], str]
Cell = str | tuple[Words, Style]


@dataclass(frozen=True)
class Column:
    """``width`` in characters, 0: what the others leave. ``sorts``: a user may sort by it, the
    largest first if ``descending``. The first ones stay where there is little room."""

    title: str
    width: int
    right: bool = False
    sorts: bool = True
    descending: bool = True
    takes_clicks: bool = False


@dataclass(frozen=True)
class Row:
    """``values`` is what the columns sort by, one each; ``found_by`` is what a filter looks at.

    A cell is words, with a style or without; what depends on the room is a function of it.
    """

    key: str
    cells: tuple[Cell, ...]
    values: tuple[float | str, ...] = ()
    found_by: str = ""


class Grid(ScrollView, can_focus=True):
    """Rows are replaced as a whole by ``fill``; sorting and filtering are its own."""

    DEFAULT_CSS = """
    Grid { height: 1fr; width: 1fr; overflow-x: hidden; scrollbar-size-vertical: 1; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", "Up", show=False, id="grid.up"),
        Binding("down,j", "move(1)", "Down", show=False, id="grid.down"),
        Binding("pageup", "page(-1)", "Page up", show=False, id="grid.page_up"),
        Binding("pagedown", "page(1)", "Page down", show=False, id="grid.page_down"),
        Binding("home,g", "edge(0)", "First", show=False, id="grid.first"),
        Binding("end,G", "edge(-1)", "Last", show=False, id="grid.last"),
        Binding("enter", "choose", "Choose", id="grid.choose"),
        Binding("s", "sort(1)", "Sort by the next column", show=False, id="grid.sort"),
        Binding("r", "reverse", "Reverse the order", show=False, id="grid.reverse"),
    ]

    class Chosen(Message):
        """Enter, or a click on the row where the cursor is."""

        def __init__(self, grid: Grid, key: str) -> None:
            self.grid, self.key = grid, key
            super().__init__()

        @property
        def control(self) -> Grid:
            return self.grid

    class Clicked(Message):
        """A click into a column that its owner may care for: ``place`` is 0 to 1 within it."""

        def __init__(self, grid: Grid, key: str, column: int, place: float) -> None:
            self.grid, self.key, self.column, self.place = grid, key, column, place
            super().__init__()

    class Moved(Message):
        """The cursor is on another row."""

        def __init__(self, grid: Grid, key: str) -> None:
            self.grid, self.key = grid, key
            super().__init__()

        @property
        def control(self) -> Grid:
            return self.grid

    def __init__(
        self,
        columns: Sequence[Column],
        *,
        sort: int | None = None,
        empty: str = "nothing",
        id: str | None = None,
    ) -> None:
        super().__init__(id=id)
        self.columns = tuple(columns)
        self.sort_by = sort
        self.descending = columns[sort].descending if sort is not None else False
        self.filter = ""
        self.key: str | None = None
        self._is_led = False  # the cursor stays at the first row until somebody moves it
        self._empty = empty
        self._all: Sequence[Row] = ()
        self._rows: list[Row] = []
        self._widths: list[int] = []
        self._room = -1

    @property
    def palette(self) -> Palette:
        return owner(self).palette

    @property
    def rows(self) -> Sequence[Row]:
        """Those in sight of the filter, in their order."""
        return self._rows

    # --- content ---

    def fill(self, rows: Sequence[Row]) -> None:
        """Show these, sorted and filtered as chosen."""
        self._all = rows
        self._arrange()

    def look_for(self, text: str) -> None:
        """Only rows that contain ``text``, whatever its case."""
        self.filter = text.casefold()
        self._arrange()

    def _arrange(self) -> None:
        found = [r for r in self._all if not self.filter or self.filter in r.found_by.casefold()]
        if self.sort_by is not None:
            by = self.sort_by
            found.sort(key=lambda row: row.values[by], reverse=self.descending)
        self._rows = found
        if not self._is_led or self.key not in {row.key for row in found}:
            self._at(found[0].key if found else None)
        self.virtual_size = Size(self.size.width, len(found) + 1)
        self._tell()
        self.refresh()

    def _tell(self) -> None:
        """Sorting and filter are always in sight, in the border."""
        told: list[str] = []
        if self.sort_by is not None:
            arrow = "▼" if self.descending else "▲"
            told.append(f"by {self.columns[self.sort_by].title.strip()} {arrow}")
        if self.filter:
            told.append(f"filter “{self.filter}”: {len(self._rows)} of {len(self._all)}")
        self.border_subtitle = " · ".join(told)

    # --- cursor ---

    def _at(self, key: str | None) -> None:
        if key != self.key:
            self.key = key
            if key is not None:
                self.post_message(self.Moved(self, key))

    @property
    def index(self) -> int:
        """Of the cursor among ``rows``; 0 where there are none."""
        return next((n for n, row in enumerate(self._rows) if row.key == self.key), 0)

    def go_to(self, index: int) -> None:
        """Put the cursor on a row, and scroll it into sight."""
        if not self._rows:
            return
        index = max(0, min(index, len(self._rows) - 1))
        self._is_led = True
        self._at(self._rows[index].key)
        top, tall = int(self.scroll_offset.y), max(1, self.size.height - 1)
        if index < top:
            self.scroll_to(y=index, animate=False)
        elif index >= top + tall:
            self.scroll_to(y=index - tall + 1, animate=False)
        self.refresh()

    def action_move(self, by: int) -> None:
        self.go_to(self.index + by)

    def action_page(self, by: int) -> None:
        self.go_to(self.index + by * max(1, self.size.height - 2))

    def action_edge(self, index: int) -> None:
        self.go_to(index if index >= 0 else len(self._rows) - 1)

    def action_choose(self) -> None:
        if self.key is not None:
            self._is_led = True
            self.post_message(self.Chosen(self, self.key))

    def action_sort(self, by: int) -> None:
        able = [n for n, column in enumerate(self.columns) if column.sorts]
        if not able:
            return
        at = able.index(self.sort_by) if self.sort_by in able else -by
        self._sort(able[(at + by) % len(able)])

    def _sort(self, column: int) -> None:
        self.sort_by = column
        self.descending = self.columns[column].descending
        self._arrange()

    def action_reverse(self) -> None:
        if self.sort_by is not None:
            self.descending = not self.descending
            self._arrange()

    def on_click(self, event: events.Click) -> None:
        at = event.get_content_offset(self)
        if at is None:
            return
        if at.y == 0:
            self._click_header(at.x)
            return
        index = at.y - 1 + int(self.scroll_offset.y)
        if index < len(self._rows):
            again = self._rows[index].key == self.key
            self.go_to(index)
            column, place = self._column_at(at.x)
            if column is not None and self.columns[column].takes_clicks:
                self.post_message(self.Clicked(self, self._rows[index].key, column, place))
            elif again:
                self.action_choose()

    def _click_header(self, x: int) -> None:
        column, _ = self._column_at(x)
        if column is None:
            return
        if column == self.sort_by:
            self.action_reverse()
        elif self.columns[column].sorts:
            self._sort(column)

    def _column_at(self, x: int) -> tuple[int | None, float]:
        """The column at ``x``, and where within it, 0 to 1."""
        left = 0
        for number, width in enumerate(self._widths):
            if width and left <= x <= left + width:
                return number, min(1.0, (x - left) / max(1, width - 1))
            left += width + 1 if width else 0
        return None, 0.0

    # --- drawing ---

    def on_resize(self) -> None:
        self._layout()
        self.virtual_size = Size(self.size.width, len(self._rows) + 1)

    def _layout(self) -> None:
        """Widths of the columns: those that do not fit are left out, from the last one on."""
        room = self._room = self.scrollable_content_region.width
        flexible = [n for n, column in enumerate(self.columns) if not column.width]
        least = 12 * len(flexible)
        kept: list[int] = []
        used = least
        for number, column in enumerate(self.columns):
            if column.width and used + column.width + 1 <= room:
                used += column.width + 1
                kept.append(number)
        spare = max(0, room - used + least - len(flexible)) // max(1, len(flexible))
        self._widths = [
            spare if not column.width else column.width if n in kept else 0
            for n, column in enumerate(self.columns)
        ]

    def render_line(self, y: int) -> Strip:
        width = self.scrollable_content_region.width
        if width != self._room:  # a bar to scroll with came or went
            self._layout()
        if y == 0:
            return self._header(width)
        index = y - 1 + int(self.scroll_offset.y)
        if index >= len(self._rows):
            words = self._empty if index == 0 and not self._rows else ""
            line = Strip([Segment(words, self.palette.muted)])
            return line.adjust_cell_length(width).apply_style(self.rich_style)
        row = self._rows[index]
        style = self.palette.selected if row.key == self.key and self.has_focus else Style()
        if row.key == self.key and not self.has_focus:
            style = Style(bold=True)
        strip = Strip(self._cells(row.cells)).adjust_cell_length(width)
        return strip.apply_style(self.rich_style + style)

    def _header(self, width: int) -> Strip:
        titles: list[Cell] = []
        for number, column in enumerate(self.columns):
            arrow = ("▼" if self.descending else "▲") if number == self.sort_by else ""
            titles.append((f"{column.title}{arrow}", self.palette.header))
        return Strip(self._cells(titles)).adjust_cell_length(width).apply_style(self.rich_style)

    def _cells(self, cells: Sequence[Cell]) -> list[Segment]:
        line: list[Segment] = []
        for cell, column, width in zip(cells, self.columns, self._widths, strict=True):
            if not width:
                continue
            words, style = cell if isinstance(cell, tuple) else (cell, self.palette.text)
            words = fit(words if isinstance(words, str) else words(width), width)
            if column.right:
                words = words.rstrip().rjust(width)
            line += [Segment(words, style), Segment(" ")]
        return line
