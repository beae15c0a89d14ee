"""Every knob of what runs: where it stands, what it may be, and what turning it does."""

from __future__ import annotations

from functools import partial
from typing import Any, ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Static

from pyloader.view.scheduler import KnobState
from tui.asking import Ask
from tui.draw import slider
from tui.panes.pane import Pane
from tui.timeline import Timeline
from tui.widgets.grid import Column, Grid, Row
from tui.widgets.heat import Heat
from tui.widgets.latency import Latency


class Knobs(Pane):
    """Left and right turn the knob at the cursor; Enter takes a number; ``u`` undoes."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left,h", "turn(-1)", "Less", show=False, id="knobs.less"),
        Binding("right,l", "turn(1)", "More", show=False, id="knobs.more"),
        Binding("shift+left,H", "turn(-8)", "Much less", show=False, id="knobs.much_less"),
        Binding("shift+right,L", "turn(8)", "Much more", show=False, id="knobs.much_more"),
        Binding("d", "default", "Default", id="knobs.default"),
        Binding("u", "undo", "Undo", id="knobs.undo"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._knobs: dict[str, KnobState] = {}
        self._asked: dict[str, Any] = {}
        """What was asked for and has not been seen to be so yet, by name."""
        self._undo: list[tuple[str, str, Any]] = []
        """Scheduler, knob, and the value that it had."""

    def compose(self) -> ComposeResult:
        grid = Grid(
            (
                Column("KNOB", 22, descending=False),
                Column("VALUE", 10, right=True, sorts=False),
                Column("", 0, sorts=False, takes_clicks=True),
                Column("UNIT", 5, sorts=False),
                Column("DEFAULT", 9, right=True, sorts=False),
                Column("RANGE", 16, sorts=False),
                Column("CHANGE", 9, sorts=False),
            ),
            id="knobs-grid",
            empty="the kernel's own scheduler has no knobs here: choose one in Schedulers (2)",
        )
        grid.border_title = "knobs"
        yield grid
        with Vertical(id="knob-doc", classes="box"):
            yield Static(id="doc")
        yield Latency(id="knob-latency", classes="box")
        yield Heat(id="knob-heat", classes="box")

    def present(self, timeline: Timeline) -> None:
        super().present(timeline)
        entry = timeline.shown
        if entry is None:
            return
        runs = entry.snapshot.scheduler
        self._knobs = {knob.name: knob for knob in runs.knobs}
        for name, value in list(self._asked.items()):
            if name not in self._knobs or self._knobs[name].value == value:
                del self._asked[name]
        self._fill(f"knobs of {runs.title}")

    def _fill(self, title: str | None = None) -> None:
        grid = self.query_one("#knobs-grid", Grid)
        if title:
            grid.border_title = title
        grid.fill([self._row(self._now(knob)) for knob in self._knobs.values()])
        self._tell_doc()

    def _now(self, knob: KnobState) -> KnobState:
        """With the value that was asked for, if it has not been seen to be so yet."""
        if knob.name not in self._asked:
            return knob
        fields = {**knob.__dict__, "value": self._asked[knob.name]}
        return KnobState(**fields)

    def _row(self, knob: KnobState) -> Row:
        pal = self.top.palette
        style = pal.mark if knob.is_changed else pal.text
        name = f"{'*' if knob.is_changed else ' '} {knob.name}"
        is_switch = isinstance(knob.default, bool)
        about = "on, off" if is_switch else f"{knob.minimum}–{knob.maximum}"
        return Row(
            knob.name,
            (
                (name, style),
                (_word(knob.value), style),
                (partial(slider.drawn, knob), style),
                (knob.unit, pal.muted),
                (_word(knob.default), pal.muted),
                (about, pal.muted),
                ("live" if knob.live else "by a swap", pal.muted),
            ),
            (knob.name, "", "", "", "", "", ""),
            f"{knob.name} {knob.doc}",
        )

    def _tell_doc(self) -> None:
        knob = self._chosen()
        if knob is None:
            self.query_one("#doc", Static).update("")
            return
        pal = self.top.palette
        box = self.query_one("#knob-doc")
        box.border_title = knob.name
        said = Text(f"{knob.doc}\n", pal.text)
        hint = (
            "← → turn it, Enter takes a number"
            if knob.live
            else "Enter takes a number; it is a swap"
        )
        said.append(hint, pal.muted)
        if self._undo:
            name, value = self._undo[-1][1:]
            said.append(f"; u puts {name} back to {_word(value)}", pal.muted)
        self.query_one("#doc", Static).update(said)

    def _chosen(self) -> KnobState | None:
        key = self.query_one("#knobs-grid", Grid).key
        return self._now(self._knobs[key]) if key in self._knobs else None

    def on_grid_moved(self, event: Grid.Moved) -> None:
        event.stop()
        self._tell_doc()

    # --- turning ---

    def action_turn(self, by: int) -> None:
        knob = self._chosen()
        if knob is None:
            return
        if not knob.live:
            self.top.notify(f"{knob.name} changes by a swap: Enter takes its new value")
            return
        self._set(knob, slider.stepped(knob, by))

    def on_grid_clicked(self, event: Grid.Clicked) -> None:
        knob = self._knobs.get(event.key)
        if knob and knob.live:
            self._set(self._now(knob), slider.value_at(knob, event.place))

    def on_grid_chosen(self, event: Grid.Chosen) -> None:
        knob = self._chosen()
        if knob is None:
            return

        def answered(text: str | None) -> None:
            if text:
                self._set(knob, text)

        unit = f" {knob.unit}" if knob.unit else ""
        about = f"{knob.minimum} to {knob.maximum}{unit}; default {_word(knob.default)}"
        self.top.push_screen(Ask(knob.name, _word(knob.value), f"{knob.doc}\n{about}"), answered)

    def action_default(self) -> None:
        knob = self._chosen()
        if knob and knob.is_changed:
            self._set(knob, knob.default)

    def action_undo(self) -> None:
        entry = self.top.timeline.shown
        runs = entry.snapshot.scheduler.title if entry else ""
        while self._undo:
            scheduler, name, value = self._undo.pop()
            if scheduler == runs and name in self._knobs:
                self._set(self._now(self._knobs[name]), value, is_undo=True)
                return
        self.top.notify("nothing to undo")

    def _set(self, knob: KnobState, wanted: Any, is_undo: bool = False) -> None:
        """Turn it; shown at once, and put right when the kernel says otherwise."""
        if wanted == knob.value:
            return
        entry = self.top.timeline.shown
        runs = entry.snapshot.scheduler.title if entry else ""
        if not is_undo:
            self._undo.append((runs, knob.name, knob.value))
        if not isinstance(wanted, str):
            self._asked[knob.name] = wanted
            self._fill()

        def failed() -> None:
            self._asked.pop(knob.name, None)
            if not is_undo and self._undo:
                self._undo.pop()
            self._fill()

        name, text = knob.name, _word(wanted)
        self.top.change(
            f"turning {name}", lambda: self.top.controls.set_knob(name, text), failed, quiet=True
        )


def _word(value: Any) -> str:
    return {True: "on", False: "off"}[value] if isinstance(value, bool) else str(value)
