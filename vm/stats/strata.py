"""The same rank test within stretches of time, so that a host whose speed changes costs less.

Runs of a few repetitions that follow each other make a stratum. Only runs of one stratum are
compared with each other, and what they win is added up over all of them: van Elteren's combination
of Mann and Whitney's tests (Bulletin of the International Statistical Institute 37, 1960), here
with the same weight for each pair, as strata are of much the same size. What is slower for some
seconds, the whole host, then strikes both sides of each comparison. Strata of one repetition would
be pairs, whose sign test needs many more of them for a small p; strata of five keep nearly all of
it (ten runs of each: 0.00003, in place of 0.00001).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache, reduce

import numpy as np
from numpy.typing import NDArray

from vm.stats.ranks import RankTest, critical, mann_whitney, ways_to_win

#: A stratum has so many runs of each at least, and is closed as soon as it has.
SIZE = 5

#: How many runs of each a stratum has.
Sizes = tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Strata:
    """The values of two sets of runs, stretch by stretch of time: ``one`` and ``other`` have as
    many stretches, each with a run of both at least."""

    one: tuple[tuple[float, ...], ...]
    other: tuple[tuple[float, ...], ...]

    @property
    def sizes(self) -> Sizes:
        return tuple((len(a), len(b)) for a, b in zip(self.one, self.other, strict=True))

    @property
    def all_of_one(self) -> list[float]:
        return [value for part in self.one for value in part]

    @property
    def all_of_other(self) -> list[float]:
        return [value for part in self.other for value in part]


#: When a run was made, as a number that grows, and what it measured.
Timed = tuple[int, float]


def together(one: Sequence[float], other: Sequence[float]) -> Strata:
    """All in one stratum: for runs of which nothing is known but that they were made.

    ValueError if one of them is empty.
    """
    if not len(one) or not len(other):
        raise ValueError("a comparison needs a run of each")
    return Strata((tuple(map(float, one)),), (tuple(map(float, other)),))


def in_time(one: Sequence[Timed], other: Sequence[Timed], size: int = SIZE) -> Strata:
    """Stretches of time with ``size`` runs of each at least; what is left goes to the last.

    Runs with the same number stay together, so without times there is one stratum. ValueError if
    one of them is empty.
    """
    parts: list[tuple[list[float], list[float]]] = [([], [])]
    for time in sorted({time for time, _ in (*one, *other)}):
        if min(map(len, parts[-1])) >= size:
            parts.append(([], []))
        parts[-1][0].extend(value for at, value in one if at == time)
        parts[-1][1].extend(value for at, value in other if at == time)
    if len(parts) > 1 and min(map(len, parts[-1])) < size:
        for kept, left in zip(parts[-2], parts.pop(), strict=True):
            kept.extend(left)
    if not all(parts[-1]):
        raise ValueError("a comparison needs a run of each")
    return Strata(*(tuple(tuple(part[side]) for part in parts) for side in (0, 1)))


def rank_test(strata: Strata) -> RankTest:
    """Whether the runs of ``one`` lie above or below those of ``other``, two-sided."""
    if len(strata.sizes) == 1:
        return mann_whitney(strata.one[0], strata.other[0])
    parts = [
        ways_to_win(np.array(a), np.array(b)) for a, b in zip(strata.one, strata.other, strict=True)
    ]
    won = sum(won for won, _ in parts)
    pairs = sum(n * m for n, m in strata.sizes)
    chances = reduce(np.convolve, (chances for _, chances in parts))
    # By halves, as ranks of equal runs have them; the middle is one for each pair.
    far = np.abs(np.arange(len(chances)) - pairs) >= abs(won - pairs)
    return RankTest(float(min(1.0, chances[far].sum())), won / 2 / pairs)


def smallest_p(sizes: Sizes) -> float:
    """The p where all runs of one lie above all others of their stratum: there is none smaller."""
    return min(1.0, 2 / math.prod(math.comb(n + m, n) for n, m in sizes))


def sizes_of(n: int, size: int = SIZE) -> Sizes:
    """What ``in_time`` makes of ``n`` runs of each."""
    parts = [size] * (n // size) or [0]
    parts[-1] += n % size if n >= size else n
    return tuple((part, part) for part in parts)


def runs_needed(alpha: float) -> int:
    """How many runs of each it takes at least for a p of ``alpha``."""
    n = 1
    while smallest_p(sizes_of(n)) > alpha:
        n += 1
    return n


@lru_cache
def wins_needed(sizes: Sizes, alpha: float) -> int | None:
    """Of all pairs in strata of these sizes, how many at least the one must win for a p of at most
    ``alpha``, without ties; None if not even all are enough."""
    if len(sizes) == 1:
        return critical(*sizes[0], alpha)
    if smallest_p(sizes) > alpha:
        return None
    chances = reduce(np.convolve, (_chances_without_ties(n, m) for n, m in sizes))
    above = np.minimum(2 * np.cumsum(chances[::-1])[::-1], 1.0)
    more_than_half = np.arange(len(chances)) > (len(chances) - 1) / 2
    return int(np.argmax((above <= alpha * (1 + 1e-9)) & more_than_half))


def _chances_without_ties(n: int, m: int) -> NDArray[np.float64]:
    """How likely each number of pairs won is: shape ``(n * m + 1,)``."""
    _, chances = ways_to_win(np.arange(n, dtype=np.float64), np.arange(n, n + m, dtype=np.float64))
    return chances[::2]
