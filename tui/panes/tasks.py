"""The tasks that ran or waited most; Enter measures the waits of one by themselves."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from rich.segment import Segment
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from pyloader.probes.sched import KINDS
from pyloader.probes.tasks import STATES
from pyloader.view.snapshot import ChosenTask
from tui.draw import words
from tui.panes.pane import Pane
from tui.timeline import Timeline
from tui.widgets.drawn import Drawn, Line
from tui.widgets.grid import Column, Grid, Row
from tui.widgets.latency import histogram_lines, percentile_line

_WORDS = {"ext": "sched_ext", "rt": "real-time"}


class TaskLatency(Drawn):
    """The waits of the task that was chosen."""

    BORDER_TITLE = "no task chosen: Enter measures the waits of one"

    @property
    def _chosen(self) -> ChosenTask | None:
        entry = self.timeline.shown if self.timeline else None
        return entry.snapshot.chosen if entry else None

    def title(self) -> str | Text:
        chosen = self._chosen
        if not chosen:
            return super().title()
        return f"woken → running of {chosen.comm} ({chosen.pid}), since it was chosen"

    def caption(self) -> str:
        return f"{int(self._chosen.waits.sum()):,} wake-ups" if self._chosen else ""

    def draw(self, width: int, height: int) -> list[Line]:
        chosen = self._chosen
        if chosen is None:
            return []
        lines: list[Line] = [percentile_line(chosen.waits, self.palette, width)]
        if height >= 4:
            lines += histogram_lines(chosen.waits, self.palette, width, height - 1)
        elif not chosen.waits.sum():
            lines = [[Segment("not woken yet", self.palette.muted)]]
        return lines


class Tasks(Pane):
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "forget", "Measure none", show=False, id="tasks.forget"),
    ]

    def compose(self) -> ComposeResult:
        grid = Grid(
            (
                Column("TASK", 0, descending=False),
                Column("PID", 8, right=True),
                Column("CLASS", 9, descending=False),
                Column("CPU", 4, right=True, descending=False),
                Column("NOW", 7, descending=False),
                Column("RAN", 6, right=True),
                Column("WAITED", 7, right=True),
                Column("MEAN", 7, right=True),
                Column("LONGEST", 8, right=True),
                Column("WOKEN/s", 8, right=True),
                Column("SWITCHES/s", 11, right=True),
            ),
            sort=5,
            id="tasks-grid",
            empty="tasks are not measured: ask as root",
        )
        grid.border_title = "tasks"
        yield grid
        yield TaskLatency(id="task-latency", classes="box")

    def present(self, timeline: Timeline) -> None:
        super().present(timeline)
        entry = timeline.shown
        if entry is None:
            return
        tasks = entry.snapshot.tasks
        if tasks is None:
            return
        grid = self.query_one("#tasks-grid", Grid)
        grid.border_title = f"{len(tasks)} tasks that ran or waited"
        chosen = entry.snapshot.chosen.pid if entry.snapshot.chosen else None
        grid.fill([self._row(task, chosen) for task in tasks])

    def _row(self, task: np.void, chosen: int | None) -> Row:
        pal = self.top.palette
        kind = KINDS[int(task["kind"])]
        name, pid = task["comm"].decode(errors="replace"), int(task["pid"])
        kind = _WORDS.get(kind, kind)
        ran, waiting = float(task["ran"]), float(task["waiting"])
        mean, longest = float(task["mean_wait_us"]) * 1e3, float(task["max_wait_us"]) * 1e3
        wakeups, switches = float(task["wakeups"]), float(task["switches"])
        state = STATES[int(task["state"])]
        return Row(
            str(pid),
            (
                (f"{'▸ ' if pid == chosen else ''}{name}", pal.mark if pid == chosen else pal.text),
                str(pid),
                (kind, pal.muted),
                str(int(task["cpu"])) if task["cpu"] >= 0 else "–",
                (state, pal.muted),
                words.percent(ran),
                words.percent(waiting),
                words.short(mean),
                (words.short(longest or None), pal.graded(longest)),
                words.count(wakeups),
                words.count(switches),
            ),
            (
                name,
                pid,
                kind,
                int(task["cpu"]),
                state,
                ran,
                waiting,
                0.0 if mean != mean else mean,
                longest,
                wakeups,
                switches,
            ),
            f"{name} {pid} {kind}",
        )

    def on_grid_chosen(self, event: Grid.Chosen) -> None:
        self.top.choose_task(int(event.key))

    def action_forget(self) -> None:
        self.top.choose_task(None)
