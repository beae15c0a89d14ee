"""Input latency of each device: percentiles, what people feel of it, and where the time goes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from rich.segment import Segment

from pyloader.probes.histogram import PERCENTILES, percentiles
from pyloader.probes.input import STAGES, DeviceLatency
from tui.draw import bars, words
from tui.draw.scale import MARKS, LogScale
from tui.timeline import Entry
from tui.widgets.drawn import Drawn, Line, runs_of, styled
from tui.widgets.latency import percentile_line

#: How far back it looks, s.
SPAN_S = 10.0
_ENTRIES = 100
_WAIT = STAGES.index("wait")
#: What no program in the kernel can see.
NOT_MEASURED = "not measured: USB polling and firmware before, compositor and display after"


class Inputs(Drawn):
    """A few lines a device, the busiest first. Once input first was switched on or off, where the
    time went before that stands beside where it goes since, on the same scale."""

    LEAST_S = 0.45  # it shows minutes, or sums of seconds
    BORDER_TITLE = f"input latency, the last {SPAN_S:g} s"

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._kept: tuple[Entry, Mapping[str, DeviceLatency]] | None = None

    def title(self) -> str:
        long = f"input latency, report in → read, the last {SPAN_S:g} s"
        return long if self.size.width >= len(long) + 4 else self.BORDER_TITLE

    def caption(self) -> str:
        return NOT_MEASURED if self.size.width >= len(NOT_MEASURED) + 6 else ""

    def draw(self, width: int, height: int) -> Sequence[Line]:
        entry = self.timeline.shown if self.timeline else None
        if entry is None:
            return []
        pal, switch = self.palette, self._switch()
        found, seconds = _sums(self._lately(switch))
        if switch and not found:  # nothing yet
            switch = None
            found, seconds = _sums(self._lately(None))
        if not found:
            return [[Segment("no report was read in this time", pal.muted)]]
        earlier = self._earlier(switch)
        # The busiest first; with a line for the marks and one for the stages where there is room.
        order = sorted(found.values(), key=lambda each: -int(each.total.sum()))
        more = sum(each.device in earlier for each in order)
        roomy = height >= 4 * len(order) + 2 + more
        pairs = roomy or height >= 2 * len(order) + more
        blocks = [
            [
                *self._device(each, seconds, width, roomy),
                *self._stages(each, earlier.get(each.device), width, pairs),
            ]
            for each in order
        ]
        lines: list[Line] = [self._axis(width)] if roomy else []
        for number, block in enumerate(blocks):
            rest = len(blocks) - number - 1
            if len(lines) + len(block) + (rest > 0) > height:
                lines.append([Segment(f"… and {rest + 1} more", pal.muted)])
                break
            lines += block
        if len(lines) < height:
            lines.append(self._legend(width))
        return lines

    def _lately(self, switch: Entry | None) -> Iterable[Entry]:
        """The last seconds, for who types sends little in one; not from before ``switch``."""
        entries = self.timeline.up_to_shown(_ENTRIES) if self.timeline else []
        since = entries[-1].snapshot.at - SPAN_S if entries else 0.0
        if switch:
            since = max(since, switch.snapshot.at)
        return (each for each in entries if each.snapshot.at > since)

    # --- before input first was switched on or off, and since ---

    def _switch(self) -> Entry | None:
        """The moment at which it was, if the same scheduler has run since."""
        switch = self.timeline.switched if self.timeline else None
        shown = self.timeline.shown if self.timeline else None
        return switch if switch and shown and _scheduler(switch) == _scheduler(shown) else None

    def _earlier(self, switch: Entry | None) -> Mapping[str, DeviceLatency]:
        """What devices sent in the seconds before, under the same scheduler."""
        if switch is None:
            return {}
        if self.timeline and (self._kept is None or self._kept[0] is not switch):
            before = self.timeline.before(switch, SPAN_S)
            same = (each for each in before if _scheduler(each) == _scheduler(switch))
            self._kept = switch, _sums(each for each in same if _is_on(each) != _is_on(switch))[0]
        return self._kept[1] if self._kept else {}

    def _device(self, device: DeviceLatency, seconds: float, width: int, roomy: bool) -> list[Line]:
        pal = self.palette
        rate = words.count(device.reports / seconds if seconds else 0.0)
        lost = "".join(
            f" · {number} {what}"
            for number, what in (
                (device.coalesced, "together"),
                (device.dropped, "dropped"),
                (device.unread, "unread"),
            )
            if number
        )
        name, about = device.name or device.device, f" {rate}/s{lost}"
        if not roomy:
            short = words.fit(name, min(24, width // 3))
            figures = percentile_line(device.total, pal, width - len(short) - 1)
            return [[Segment(f"{short} ", pal.strong), *figures]]
        title = words.fit(name, max(8, width - len(about))).rstrip()
        lines: list[Line] = [
            [Segment(title, pal.strong), Segment(about, pal.muted)],
            percentile_line(device.total, pal, width),
        ]
        return [*lines, self._on_axis(device, width)] if device.total.any() else lines

    def _axis(self, width: int) -> Line:
        scale = LogScale(width)
        cells = [" "] * width
        for ns, label in MARKS.items():
            at = scale.column(ns)
            text = f"╷{label}"
            if at + len(text) <= width and all(c == " " for c in cells[at : at + len(text)]):
                cells[at : at + len(text)] = text
        first = "1µs"
        cells[: len(first)] = first
        return [Segment("".join(cells), self.palette.muted)]

    def _on_axis(self, device: DeviceLatency, width: int) -> Line:
        """From the median to the 99th percentile as a line, with the marks that people feel."""
        scale, pal = LogScale(width), self.palette
        low, mid, high = percentiles(device.total, (1, 50, 99)) or (0.0, 0.0, 0.0)
        cells = ["·"] * width
        styles = [pal.muted] * width
        for ns in MARKS:
            cells[scale.column(ns)] = "┊"
        for column in range(scale.column(low), scale.column(high) + 1):
            cells[column] = "━"
            styles[column] = pal.graded(scale.low * (scale.high / scale.low) ** (column / width))
        cells[scale.column(mid)] = "●"
        styles[scale.column(mid)] = pal.strong
        return styled(cells, runs_of(styles))

    def _stages(
        self, device: DeviceLatency, earlier: DeviceLatency | None, width: int, pairs: bool
    ) -> list[Line]:
        """What part of the median each stage is; and below what it was, or with a word on it."""
        medians = stage_medians(device)
        if not any(medians):
            return []
        before = stage_medians(earlier) if earlier else []
        if not earlier or not before[_WAIT]:
            return [self._bar(medians, sum(medians), width)]
        pal = self.palette
        if not pairs:
            said = f" wait {words.short(before[_WAIT])} → {words.short(medians[_WAIT])}"
            bar = self._bar(medians, sum(medians), width - len(said))
            return [[*bar, Segment(said, pal.graded(medians[_WAIT]))]]
        longest = max(sum(medians), sum(before))
        lines: list[Line] = []
        is_on = bool(self.timeline and self.timeline.shown and _is_on(self.timeline.shown))
        for on, each, shares in ((not is_on, earlier, before), (is_on, device, medians)):
            said = _waits(each, width)
            bar = self._bar(shares, longest, width - 4 - len(said))
            style = pal.graded(shares[_WAIT])
            lines.append([Segment("on  " if on else "off ", pal.muted), *bar, Segment(said, style)])
        return lines

    def _bar(self, medians: Sequence[float], whole: float, width: int) -> Line:
        pal = self.palette
        ends = bars.ends_of([each / whole for each in medians], width)
        styles = (*pal.stages, pal.kinds[-1])
        if pal.has_colours:
            return bars.stacked(ends, width, styles)
        return bars.lettered(ends, width, pal.text)

    def _legend(self, width: int) -> Line:
        line: list[Segment] = []
        for number, stage in enumerate(STAGES):
            glyph = "█" if self.palette.has_colours else bars.GLYPHS[number]
            line += [
                Segment(glyph, self.palette.stages[number]),
                Segment(f" {stage}  ", self.palette.muted),
            ]
        return line if sum(len(s.text) for s in line) <= width + 2 else []


def stage_medians(device: DeviceLatency) -> list[float]:
    """The median of each stage, ns; 0 where nothing passed through it."""
    return [(percentiles(stage, (50.0,)) or [0.0])[0] for stage in np.asarray(device.stages)]


def _waits(device: DeviceLatency, width: int) -> str:
    """Of the stage that is the scheduler's part, in words."""
    counts = device.stages[_WAIT]
    samples = int(counts.sum())
    known = [
        words.short(ns if samples >= PERCENTILES[share] else None)
        for share, ns in zip((50.0, 99.0), percentiles(counts, (50, 99)) or (0, 0), strict=True)
    ]
    return f" wait {known[0]:>5}" + (f" p99 {known[1]:>5}" if width >= 40 else "")


def _sums(entries: Iterable[Entry]) -> tuple[dict[str, DeviceLatency], float]:
    """What devices sent in this time, and in how many seconds."""
    sums: dict[str, DeviceLatency] = {}
    seconds = 0.0
    for entry in entries:
        seconds += entry.snapshot.seconds
        for each in entry.snapshot.devices:
            sums[each.device] = each.plus(sums.get(each.device))
    return sums, seconds


def _scheduler(entry: Entry) -> tuple[str | None, float]:
    return entry.snapshot.scheduler.name, entry.snapshot.scheduler.since


def _is_on(entry: Entry) -> bool:
    state = entry.snapshot.input_first
    return state is not None and state.is_on
