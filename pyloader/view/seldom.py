"""Things that are looked at less often than the screen is drawn."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Generic, TypeVar

_T = TypeVar("_T")


class Seldom(Generic[_T]):
    """Calls ``read`` once in ``seconds`` at most; between that, what it said last holds."""

    def __init__(
        self,
        read: Callable[[], _T],
        seconds: float = 1.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._read, self._seconds, self._clock = read, seconds, clock
        self._said: tuple[float, _T] | None = None

    def __call__(self) -> _T:
        now = self._clock()
        # A tenth less, lest a look every second should find it too early every other time.
        if self._said is None or now - self._said[0] >= 0.9 * self._seconds:
            self._said = now, self._read()
        return self._said[1]
