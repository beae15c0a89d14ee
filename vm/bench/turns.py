"""Taking samples in turns, so that whatever disturbs the machine disturbs all alike."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

_T = TypeVar("_T")

Timed = Callable[[], float]
"""Does the work and returns how long it took, in ns for one time."""


def in_turns(
    takers: Mapping[str, Timed], rounds: int, tell: Callable[[int], None] | None = None
) -> dict[str, list[float]]:
    """``rounds`` samples of each, A B C A B C …; one round before them is thrown away.

    ``tell`` is told each round's number, from 1.
    """
    samples: dict[str, list[float]] = {name: [] for name in takers}
    for number in range(rounds + 1):
        if tell and number:
            tell(number)
        for name, take in takers.items():
            taken = take()
            if number:
                samples[name].append(taken)
    return samples


def repeated(work: Callable[[], object], times: int) -> Timed:
    """A sample is ``times`` times of ``work``, so that reading the clock does not count."""

    def take() -> float:
        started_ns = time.perf_counter_ns()
        for _ in range(times):
            work()
        return (time.perf_counter_ns() - started_ns) / times

    return take


def once(work: Callable[[], object]) -> Timed:
    """A sample is one time of ``work``."""
    return repeated(work, 1)


def turned(names: Sequence[_T], by: int) -> list[_T]:
    """Another goes first in each round."""
    at = by % len(names)
    return [*names[at:], *names[:at]]
