"""Many comparisons at once: what each p is worth among all of them.

Holm's step-down (Scandinavian Journal of Statistics 6, 1979): the chance of even one false alarm
in the whole family stays at ``ALPHA``, however the comparisons depend on each other.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

#: How often at most there may be any false alarm.
ALPHA = 0.05


def adjusted(p_values: ArrayLike) -> NDArray[np.float64]:
    """Each p as if it stood alone, shape as given ``(n,)``: compare with alpha itself."""
    p = np.asarray(p_values, np.float64)
    order = np.argsort(p, kind="stable")
    steps = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
    result = np.empty_like(p)
    result[order] = np.minimum(steps, 1.0)
    return result


def faced(p_values: ArrayLike, alpha: float = ALPHA) -> float:
    """The p at which one more would have been found: alpha over how many were left."""
    left = int((adjusted(p_values) > alpha).sum())
    return alpha / max(left, 1)
