"""What a run measured, as JSON: arrays as base64 of their bytes."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vm.workloads.model import Outcome


def pack_outcome(outcome: Outcome) -> dict[str, Any]:
    """``{"metrics", "arrays": {"samples/NAME": {"dtype", "base64"}, "counts/NAME": …}}``."""
    arrays = {f"samples/{name}": np.asarray(a, np.int64) for name, a in outcome.samples.items()}
    counts = {f"counts/{name}": np.asarray(a, np.uint64) for name, a in outcome.counts.items()}
    return {
        "metrics": {name: float(value) for name, value in outcome.metrics.items()},
        "arrays": pack_arrays({**arrays, **counts}),
    }


def unpack_outcome(said: Mapping[str, Any]) -> Outcome:
    """The outcome of which ``pack_outcome`` made it."""
    arrays = unpack_arrays(said["arrays"])
    found: dict[str, dict[str, NDArray[Any]]] = {"samples": {}, "counts": {}}
    for name, array in arrays.items():
        kind, _, rest = name.partition("/")
        found[kind][rest] = array
    return Outcome(said["metrics"], found["samples"], found["counts"])


def pack_arrays(arrays: Mapping[str, NDArray[np.generic]]) -> dict[str, dict[str, str]]:
    """One-dimensional arrays of whole numbers."""
    return {
        name: {
            "dtype": array.dtype.newbyteorder("<").str,
            "base64": base64.b64encode(
                array.astype(array.dtype.newbyteorder("<")).tobytes()
            ).decode(),
        }
        for name, array in arrays.items()
    }


def unpack_arrays(said: Mapping[str, Mapping[str, str]]) -> dict[str, NDArray[Any]]:
    """The arrays of which ``pack_arrays`` made it.

    Raises:
        ValueError, TypeError, KeyError: it is none such.
    """
    return {
        name: np.frombuffer(base64.b64decode(one["base64"], validate=True), one["dtype"]).copy()
        for name, one in said.items()
    }
