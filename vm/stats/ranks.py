"""Whether two sets of runs differ, by their ranks alone.

Mann and Whitney's U (Annals of Mathematical Statistics 18, 1947), two-sided. Up to ``EXACT`` runs
in all its distribution is counted, with ties as well: of all ways to deal the ranks out, the share
that is at least as far from the middle (the shift algorithm of Streitberg and Röhmel, Statistical
Software Newsletter 12, 1986). Beyond that the normal approximation, with Lehmann's correction for
ties (Nonparametrics, 1975, section 1.4) and for continuity.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

#: Up to so many runs of both together, every way to deal them out is counted.
EXACT = 60


@dataclass(frozen=True)
class RankTest:
    """``p``: how often chance alone puts two sets at least so far apart. ``above``: how often a run
    of the first lies above one of the second, equal ones counted by half: 0.5 is no difference."""

    p: float
    above: float


def mann_whitney(one: ArrayLike, other: ArrayLike, *, is_exact: bool | None = None) -> RankTest:
    """Whether runs of ``one``, shape ``(n,)``, lie above or below those of ``other``, ``(m,)``.

    ``is_exact`` chooses between counting and the approximation in place of ``EXACT``. ValueError if
    one of them is empty.
    """
    first, second = np.asarray(one, np.float64), np.asarray(other, np.float64)
    n, m = len(first), len(second)
    if not n or not m:
        raise ValueError("a comparison needs a run of each")
    ranks = doubled_ranks(np.concatenate([first, second]))
    total = int(ranks[:n].sum())
    above = (total - n * (n + 1)) / 2 / (n * m)
    if n + m <= EXACT if is_exact is None else is_exact:
        return RankTest(_counted(tuple(ranks.tolist()), n, total), above)
    return RankTest(_approximate(ranks, n, m, above), above)


def doubled_ranks(values: NDArray[np.float64]) -> NDArray[np.int64]:
    """Twice the rank of each value from 1 on, so that the mean rank of equal ones is whole."""
    _, of_each, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    return (2 * last - counts + 1)[of_each].astype(np.int64)


def smallest_p(n: int, m: int) -> float:
    """The p of ``n`` runs that all lie above all ``m`` others: there is none smaller."""
    return min(1.0, 2 / math.comb(n + m, n))


def ways_to_win(
    one: NDArray[np.float64], other: NDArray[np.float64]
) -> tuple[int, NDArray[np.float64]]:
    """Twice the pairs that runs of ``one``, shape ``(n,)``, win against ``other``, ``(m,)``, equal
    ones by half; and how likely each such number is by chance alone, shape ``(2 * n * m + 1,)``."""
    n, m = len(one), len(other)
    if n > m:  # what the others do not win; of the fewer there are fewer ways to choose
        won, chances = ways_to_win(other, one)
        return 2 * n * m - won, chances[::-1]
    ranks = doubled_ranks(np.concatenate([one, other]))
    ways = _ways(tuple(sorted(ranks.tolist())), n)
    least = n * (n + 1)  # twice the sum of ranks of those that win nothing
    chances = ways[least : least + 2 * n * m + 1] / math.comb(n + m, n)
    return int(ranks[:n].sum()) - least, chances


@lru_cache
def critical(n: int, m: int, alpha: float) -> int | None:
    """Of the ``n * m`` pairs, how many at least the one must win for a p of at most ``alpha``,
    without ties; None if not even all are enough."""
    if smallest_p(n, m) > alpha:
        return None
    if n + m > EXACT:
        spread = math.sqrt(n * m * (n + m + 1) / 12)
        wins = np.arange(n * m + 1)
        p = np.array([_two_sided(abs(w - n * m / 2), spread) for w in wins])
    else:
        ways = _ways(tuple(range(1, n + m + 1)), n)[n * (n + 1) // 2 :][: n * m + 1]
        above = np.cumsum(ways[::-1])[::-1] / math.comb(n + m, n)
        p = np.minimum(2 * above, 1.0)
    return int(np.argmax((p <= alpha * (1 + 1e-9)) & (np.arange(n * m + 1) > n * m / 2)))


def _counted(ranks: tuple[int, ...], n: int, total: int) -> float:
    """The share of ways to choose ``n`` of the ranks whose sum is as far from the mean."""
    if len(set(ranks)) == 1:
        return 1.0
    # Without ties all of them are even: half as much to count.
    unit = math.gcd(*ranks)
    ways = _ways(tuple(sorted(rank // unit for rank in ranks)), n)
    everything = sum(ranks) // unit
    # Whole numbers: the distance from the mean, n / len(ranks) of everything, len(ranks) times.
    far = np.abs(np.arange(len(ways)) * len(ranks) - n * everything)
    extreme = far >= abs(total // unit * len(ranks) - n * everything)
    return float(min(1.0, ways[extreme].sum() / math.comb(len(ranks), n)))


@lru_cache
def _ways(ranks: tuple[int, ...], n: int) -> NDArray[np.float64]:
    """In how many ways ``n`` of the ranks have each sum: shape ``(sum(ranks) + 1,)``."""
    ways = np.zeros((n + 1, sum(ranks) + 1))
    ways[0, 0] = 1
    for rank in ranks:
        ways[1:, rank:] += ways[:-1, : ways.shape[1] - rank].copy()
    return ways[n]


def _approximate(ranks: NDArray[np.int64], n: int, m: int, above: float) -> float:
    both = n + m
    _, ties = np.unique(ranks, return_counts=True)
    ties = ties.astype(np.float64)
    tied = float((ties**3 - ties).sum()) / (both * (both - 1))
    spread = math.sqrt(max(n * m / 12 * (both + 1 - tied), 0.0))
    return _two_sided(abs(above - 0.5) * n * m, spread)


def _two_sided(away: float, spread: float) -> float:
    """How often a normal variable is so far away or further, in whole steps."""
    if not spread:
        return 1.0
    return min(1.0, math.erfc(max(away - 0.5, 0.0) / spread / math.sqrt(2)))
