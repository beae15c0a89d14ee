"""Spans of time to scale, one a line: from when on something waited, and when it ran."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tui.draw import words

_LABEL = 9  # columns that a label of the axis has at least
#: Of what the axis has a label, and where it may end, times a power of ten.
_STEPS, _ENDS = (1.0, 2.0, 5.0, 10.0), (1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0)


@dataclass(frozen=True)
class TimeScale:
    """``width`` columns from 0 to ``until`` ns, which is a round number, so that the next event
    is mostly on the same scale."""

    width: int
    until: float

    @classmethod
    def over(cls, width: int, longest: float) -> TimeScale:
        """As short as will do for times up to ``longest``."""
        return cls(width, rounded_up(max(longest, 1e3), _ENDS))

    def halves(self, ns: float) -> int:
        """In half columns."""
        return max(0, min(2 * self.width, round(2 * self.width * ns / self.until)))

    def axis(self) -> str:
        """A line with round times where they are."""
        step = rounded_up(self.until * _LABEL / self.width, _STEPS) if self.width else self.until
        line = ""
        ns = 0.0
        while ns < self.until:
            at, label = self.halves(ns) // 2, f"╷{words.short(ns) if ns else '0'}"
            if at + len(label) > self.width:
                break
            line = line.ljust(at) + label
            ns += step
        return line.ljust(self.width)

    def span(self, woken: float, ran: float | None, until: float) -> tuple[str, str, str]:
        """What stands before it, its waiting, and its running, as characters, no more than
        ``width`` in all; ``ran`` is None of one that waits still. Who ran is seen."""
        first = self.halves(woken)
        if ran is None:
            gap = min(first // 2, max(0, self.width - 1))
            return " " * gap, "░" * (self.width - gap), ""
        starts = min(self.halves(ran), max(0, 2 * self.width - 1))
        ends = min(max(self.halves(until), starts + 1), 2 * self.width)
        column = starts // 2
        if ends - starts == 1:
            runs = "▐" if starts % 2 else "▌"
        else:
            runs = "▐" * (starts % 2) + "█" * (ends // 2 - (starts + 1) // 2) + "▌" * (ends % 2)
        gap = min((first + 1) // 2, column)
        return " " * gap, "░" * (column - gap), runs if self.width else ""


def rounded_up(ns: float, rounds: Sequence[float]) -> float:
    """To the next power of ten times one of ``rounds``, the last of which is 10."""
    power = 1.0
    while power * 10 <= ns:
        power *= 10
    return next(n * power for n in rounds if n * power >= ns)
