"""How small a difference would have been found: what "no difference seen" is worth."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from vm.stats.ranks import critical

#: A difference of that size is found so often.
POWER = 0.8

_DRAWS = 1000


def could_have_seen(one: Sequence[float], other: Sequence[float], alpha: float) -> float | None:
    """The smallest ratio, at least 1, that would have been found at ``alpha`` with 80 % power.

    Runs are drawn anew from the spread of both sets around their medians, on a log scale, widened
    by what two estimated medians took from it. Mann and Whitney's test sees a shift as soon as
    enough pairs change places, so the shift that each draw needs is one of its sorted differences
    (no search): that which suffices in 80 % of the draws counts. Seeded. None if no shift can be
    seen with so few runs, or if some value is not positive.
    """
    n, m = len(one), len(other)
    wins = critical(n, m, alpha) if n and m else None
    if wins is None or min(*one, *other) <= 0:
        return None
    spreads = [np.log(values) - np.median(np.log(values)) for values in (one, other)]
    both = np.concatenate(spreads) * math.sqrt((n + m) / max(n + m - 2, 1))
    draw = np.random.default_rng(1)
    first = both[draw.integers(0, n + m, (_DRAWS, n))]
    second = both[draw.integers(0, n + m, (_DRAWS, m))]
    apart = (second[:, None, :] - first[:, :, None]).reshape(_DRAWS, n * m)
    needed = np.partition(apart, wins - 1, axis=1)[:, wins - 1]
    return math.exp(max(float(np.quantile(needed, POWER)), 0.0))
