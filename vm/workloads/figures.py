"""Metrics that several workloads have: quantiles of latencies, context switches."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vm.workloads.model import Metric

_SHARES = {"p50": 0.5, "p99": 0.99, "p999": 0.999, "max": 1.0}
_WORDS = {"p50": "median", "p99": "99th percentile", "p999": "99.9th percentile", "max": "longest"}

SWITCHES = Metric(
    "switches_per_s", "1/s", "less", "count", "context switches of the whole machine in a second"
)


def quantile_metrics(prefix: str, about: str) -> tuple[Metric, ...]:
    """``PREFIXp50_ns`` … ``PREFIXmax_ns``; ``about`` ends the phrase "median of the"."""
    return tuple(
        Metric(f"{prefix}{name}_ns", "ns", "less", "latency", f"{words} of the {about}")
        for name, words in _WORDS.items()
    )


def quantiles(samples: NDArray[np.int64], prefix: str = "", name: str = "") -> dict[str, float]:
    """The figures that ``quantile_metrics`` declares, in ns, from samples of shape ``(n,)``.

    A quantile is the smallest sample that at least so many of all do not exceed (nearest rank).

    Raises:
        ValueError: there are no samples, called ``name``.
    """
    if not len(samples):
        raise ValueError(f"there is not one sample {name}".rstrip())
    ordered = np.sort(samples)
    return {
        f"{prefix}{key}_ns": float(ordered[max(-int(-share * len(ordered) // 1), 1) - 1])
        for key, share in _SHARES.items()
    }


def median(samples: NDArray[np.int64], name: str = "") -> float:
    """That of ``quantiles`` alone, in ns; raises the same."""
    return quantiles(samples, "", name)["p50_ns"]
