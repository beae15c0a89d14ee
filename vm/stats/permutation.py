"""Whether one set of values is larger on average: dealt out anew, how often is it as large?"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

_DRAWS = 2000


def larger_on_average(one: ArrayLike, other: ArrayLike) -> float:
    """The share of ways to deal all values out anew in which the mean of ``one``, shape ``(n,)``,
    exceeds that of ``other``, ``(m,)``, by at least as much as it does.

    Fisher's test, one-sided, of 2,000 seeded draws. 1.0 without any of ``other``; ValueError
    without any of ``one``. For values each of which is a measurement of its own, as the stretches
    between swaps are; for runs see ``vm.stats.ranks``.
    """
    first, second = np.asarray(one, np.float64), np.asarray(other, np.float64)
    n, m = len(first), len(second)
    if not n:
        raise ValueError("a mean needs values")
    if not m:
        return 1.0
    everything = np.concatenate([first, second])
    draw = np.random.default_rng(1)
    dealt = draw.permuted(np.broadcast_to(everything, (_DRAWS, n + m)), axis=1)
    # With as many of each in all draws, a larger sum of the first is a larger difference of means.
    enough = first.sum() - 1e-12 * np.abs(everything).sum()
    hits = int((dealt[:, :n].sum(axis=1) >= enough).sum())
    return (hits + 1) / (_DRAWS + 1)
