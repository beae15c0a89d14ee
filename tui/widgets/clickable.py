"""The two lines around a pane: which panes there are, and which keys do something now."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, NamedTuple

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.message import Message
from textual.screen import Screen

from tui.owner import owner
from tui.widgets.drawn import Drawn, Line


class Word(NamedTuple):
    """Something to click on; ``value`` is what was meant by it."""

    parts: tuple[tuple[str, Style], ...]
    value: str

    @property
    def width(self) -> int:
        return sum(len(text) for text, _ in self.parts)


class Bar(Drawn):
    """One line of words to click on. Textual's own Tabs and Footer are a widget for each word, all
    of which are made anew whenever another pane comes: most of the time from a key to its paint."""

    DEFAULT_CSS = "Bar { height: 1; width: 1fr; }"

    def words(self) -> Sequence[Word]:
        """From the left, and those that stand at the right edge last, after an empty one."""
        raise AssertionError("each bar has its own")

    def clicked(self, value: str) -> None:
        raise AssertionError("each bar has its own")

    def draw(self, width: int, height: int) -> Sequence[Line]:
        line: list[Segment] = []
        for _, word in self._placed(width):
            line += [Segment(text, style) for text, style in word.parts]
        return [line]

    def on_click(self, event: events.Click) -> None:
        for first, word in self._placed(self.size.width):
            if word.value and first <= event.x < first + word.width:
                self.clicked(word.value)
                return

    def _placed(self, width: int) -> Sequence[tuple[int, Word]]:
        """Each word with its first column; the gap before those at the right edge is a word too."""
        words = self.words()
        gap = max(0, width - sum(word.width for word in words))
        placed: list[tuple[int, Word]] = []
        at = 0
        for word in words:
            if not word.parts:
                placed.append((at, Word(((" " * gap, self.palette.text),), "")))
                at += gap
                continue
            placed.append((at, word))
            at += word.width
        return placed


class Panes(Bar):
    """The names of the panes with their numbers; one is in sight."""

    DEFAULT_CSS = "Panes { background: $surface; }"

    class Clicked(Message):
        def __init__(self, name: str) -> None:
            self.name = name
            super().__init__()

    def __init__(self, names: Sequence[str], active: str, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._names = names
        self.active = active
        """In lower case."""

    def choose(self, name: str) -> None:
        self.active = name
        self.draw_changes()

    def words(self) -> Sequence[Word]:
        pal = self.palette
        words: list[Word] = []
        for number, name in enumerate(self._names, 1):
            is_active = name.lower() == self.active
            first, second = (pal.chosen,) * 2 if is_active else (pal.muted, pal.text)
            words.append(Word(((f" {number} ", first), (f"{name} ", second)), name))
        return words

    def clicked(self, value: str) -> None:
        self.post_message(self.Clicked(value))


class Keys(Bar):
    """The keys that are shown, made from the bindings of what has the focus."""

    DEFAULT_CSS = "Keys { background: $panel; }"
    PALETTE: ClassVar[str] = "ctrl+p"

    def on_mount(self) -> None:
        screen: Any = self.screen
        screen.bindings_updated_signal.subscribe(self, self._changed)

    def _changed(self, screen: Screen[Any]) -> None:
        if self.is_attached and screen is self.screen:
            self.draw_changes()

    def words(self) -> Sequence[Word]:
        pal, app = self.palette, owner(self)
        words: list[Word] = []
        actions: set[str] = set()
        last = None
        for _, binding, is_enabled, _ in self.screen.active_bindings.values():
            parts = (
                (f" {app.get_key_display(binding)} ", pal.header if is_enabled else pal.muted),
                (f"{binding.description} ", pal.text if is_enabled else pal.muted),
            )
            if binding.key == self.PALETTE:
                last = Word(parts, binding.key)
            elif binding.show and binding.action not in actions:
                actions.add(binding.action)
                words.append(Word(parts, binding.key))
        return [*words, Word((), ""), last] if last else words

    def clicked(self, value: str) -> None:
        owner(self).simulate_key(value)
