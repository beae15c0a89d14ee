"""The time axis of latencies: logarithmic, from a microsecond up."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pyloader.probes.histogram import edges

_EDGES = edges()
#: What people feel: a millisecond, a report of a 125 Hz mouse, a frame at 60 Hz; in ns.
MARKS = {1e6: "1 ms", 8e6: "8 ms", 16.667e6: "frame"}


@dataclass(frozen=True)
class LogScale:
    """``width`` columns from ``low`` to ``high``, ns. What lies outside is in the outer ones."""

    width: int
    low: float = 1e3
    high: float = 1e8

    def column(self, ns: float) -> int:
        place = math.log(max(ns, 1.0) / self.low) / math.log(self.high / self.low)
        return max(0, min(self.width - 1, int(place * self.width)))

    def counts(self, histogram: NDArray[np.generic]) -> NDArray[np.float64]:
        """Samples in each column, shape ``(width,)``, spread evenly within their bucket."""
        sums = np.concatenate([[0.0], np.cumsum(histogram, dtype=np.float64)])
        at = np.geomspace(self.low, self.high, self.width + 1)
        at[0], at[-1] = _EDGES[0], _EDGES[-1]
        return np.diff(np.interp(at, _EDGES, sums))

    def ticks(self) -> str:
        """A line with a label at each decade that fits."""
        line = [" "] * self.width
        decade = self.low
        while decade < self.high:
            label, at = _label(decade), self.column(decade)
            if at + len(label) < self.width and all(
                c == " " for c in line[max(0, at - 1) : at + len(label) + 1]
            ):
                line[at : at + len(label)] = label
            decade *= 10
        return "".join(line)


def _label(ns: float) -> str:
    for unit, size in (("s", 1e9), ("ms", 1e6), ("µs", 1e3)):
        if ns >= size:
            return f"{ns / size:g}{unit}"
    return f"{ns:g}ns"
