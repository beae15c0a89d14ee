"""How small a difference would have been found: what "no difference seen" is worth."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from vm.stats.strata import Strata, wins_needed

#: A difference of that size is found so often.
POWER = 0.8

_DRAWS = 1000


def could_have_seen(strata: Strata, alpha: float) -> float | None:
    """The smallest ratio, at least 1, that would have been found at ``alpha`` with 80 % power.

    Runs are drawn anew from the spread of both sets around their medians in each stratum, on a log
    scale, widened by what the estimated medians took from it. The rank test sees a shift as soon as
    enough pairs change places, so the shift that each draw needs is one of its sorted differences
    (no search): that which suffices in 80 % of the draws counts. Seeded. None if no shift can be
    seen with so few runs, or if some value is not positive.
    """
    sizes = strata.sizes
    wins = wins_needed(sizes, alpha)
    parts = [*strata.one, *strata.other]
    if wins is None or min(map(min, parts)) <= 0:
        return None
    spreads = np.concatenate([np.log(part) - np.median(np.log(part)) for part in parts])
    nr_runs = len(spreads)
    both = spreads * math.sqrt(nr_runs / max(nr_runs - len(parts), 1))
    draw = np.random.default_rng(1)
    apart: list[NDArray[np.float64]] = []
    for n, m in sizes:
        first = both[draw.integers(0, nr_runs, (_DRAWS, n))]
        second = both[draw.integers(0, nr_runs, (_DRAWS, m))]
        apart.append((second[:, None, :] - first[:, :, None]).reshape(_DRAWS, n * m))
    needed = np.partition(np.concatenate(apart, axis=1), wins - 1, axis=1)[:, wins - 1]
    return math.exp(max(float(np.quantile(needed, POWER)), 0.0))
