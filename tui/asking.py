"""Questions to the user, and long texts: screens above the one that is seen."""

from __future__ import annotations

from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Button, Input, Label, Static


class Confirm(ModalScreen[bool]):
    """Yes or no; Enter and ``y`` are yes."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y,enter", "answer(True)", "Yes"),
        Binding("n,escape", "answer(False)", "No"),
    ]

    def __init__(self, question: str, more: str = "") -> None:
        super().__init__()
        self._question, self._more = question, more

    def compose(self) -> ComposeResult:
        with Vertical(classes="asking"):
            yield Label(Text(self._question), classes="question")
            if self._more:
                yield Static(Text(self._more), classes="more")
            with Horizontal(classes="answers"):
                yield Button("Yes (y)", variant="primary", id="yes")
                yield Button("No (n)", id="no")

    def on_button_pressed(self, event: Button.Pressed) -> None:
        self.dismiss(event.button.id == "yes")

    def action_answer(self, yes: bool) -> None:
        self.dismiss(yes)


class Ask(ModalScreen[str | None]):
    """One line of text; Escape is no answer."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "leave", "Leave it")]

    def __init__(self, question: str, value: str = "", more: str = "") -> None:
        super().__init__()
        self._question, self._value, self._more = question, value, more

    def compose(self) -> ComposeResult:
        with Vertical(classes="asking"):
            yield Label(Text(self._question), classes="question")
            yield Input(self._value, select_on_focus=True)
            if self._more:
                yield Static(Text(self._more), classes="more")

    def on_input_submitted(self, event: Input.Submitted) -> None:
        self.dismiss(event.value.strip())

    def action_leave(self) -> None:
        self.dismiss(None)


class Reading(ModalScreen[None]):
    """A long text, to be read: the dump of an ejection, say."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,enter", "leave", "Close"),
    ]

    def __init__(self, title: str, text: str) -> None:
        super().__init__()
        self._heading, self._text = title, text

    def compose(self) -> ComposeResult:
        with VerticalScroll(classes="reading") as box:
            box.border_title = self._heading
            box.border_subtitle = "Esc closes"
            yield Static(Text(self._text))

    def action_leave(self) -> None:
        self.dismiss(None)
