"""What the scheduler that runs counts, as rates with their history, and how long its queues are."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
from textual.app import ComposeResult

from pyloader.probes.queues import QUEUE_KINDS
from tui.draw import blocks, words
from tui.panes.pane import Pane
from tui.timeline import Entry, Timeline
from tui.widgets.grid import Column, Grid, Row

_KEPT = 200


class Statistics(Pane):
    """A line a counter; the sparkline's full height is the most that is in sight."""

    def compose(self) -> ComposeResult:
        counters = Grid(
            (
                Column("COUNTER", 24, descending=False),
                Column("HISTORY", 0, sorts=False),
                Column("A SECOND", 9, right=True),
                Column("MOST", 7, right=True, sorts=False),
                Column("WHAT", 44, sorts=False),
            ),
            id="counters",
            empty="what runs counts nothing that could be shown",
        )
        counters.border_title = "statistics"
        yield counters
        queues = Grid(
            (
                Column("QUEUE (DSQ)", 20, descending=False),
                Column("QUEUED", 7, right=True),
                Column("HISTORY", 0, sorts=False),
            ),
            sort=1,
            id="queues",
            empty="no queue of a scheduler is known",
        )
        queues.border_title = "dispatch queues"
        yield queues

    def present(self, timeline: Timeline) -> None:
        super().present(timeline)
        entry = timeline.shown
        if entry is None:
            return
        runs = entry.snapshot.scheduler
        past = timeline.up_to_shown(_KEPT)
        self.query_one("#counters", Grid).border_title = f"statistics of {runs.title}"
        self._fill_counters(past)
        self._fill_queues(past)

    def _fill_counters(self, past: Sequence[Entry]) -> None:
        pal, grid = self.top.palette, self.query_one("#counters", Grid)
        runs = past[-1].snapshot.scheduler
        rows: list[Row] = []
        known = [(c.name, c.doc, c.rate) for c in runs.counters]
        known += [(name, "the kernel's own", rate) for name, rate in (runs.events or {}).items()]
        for name, doc, rate in known:
            series = [_rate(each, name) for each in past]
            most = max((v for v in series if v == v), default=0.0)
            rows.append(
                Row(
                    name,
                    (
                        name,
                        (partial(_history, series, most), pal.kinds[1]),
                        words.count(rate),
                        (words.count(most), pal.muted),
                        (doc, pal.muted),
                    ),
                    (name, "", rate or 0.0, "", ""),
                    f"{name} {doc}",
                )
            )
        grid.fill(rows)

    def _fill_queues(self, past: Sequence[Entry]) -> None:
        pal, grid = self.top.palette, self.query_one("#queues", Grid)
        history = [_depths(each) for each in past]
        rows: list[Row] = []
        for name, depth in (history[-1] if history else {}).items():
            series = [float(each.get(name, 0)) for each in history]
            rows.append(
                Row(
                    name,
                    (
                        name,
                        (str(depth), pal.strong if depth else pal.muted),
                        (partial(_history, series, max(*series, 4.0)), pal.kinds[1]),
                    ),
                    (name, float(depth), ""),
                    name,
                )
            )
        grid.fill(rows)


def _history(series: Sequence[float], full: float, width: int) -> str:
    return blocks.spark(series[-width:], full).rjust(width)


def _rate(entry: Entry, name: str) -> float:
    runs = entry.snapshot.scheduler
    for counter in runs.counters:
        if counter.name == name:
            return float("nan") if counter.rate is None else counter.rate
    return (runs.events or {}).get(name, float("nan"))


def _depths(entry: Entry) -> dict[str, int]:
    queues = entry.snapshot.queues
    if queues is None:
        return {}
    return {queue_name(each): int(each["queued"]) for each in queues}


def queue_name(queue: np.void) -> str:
    """Local ones by their CPU, global ones by their node, others by the id that they were given."""
    kind = QUEUE_KINDS[int(queue["kind"])]
    if kind == "local":
        return f"local {int(queue['cpu'])}"
    if kind == "global":
        return f"global {int(queue['node'])}"
    return f"{int(queue['id']):#x}"
