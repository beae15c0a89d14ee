"""How long woken tasks wait until they run: percentiles, and their distribution."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from rich.segment import Segment

from pyloader.probes.histogram import PERCENTILES, percentiles
from tui.draw import blocks, words
from tui.draw.scale import LogScale
from tui.palette import Palette
from tui.widgets.drawn import Drawn, Line, runs_of, styled


def percentile_line(histogram: NDArray[np.generic], palette: Palette, width: int) -> Line:
    """``p50 12µs  p90 …``; one that the samples are too few for is a dash."""
    samples = int(histogram.sum())
    values = percentiles(histogram, tuple(PERCENTILES)) or [0.0] * len(PERCENTILES)
    line: list[Segment] = []
    used = 0
    for (share, least), value in zip(PERCENTILES.items(), values, strict=True):
        known = samples >= least
        label, figure = f"p{share:g} ", f"{words.short(value if known else None):<7}"
        used += len(label) + len(figure)
        if used > width:
            break
        line.append(Segment(label, palette.muted))
        line.append(Segment(figure, palette.graded(value) if known else palette.muted))
    return line


def histogram_lines(
    histogram: NDArray[np.generic], palette: Palette, width: int, height: int
) -> list[Line]:
    """The distribution over a logarithmic axis with its ticks; ``height`` includes them."""
    scale = LogScale(width)
    counts = scale.counts(histogram)
    most = counts.max() if len(counts) else 0.0
    shares = (np.sqrt(counts / most) if most else counts).tolist()
    at = np.geomspace(scale.low, scale.high, width + 1)
    runs = runs_of([palette.graded(ns) for ns in at[:-1].tolist()])
    rows = blocks.columns(shares, height - 1)
    lines = [styled(row, runs) for row in rows]
    return [*lines, [Segment(scale.ticks(), palette.muted)]]


class Latency(Drawn):
    """Of all tasks on all CPUs, in the time of one snapshot."""

    BORDER_TITLE = "woken → running"

    def caption(self) -> str:
        seen = self.timeline.shown.snapshot if self.timeline and self.timeline.shown else None
        if seen is None or seen.latency is None or not seen.seconds:
            return ""
        return f"{words.count(float(seen.latency.sum()) / seen.seconds)} wake-ups/s"

    def draw(self, width: int, height: int) -> Sequence[Line]:
        entry = self.timeline.shown if self.timeline else None
        if entry is None:
            return []
        pal, seen = self.palette, entry.snapshot
        if seen.latency is None:
            return [[Segment("not measured: ask as root", pal.muted)]]
        lines: list[Line] = [percentile_line(seen.latency, pal, width)]
        if height >= 3:
            lines += histogram_lines(seen.latency, pal, width, height - 1)
        return lines
