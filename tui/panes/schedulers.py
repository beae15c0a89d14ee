"""Which scheduler runs, which there are, how to change, and who was thrown out and why."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Static

from pyloader.exitinfo import ExitInfo
from tui.asking import Confirm, Reading
from tui.controls import Scheduler
from tui.panes.pane import Pane
from tui.timeline import Timeline
from tui.widgets.grid import Column, Grid, Row


class Schedulers(Pane):
    """Enter on a scheduler swaps to it, Enter on an event shows its reason and dump."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("b", "app.swap_back", "Swap back"),
        Binding("x", "app.stop", "Kernel's own"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self.library: tuple[Scheduler, ...] = ()
        self._events: tuple[Mapping[str, Any], ...] = ()
        self._shown: tuple[Any, ...] = ()

    def compose(self) -> ComposeResult:
        library = Grid(
            (
                Column("SCHEDULER", 13, descending=False),
                Column("WHAT IT IS", 0, sorts=False),
                Column("KNOBS", 6, right=True),
            ),
            id="library",
            empty="looking at the schedulers …",
        )
        library.border_title = "library · Enter swaps"
        yield library
        with Vertical(id="beside", classes="box"):
            yield Static(id="prose")
        log = Grid(
            (
                Column("WHEN", 9, descending=True),
                Column("EVENT", 9, sorts=False),
                Column("SCHEDULER", 13, sorts=False),
                Column("WHY", 0, sorts=False),
            ),
            sort=0,
            id="log",
            empty="nothing was changed yet",
        )
        log.border_title = "exits and ejections · Enter shows the dump"
        yield log

    def on_mount(self) -> None:
        self.run_worker(self._read_library, thread=True, exit_on_error=False)

    def _read_library(self) -> None:
        found = self.top.controls.library()
        self.top.call_from_thread(self._got, found)

    def _got(self, library: tuple[Scheduler, ...]) -> None:
        self.library = library
        if self.top.timeline.shown:
            self.present(self.top.timeline)

    def present(self, timeline: Timeline) -> None:
        super().present(timeline)
        entry = timeline.shown
        if entry is None:
            return
        runs, history = entry.snapshot.scheduler, entry.snapshot.history
        shown = (runs.name, runs.previous, self.library, len(history), history[-1:])
        if shown == self._shown:
            return
        self._shown, self._events = shown, history
        pal = self.top.palette
        rows: list[Row] = []
        for each in self.library:
            sign = "●" if each.name == runs.name else "↶" if each.name == runs.previous else " "
            style = pal.mark if each.name == runs.name else pal.text
            rows.append(
                Row(
                    each.name,
                    ((f"{sign} {each.name}", style), each.about, str(each.knobs)),
                    (each.name, "", each.knobs),
                    f"{each.name} {each.about}",
                )
            )
        self.query_one("#library", Grid).fill(rows)
        self.query_one("#log", Grid).fill([self._event_row(n, e) for n, e in enumerate(history)])
        self._tell_prose()

    def _event_row(self, number: int, event: Mapping[str, Any]) -> Row:
        pal, exit_ = self.top.palette, event.get("exit")
        why = _exit(exit_).sentence() if exit_ else ""
        asked = not exit_ or _exit(exit_).was_asked_for
        when = time.strftime("%H:%M:%S", time.localtime(event["time_ns"] / 1e9))
        style = pal.text if asked else pal.bad
        return Row(
            str(number),
            ((when, pal.muted), (event["event"], style), event["name"], "" if asked else why),
            (event["time_ns"], "", "", ""),
        )

    def on_grid_moved(self, event: Grid.Moved) -> None:
        if event.grid.id == "library":
            self._tell_prose()

    def _tell_prose(self) -> None:
        grid = self.query_one("#library", Grid)
        each = next((s for s in self.library if s.name == grid.key), None)
        if each is None:
            return
        entry, pal = self.top.timeline.shown, self.top.palette
        box = self.query_one("#beside")
        box.border_title = each.name
        said = Text()
        said.append(f"{each.about}\n", pal.strong)
        if each.good_for:
            said.append(f"\ngood for: {each.good_for}\n", pal.text)
        if each.ignores:
            said.append(f"\ndoes not honour: {', '.join(each.ignores)}\n", pal.middling)
        if entry and entry.snapshot.scheduler.name == each.name:
            said.append("\nIt runs now.", pal.mark)
        else:
            said.append("\nEnter swaps to it, b goes back, x leaves it to the kernel.", pal.muted)
        self.query_one("#prose", Static).update(said)

    def on_grid_chosen(self, event: Grid.Chosen) -> None:
        if event.grid.id == "log":
            self._show_event(int(event.key))
            return
        name = event.key
        entry = self.top.timeline.shown
        runs = entry.snapshot.scheduler.title if entry else "what runs"

        def answered(yes: bool | None) -> None:
            if yes:
                self.top.change(f"swapping to {name}", lambda: self.top.controls.use(name))

        self.top.push_screen(Confirm(f"Swap from {runs} to {name}?"), answered)

    def _show_event(self, number: int) -> None:
        event = self._events[number]
        exit_ = event.get("exit")
        if not exit_:
            self.top.notify(f"{event['name']} was {event['event']}; there is nothing more to it")
            return
        info = _exit(exit_)
        self.top.push_screen(
            Reading(f"{event['name']}: {info.sentence()}", info.dump or "The kernel gave no dump.")
        )


def _exit(found: Mapping[str, Any]) -> ExitInfo:
    fields = {k: found[k] for k in ("kind", "exit_code", "reason", "message", "dump") if k in found}
    return ExitInfo(**fields)
