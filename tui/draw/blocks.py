"""Vertical bars as block elements: one character a value, an eighth of one the resolution."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

EIGHTHS = " ▁▂▃▄▅▆▇█"
_BLOCKS = np.array(list(EIGHTHS))


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
    if not len(shares):
        return [""] * height
    above = np.nan_to_num(np.asarray(shares)) * height - np.arange(height - 1, -1, -1)[:, None]
    eighths = np.where(above > 0, np.clip(np.rint(above * 8), 1, 8), 0).astype(np.intp)
    return _BLOCKS[eighths].view(f"U{len(shares)}")[:, 0].tolist() if height > 0 else []
