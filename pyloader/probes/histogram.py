"""The log-linear histograms of histogram.h: eight buckets an octave, in ns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

SUB_BITS, NR_OCTAVES = 3, 40
NR_BUCKETS = (NR_OCTAVES - SUB_BITS + 1) << SUB_BITS

#: Per cent of the samples that are smaller, and how many samples it takes to say so.
PERCENTILES = {50.0: 1, 90.0: 10, 99.0: 100, 99.9: 1000}


def edges() -> NDArray[np.float64]:
    """Where buckets begin, and where the last one ends: shape ``(NR_BUCKETS + 1,)``."""
    bucket = np.arange(NR_BUCKETS + 1)
    octave = np.maximum((bucket >> SUB_BITS) - 1, 0)
    place = np.where(bucket >> SUB_BITS, (1 << SUB_BITS) + (bucket & ((1 << SUB_BITS) - 1)), bucket)
    return place * 2.0**octave


_EDGES = edges()


def percentiles(counts: ArrayLike, wanted: Sequence[float]) -> list[float] | None:
    """The values below which so many per cent of the samples lie; None without any sample.

    ``counts`` has the shape ``(NR_BUCKETS,)``. Samples are taken to lie evenly within their bucket,
    so a value is off by an eighth of itself at most.
    """
    sums = np.cumsum(np.asarray(counts, np.float64))
    if not len(sums) or not sums[-1]:
        return None
    # Where a bucket without samples would leave it open, the lowest value counts.
    return [
        float(_EDGES[n] + (_EDGES[n + 1] - _EDGES[n]) * within)
        for n, within in (_place(sums, share * sums[-1] / 100) for share in wanted)
    ]


def percentile_of_each(counts: NDArray[np.generic], share: float) -> NDArray[np.float64]:
    """The same of many histograms at once: ``counts`` is ``(rows, NR_BUCKETS)``, the result
    ``(rows,)``; NaN where the samples are too few to say so (``PERCENTILES``)."""
    sums = np.cumsum(counts, axis=1, dtype=np.float64)
    total = sums[:, -1]
    below = share * total / 100
    n = np.minimum((sums < below[:, None]).sum(axis=1), NR_BUCKETS - 1)
    rows = np.arange(len(sums))
    upper = sums[rows, n]
    lower = np.where(n > 0, sums[rows, n - 1], 0.0)
    within = (below - lower) / np.maximum(upper - lower, 1.0)
    values = _EDGES[n] + (_EDGES[n + 1] - _EDGES[n]) * within
    return np.where(total >= PERCENTILES[share], values, np.nan)


def _place(sums: NDArray[np.float64], below: float) -> tuple[int, float]:
    n = min(int(np.searchsorted(sums, below)), len(sums) - 1)
    before = sums[n - 1] if n else 0.0
    count = sums[n] - before
    return n, (below - before) / count if count else 0.0


def to_json(counts: NDArray[np.uint64]) -> dict[str, Any]:
    """Samples and percentiles in µs; one that the samples are too few for is None."""
    samples = int(counts.sum())
    values = percentiles(counts, tuple(PERCENTILES)) or [0.0] * len(PERCENTILES)
    return {"samples": samples} | {
        f"p{share:g}_us".replace(".", ""): round(value / 1e3, 2) if samples >= least else None
        for (share, least), value in zip(PERCENTILES.items(), values, strict=True)
    }
