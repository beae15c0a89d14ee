"""The arrays of all runs in one npz file, each named after its run: ``run000012/samples/late``.

Histograms are stored as they are, compressed: 500 of them, 103 of whose 304 buckets had samples,
took 450 bytes each; only the buckets with samples, 580 compressed and 1,100 not.
"""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyloader.probes.histogram import NR_BUCKETS
from vm.results.entries import Malformed
from vm.results.model import Arrays, Run

_NAME = re.compile(r"run(\d{6,})/((?:samples|counts)/[\w.-]+)")

#: What numpy raises for bytes that are no npz file of plain arrays.
_UNREADABLE = (
    ValueError,
    OSError,
    EOFError,
    KeyError,
    SyntaxError,
    MemoryError,
    RuntimeError,
    zipfile.BadZipFile,
    zlib.error,
)


def packed(runs: Sequence[Run]) -> bytes | None:
    """All arrays as the bytes of an npz file; None if there are none.

    TypeError if one is no array of a run, see ``vm.results.model.Run``.
    """
    named: dict[str, Any] = {}
    for number, run in enumerate(runs):
        for name, array in run.arrays.items():
            whole = f"run{number:06d}/{name}"
            if not _NAME.fullmatch(whole) or not _is_right(name, array):
                raise TypeError(
                    f"a result file holds no array {name!r} of {array.dtype} {array.shape}"
                )
            named[whole] = array
    if not named:
        return None
    raw = io.BytesIO()
    np.savez_compressed(raw, **named)
    return raw.getvalue()


def unpacked(raw: bytes | None, nr_runs: int) -> list[Arrays]:
    """The arrays of each run, by name; Malformed if ``raw`` is no such file."""
    found: list[dict[str, NDArray[np.generic]]] = [{} for _ in range(nr_runs)]
    if raw is None:
        return list(found)
    try:
        with np.load(io.BytesIO(raw), allow_pickle=False) as archive:
            for whole in archive.files:
                match = _NAME.fullmatch(whole)
                if not match or int(match[1]) >= nr_runs:
                    raise Malformed(f"has arrays of no run of it: {whole!r}")
                array: NDArray[np.generic] = archive[whole]
                if not _is_right(match[2], array):
                    raise Malformed(f"has no histogram and no samples in {whole!r}")
                found[int(match[1])][match[2]] = array
    except Malformed:
        raise
    except _UNREADABLE as error:
        raise Malformed(f"has arrays that cannot be read ({error})") from None
    return list(found)


def _is_right(name: str, array: NDArray[np.generic]) -> bool:
    if name.startswith("counts/"):
        return array.shape == (NR_BUCKETS,) and array.dtype == np.uint64
    return array.ndim == 1 and array.dtype == np.int64
