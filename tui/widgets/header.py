"""The first lines of the screen: which machine, how loaded, what schedules, and which moment."""

from __future__ import annotations

import time
from collections.abc import Sequence

from rich.segment import Segment
from textual.geometry import Size

from pyloader.view.scheduler import MODES
from tui.draw import words
from tui.owner import owner
from tui.timeline import Timeline
from tui.widgets.drawn import Drawn, Line


class Header(Drawn):
    """Two lines, and a third on what could not be measured; what does not fit is cut off."""

    DEFAULT_CSS = "Header { height: auto; padding: 0 1; }"

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return 3 if self._missing() else 2

    def _missing(self) -> tuple[str, ...]:
        entry = self.timeline.shown if self.timeline else None
        return entry.snapshot.missing if entry else ()

    def show(self, timeline: Timeline) -> None:
        before = len(self._missing()) > 0
        super().show(timeline)
        if before != (len(self._missing()) > 0):
            self.refresh(layout=True)

    def draw(self, width: int, height: int) -> Sequence[Line]:
        entry = self.timeline.shown if self.timeline else None
        if entry is None:
            starting = Segment("  attaching what measures …", self.palette.muted)
            return [[Segment("scxhid top", self.palette.header), starting]]
        lines = [self._machine(width), self._scheduler(width)]
        first, *others = self._missing() or ("",)
        if first:
            more = f" (and {len(others)} more: n shows them)" if others else ""
            said = words.fit(first, width - len(more)).rstrip() + more
            lines.append([Segment(said, self.palette.middling)])
        return lines

    def _machine(self, width: int) -> Line:
        pal = self.palette
        entry = self.timeline.shown if self.timeline else None
        machine = entry.snapshot.machine if entry else None
        left = [Segment("scxhid ", pal.header)]
        if machine:
            load = " ".join(f"{each:.2f}" for each in machine.load)
            left += [Segment(machine.host, pal.strong), Segment(f" {machine.kernel}", pal.muted)]
            left += [Segment("  up ", pal.muted), Segment(words.span(machine.uptime_s), pal.text)]
            left += [Segment("  load ", pal.muted), Segment(load, pal.text)]
            if machine.pressure:
                left.append(Segment("  pressure", pal.muted))
            for name, share in machine.pressure.items():
                graded = pal.good if share < 10 else pal.middling if share < 40 else pal.bad
                left += [Segment(f" {name} ", pal.muted), Segment(f"{share:.0f}%", graded)]
        return _sides(left, self._moment(), width)

    def _moment(self) -> list[Segment]:
        """Which moment is shown."""
        pal, timeline = self.palette, self.timeline
        app = owner(self)
        entry = timeline.shown if timeline else None
        if timeline is None or entry is None:
            return []
        at = time.strftime("%H:%M:%S", time.localtime(entry.snapshot.at))
        if timeline.is_live and not app.has_ended:
            return [Segment("● ", pal.good), Segment(f"{at} every {app.interval:g} s", pal.text)]
        behind = f" −{timeline.behind_s:.1f} s" if timeline.behind_s else ""
        word = "end " if app.has_ended and timeline.is_live else "paused "
        return [Segment(f"▮▮ {word}{at}{behind}", pal.mark)]

    def _scheduler(self, width: int) -> Line:
        pal = self.palette
        entry = self.timeline.shown if self.timeline else None
        if entry is None:
            return []
        runs = entry.snapshot.scheduler
        left = [Segment("scheduler ", pal.muted), Segment(runs.title, pal.mark)]
        first = entry.snapshot.input_first
        if first and first.is_on:
            used = (" ", pal.good) if first.is_used else (", which it does not use ", pal.middling)
            left.append(Segment(f"  input first{used[0]}", used[1]))
        if MODES[runs.mode]:
            left.append(Segment(f" {MODES[runs.mode]}", pal.muted))
        if runs.since:
            left.append(
                Segment(f" for {words.span(max(0.0, entry.snapshot.at - runs.since))}", pal.text)
            )
        changed = [f"{k.name}={k.value}" for k in runs.knobs if k.is_changed]
        if changed:
            left.append(Segment(f"  {' '.join(changed)}", pal.middling))
        if runs.previous:
            left.append(Segment(f"  before: {runs.previous}", pal.muted))
        return _sides(left, self._cost(), width)

    def _cost(self) -> list[Segment]:
        note = owner(self).source_note
        if note:
            return [Segment(note, self.palette.mark)]
        entry = self.timeline.shown if self.timeline else None
        cost = entry.snapshot.cost if entry else None
        if cost is None:
            return []
        said = f"own cost {words.percent(cost.process)}"
        if cost.programs is not None:
            said += f" + probes {cost.programs * 100:.1f}%"
        return [Segment(said, self.palette.muted)]


def _sides(left: list[Segment], right: list[Segment], width: int) -> Line:
    """``right`` at the right edge; of ``left`` as much as fits before it."""
    room = width - sum(len(each.text) for each in right) - 2
    kept: list[Segment] = []
    for each in left:
        if room <= 0:
            break
        kept.append(
            Segment(words.fit(each.text, room) if len(each.text) > room else each.text, each.style)
        )
        room -= len(each.text)
    return [*kept, Segment(" " * max(2, room + 2)), *right]
