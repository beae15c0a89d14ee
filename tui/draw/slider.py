"""Where a knob stands within its range, and what a step of it is."""

from __future__ import annotations

import math
from typing import Any

from pyloader.view.scheduler import KnobState

STEPS = 40
_WIDE = 500  # a range of more than this many times its low end is a logarithmic one


def share(knob: KnobState, value: Any) -> float:
    """Where ``value`` lies in the range, 0 to 1."""
    low, high = float(knob.minimum), float(knob.maximum)
    if high <= low:
        return 0.0
    now = min(max(float(value), low), high)
    if _is_log(low, high):
        return (math.log(now + _base(low)) - math.log(low + _base(low))) / _decades(low, high)
    return (now - low) / (high - low)


def value_at(knob: KnobState, place: float) -> Any:
    """The value at ``place`` (0 to 1), rounded to what one can read; of the knob's type."""
    low, high = float(knob.minimum), float(knob.maximum)
    place = min(max(place, 0.0), 1.0)
    if isinstance(knob.default, bool):
        return place >= 0.5
    if place in (0.0, 1.0):
        return knob.maximum if place else knob.minimum
    if _is_log(low, high):
        found = math.exp(place * _decades(low, high) + math.log(low + _base(low))) - _base(low)
    else:
        found = low + place * (high - low)
    if isinstance(knob.default, float):
        return float(f"{found:.3g}")
    rounded = int(float(f"{found:.2g}"))
    return max(knob.minimum, min(knob.maximum, rounded))


def stepped(knob: KnobState, by: int) -> Any:
    """The value ``by`` steps of ``STEPS`` further, another one than now unless it is at the end."""
    if isinstance(knob.value, bool):
        return by > 0
    found = value_at(knob, share(knob, knob.value) + by / STEPS)
    if found == knob.value or (found > knob.value) != (by > 0):
        found = knob.value + (1 if by > 0 else -1)
    return max(knob.minimum, min(knob.maximum, found))


def drawn(knob: KnobState, width: int) -> str:
    """The range as a line, the default marked on it, and the knob where it stands."""
    if width < 3:
        return ""
    cells = ["─"] * width
    cells[round(share(knob, knob.default) * (width - 1))] = "┼"
    cells[round(share(knob, knob.value) * (width - 1))] = "●"
    return "".join(cells)


def _is_log(low: float, high: float) -> bool:
    return low >= 0 and high > _WIDE * max(low, 1.0)


def _base(low: float) -> float:
    return 0.0 if low > 0 else 1.0


def _decades(low: float, high: float) -> float:
    return math.log(high + _base(low)) - math.log(low + _base(low))
