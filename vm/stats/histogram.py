"""Log-linear histograms of samples: made, put together, and read.

Eight buckets an octave, as the kernel's side of the probes counts them, so histograms of different
runs, machines and tools can be added. A figure read from one is off by an eighth of itself at most.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pyloader.probes.histogram import NR_BUCKETS, edges, percentiles

Counts = NDArray[np.uint64]

_EDGES = edges()


def of_samples(samples_ns: ArrayLike) -> Counts:
    """How many samples lie in each bucket: shape ``(NR_BUCKETS,)``.

    Samples below nothing count as nothing, those beyond the last bucket as in it, as in the kernel.
    """
    samples = np.asarray(samples_ns, np.float64)
    bucket = np.searchsorted(_EDGES, samples, side="right") - 1
    found = np.bincount(np.clip(bucket, 0, NR_BUCKETS - 1), minlength=NR_BUCKETS)
    return found.astype(np.uint64)


def merge(histograms: Iterable[Counts]) -> Counts:
    """All of them as one; empty without any."""
    return sum(histograms, np.zeros(NR_BUCKETS, np.uint64))


def quantiles(counts: Counts, shares: Sequence[float]) -> list[float]:
    """What each of the ``shares`` (0..1) of the samples stay below, in ns; NaN without samples."""
    return percentiles(counts, [100 * share for share in shares]) or [np.nan] * len(shares)
