"""Two clocks read together: where they part, somebody has set one of them."""

from __future__ import annotations

import time
from typing import Any

#: Seconds by which they may differ in a run without anybody's having set one: time daemons slew.
_TOLERATED_S = 0.1


class Clocks:
    """Wall and monotonic clock at one moment, ns."""

    def __init__(self) -> None:
        self.wall_ns = time.time_ns()
        self.monotonic_ns = time.monotonic_ns()

    def passed(self, whose: str) -> dict[str, Any]:
        """The start by both clocks, and by how much the wall clock has jumped, if it has."""
        jumped_s = (
            (time.time_ns() - self.wall_ns) - (time.monotonic_ns() - self.monotonic_ns)
        ) / 1e9
        found: dict[str, Any] = {
            f"{whose}_started_ns": self.wall_ns,
            f"{whose}_started_monotonic_ns": self.monotonic_ns,
        }
        if abs(jumped_s) > _TOLERATED_S:
            found[f"{whose}_clock_jumped_s"] = round(jumped_s, 3)
        return found
