"""How sure a figure is: intervals by resampling the rounds it was measured in.

Percentile bootstrap (Efron and Tibshirani, An Introduction to the Bootstrap, 1993, chapter 13), the
same for the same samples. With few rounds it is little more than the smallest and the largest.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from random import Random

import numpy as np
from numpy.typing import NDArray

Interval = tuple[float, float]

#: Of the resampled figures this part lies inside the interval.
COVERED = 0.95

_RESAMPLES = 2000
_FEWEST = 3


def draws(rounds: int, seed: int = 1) -> Iterator[list[int]]:
    """2,000 times as many numbers of rounds as there are, with replacement."""
    random, numbers = Random(seed), range(rounds)
    return (random.choices(numbers, k=rounds) for _ in range(_RESAMPLES))


def spread(figures: Iterable[float], covered: float = COVERED) -> Interval:
    """Between which two of the ``figures`` that part of them lies."""
    ordered = sorted(figures)
    outside = round((1 - covered) / 2 * len(ordered))
    return ordered[outside], ordered[-1 - outside]


def of_ratio(values: Sequence[float], against: Sequence[float]) -> Interval | None:
    """The interval of the ratio of the two medians.

    Where there are as many of both, sample n of both was taken in round n, and rounds are drawn for
    both together. None if there are fewer than three of either, or a baseline of nothing.
    """
    if min(len(values), len(against)) < _FEWEST or not all(against):
        return None
    is_paired = len(values) == len(against)
    return spread((_medians(values, 1) / _medians(against, 1 if is_paired else 2)).tolist())


def of_median(values: Sequence[float]) -> Interval:
    """The interval of the median itself."""
    return spread(_medians(values, 1).tolist())


def _medians(values: Sequence[float], seed: int) -> NDArray[np.float64]:
    """The median of each draw."""
    return np.median(np.asarray(values, np.float64)[_drawn(len(values), seed)], axis=1)


@lru_cache
def _drawn(rounds: int, seed: int) -> NDArray[np.intp]:
    return np.array(list(draws(rounds, seed)))
