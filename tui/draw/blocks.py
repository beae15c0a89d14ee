"""Vertical bars as block elements: one character a value, an eighth of one the resolution."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

EIGHTHS = " ▁▂▃▄▅▆▇█"


def block(share: float) -> str:
    """One character, full at 1; what is more than nothing is seen."""
    if share != share or share <= 0:
        return " "
    return EIGHTHS[max(1, min(8, round(share * 8)))]


def spark(values: Iterable[float], full: float) -> str:
    """A line of values on the fixed scale 0 to ``full``."""
    return "".join(block(value / full if full else 0.0) for value in values)


def columns(shares: Sequence[float], height: int) -> list[str]:
    """Lines, top first, of bars ``height`` lines high; ``shares`` are 0 to 1, one a column."""
    return [
        "".join(
            block(min(1.0, share * height - line)) if share * height > line else " "
            for share in shares
        )
        for line in range(height - 1, -1, -1)
    ]
