"""numpy dtypes from BTF types, and arrays over the memory of maps."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyloader import values
from pyloader.btf import Array, Struct, Type


def dtype_of(t: Type, size: int | None = None) -> np.dtype[Any]:
    """The dtype of a BTF type, ``size`` bytes apart (default: its own size).

    Scalars in native byte order, bool as ``?``, pointers as ``u8``; char arrays as
    ``S``; arrays as subarrays; structs with their members' names and offsets,
    padding included. Bit fields are left out (numpy has none): read those with
    ``values.decode``. Types without a value are raw bytes (``V``).
    """
    made = _dtype(t)
    if size is None or size == made.itemsize:
        return made
    if made.names is None:
        return np.dtype({"names": ["value"], "formats": [made], "offsets": [0], "itemsize": size})
    fields: Any = made.fields
    return np.dtype(
        {
            "names": list(made.names),
            "formats": [fields[name][0] for name in made.names],
            "offsets": [fields[name][1] for name in made.names],
            "itemsize": size,
        }
    )


def _dtype(t: Type) -> np.dtype[Any]:
    scalar = values.code(t)
    if scalar:
        return np.dtype(f"={scalar}" if scalar != "?" else "?")
    if isinstance(t, Array):
        if t.is_text:
            return np.dtype(f"S{t.count}")
        shape: list[int] = []
        inner: Type = t
        while isinstance(inner, Array) and not inner.is_text:
            shape.append(inner.count)
            inner = inner.element
        # One subarray of all dimensions: numpy does not join those of nested subarrays.
        return np.dtype((_dtype(inner), tuple(shape)))
    if isinstance(t, Struct):
        members = [m for m in t.fields() if not m.bits and m.type.size]
        return np.dtype(
            {
                "names": [m.name for m in members],
                "formats": [_dtype(m.type) for m in members],
                "offsets": [m.offset_bits // 8 for m in members],
                "itemsize": t.size,
            }
        )
    return np.dtype(f"V{t.size}")


def view(t: Type, memory: memoryview) -> NDArray[Any]:
    """An array over ``memory``, which holds one value of type ``t``; it keeps the memory alive."""
    base = dtype_of(t)
    if not base.base.itemsize:  # an empty struct, a text without room: numpy cannot count those
        return np.zeros(0, "u1")
    flat = np.frombuffer(memory, dtype=base.base, count=-1)
    return flat.reshape(base.shape)
