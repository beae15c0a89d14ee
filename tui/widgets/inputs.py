"""Input latency of each device: percentiles, what people feel of it, and where the time goes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from rich.segment import Segment

from pyloader.probes.histogram import percentiles
from pyloader.probes.input import STAGES, DeviceLatency
from tui.draw import bars, words
from tui.draw.scale import MARKS, LogScale
from tui.widgets.drawn import Drawn, Line, runs_of, styled
from tui.widgets.latency import percentile_line

#: How far back it looks, s.
SPAN_S = 10.0
_ENTRIES = 100
#: What no program in the kernel can see.
NOT_MEASURED = "not measured: USB polling and firmware before, compositor and display after"


class Inputs(Drawn):
    """A few lines a device; those that sent nothing come last."""

    LEAST_S = 0.45  # it shows minutes, or sums of seconds
    BORDER_TITLE = f"input latency, the last {SPAN_S:g} s"

    def title(self) -> str:
        long = f"input latency, report in → read, the last {SPAN_S:g} s"
        return long if self.size.width >= len(long) + 4 else self.BORDER_TITLE

    def caption(self) -> str:
        return NOT_MEASURED if self.size.width >= len(NOT_MEASURED) + 6 else ""

    def draw(self, width: int, height: int) -> Sequence[Line]:
        entry = self.timeline.shown if self.timeline else None
        if entry is None:
            return []
        pal, (found, seconds) = self.palette, self._lately()
        if not found:
            return [[Segment("no report was read in this time", pal.muted)]]
        # The busiest first; with a line for the marks and one for the stages where there is room.
        order = sorted(found, key=lambda each: -int(each.total.sum()))
        roomy = height >= 4 * len(order) + 2
        blocks = [self._device(each, seconds, width, roomy) for each in order]
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

    def _lately(self) -> tuple[Sequence[DeviceLatency], float]:
        """What devices sent in the last seconds, and in how many: who types sends little in one."""
        entries = self.timeline.up_to_shown(_ENTRIES) if self.timeline else []
        since = entries[-1].snapshot.at - SPAN_S if entries else 0.0
        sums: dict[str, DeviceLatency] = {}
        seconds = 0.0
        for entry in entries:
            if entry.snapshot.at <= since:
                continue
            seconds += entry.snapshot.seconds
            for each in entry.snapshot.devices:
                sums[each.device] = each.plus(sums.get(each.device))
        return tuple(sums.values()), seconds

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
        has_any = bool(device.total.sum())
        if not roomy:
            short = words.fit(name, min(24, width // 3))
            figures = percentile_line(device.total, pal, width - len(short) - 1)
            first = [Segment(f"{short} ", pal.strong), *figures]
            return [first, self._stages(device, width)] if has_any else [first]
        title = words.fit(name, max(8, width - len(about))).rstrip()
        lines: list[Line] = [
            [Segment(title, pal.strong), Segment(about, pal.muted)],
            percentile_line(device.total, pal, width),
        ]
        if has_any:
            lines += [self._on_axis(device, width), self._stages(device, width)]
        return lines

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

    def _stages(self, device: DeviceLatency, width: int) -> Line:
        """What part of the median each stage is."""
        medians = stage_medians(device)
        total = sum(medians)
        if not total:
            return []
        pal = self.palette
        ends = bars.ends_of([each / total for each in medians], width)
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
