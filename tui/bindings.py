"""The keys that count in every pane; each pane and each grid has its own beside them."""

from __future__ import annotations

from collections.abc import Sequence

from textual.binding import Binding, BindingType


def bindings(panes: Sequence[str]) -> list[BindingType]:
    """The panes are one key away each, in this order."""
    return [
        *(
            Binding(str(number), f"go('{name}')", name, show=False, id=f"go.{name.lower()}")
            for number, name in enumerate(panes, 1)
        ),
        Binding("space", "pause", "Pause", id="time.pause"),
        Binding("left_square_bracket", "step(-1)", "Back in time", show=False, id="time.back"),
        Binding("right_square_bracket", "step(1)", "Forward", show=False, id="time.forward"),
        Binding(
            "left_curly_bracket",
            "mark(False)",
            "To the change before",
            show=False,
            id="time.mark_before",
        ),
        Binding(
            "right_curly_bracket",
            "mark(True)",
            "To the next change",
            show=False,
            id="time.mark_next",
        ),
        Binding(
            "less_than_sign,comma", "jump(-60)", "A minute back", show=False, id="time.minute_back"
        ),
        Binding(
            "greater_than_sign",
            "jump(60)",
            "A minute forward",
            show=False,
            id="time.minute_forward",
        ),
        Binding("full_stop", "live", "Now", show=False, id="time.now"),
        Binding("plus,equals_sign", "faster", "Faster", show=False, id="rate.faster"),
        Binding("minus", "slower", "Slower", show=False, id="rate.slower"),
        Binding("b", "swap_back", "Swap back", show=False, id="scheduler.back"),
        Binding("x", "stop", "Kernel's own", show=False, id="scheduler.stop"),
        Binding("slash", "filter", "Filter", id="filter"),
        Binding("n", "missing", "What is not measured", show=False, id="missing"),
        Binding("ctrl+s", "picture", "Save an SVG", show=False, id="picture"),
        Binding("question_mark,f1", "keys", "Keys", id="help"),
        Binding("q", "quit", "Quit", id="quit"),
        Binding("i", "input_first", "Input first", id="input.first"),
        Binding("ctrl+c", "quit", "Quit", show=False, priority=True),
    ]
