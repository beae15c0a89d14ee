"""How often things happen: rates of counters that only grow."""

from __future__ import annotations

from collections.abc import Mapping


def rates(before: Mapping[str, int], now: Mapping[str, int], seconds: float) -> dict[str, float]:
    """How often a second, by name, of ``sysfs.events()`` before so many seconds and now.

    A counter that was not there before is left out, for then it is not known since when it counts;
    one that has become smaller belongs to another scheduler, and has counted from 0.
    """
    if seconds <= 0:
        return {}
    return {
        name: (count - before[name] if count >= before[name] else count) / seconds
        for name, count in now.items()
        if name in before
    }
