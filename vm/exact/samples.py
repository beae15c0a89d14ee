"""What an exact run's samples are as a whole: their hash, and where two of them part."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vm.workloads.model import Outcome

Arrays = Mapping[str, NDArray[Any]]


def arrays_of(outcome: Outcome) -> dict[str, NDArray[Any]]:
    """``samples/NAME`` (int64, ns) and ``counts/NAME`` (uint64), as in a result file."""
    samples = {f"samples/{name}": np.asarray(a, np.int64) for name, a in outcome.samples.items()}
    counts = {f"counts/{name}": np.asarray(a, np.uint64) for name, a in outcome.counts.items()}
    return {**samples, **counts}


def samples_sha256(arrays: Arrays) -> str:
    """SHA-256 in hex of all arrays, in the order of their names: for each a line
    ``NAME DTYPE LENGTH\\n`` (``samples/loaded <i8 1500``), and its numbers in little-endian bytes.

    So it can be told from the arrays in a result file that they are those of the run.
    """
    digest = hashlib.sha256()
    for name in sorted(arrays):
        array = arrays[name]
        little = array.astype(array.dtype.newbyteorder("<"))
        digest.update(f"{name} {little.dtype.str} {len(little)}\n".encode())
        digest.update(little.tobytes())
    return digest.hexdigest()


def difference(read: Callable[[str], Outcome], one: Sequence[str], other: Sequence[str]) -> str:
    """Where what a program said under one seed parts from what it said again, in words."""
    try:
        a, b = read("\n".join(one)), read("\n".join(other))
    except ValueError as error:
        return f"what the program printed makes no sense once ({error})"
    for name in dict.fromkeys((*a.samples, *b.samples)):
        first, second = (outcome.samples.get(name, np.zeros(0, np.int64)) for outcome in (a, b))
        shared = min(len(first), len(second))
        parted = np.flatnonzero(first[:shared] != second[:shared])
        if len(parted):
            at = int(parted[0])
            return f"sample {at} of {name} was {first[at]} ns and then {second[at]} ns"
        if len(first) != len(second):
            return f"there were {len(first)} samples of {name} and then {len(second)}"
    for name in a.metrics:
        if a.metrics[name] != b.metrics.get(name):
            return f"{name} was {a.metrics[name]:.12g} and then {b.metrics.get(name, 0):.12g}"
    for line, again in zip(one, other, strict=False):
        if line != again:
            return f"the program said {line[:60]!r} and then {again[:60]!r}"
    return "something other than a sample differs"
