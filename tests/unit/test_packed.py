"""Memory laid out as a BTF type, against numpy's way to do the same."""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyloader.btf import Array, Int, Member, Struct, Type
from pyloader.dtypes import dtype_of
from pyloader.packed import Packed

U8, U16, S32, U64 = Int("u8", 1), Int("u16", 2), Int("s32", 4, signed=True), Int("u64", 8)
SCALARS = st.sampled_from([U8, U16, S32, U64])


def struct_of(types: list[Type]) -> Struct:
    members: list[Member] = []
    at = 0
    for n, each in enumerate(types):
        members.append(Member(f"m{n}", each, at * 8))
        at += each.size + n % 2  # also with holes
    return Struct("made", at + 1, tuple(members))


TYPES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.builds(Array, inner, st.integers(1, 4)),
        st.lists(inner, min_size=1, max_size=4).map(struct_of),
    ),
    max_leaves=12,
).filter(lambda t: isinstance(t, Struct))


def fill(type_: Type, packed: Any, array: Any, number: int) -> int:
    keys = (
        range(type_.count)
        if isinstance(type_, Array)
        else [m.name for m in type_.fields()]
        if isinstance(type_, Struct)
        else []
    )
    for key in keys:
        inner = (
            type_.element
            if isinstance(type_, Array)
            else next(m.type for m in type_.fields() if m.name == key)  # type: ignore[union-attr]
        )
        if isinstance(inner, Int):
            number = (number * 5 + 3) % 120
            packed[key] = array[key] = number
            assert packed[key] == number
        else:
            number = fill(inner, packed[key], array[key], number)
    return number


@given(type_=TYPES, number=st.integers(0, 100))
def test_it_lays_out_as_numpy_does(type_: Type, number: int) -> None:
    packed, array = Packed(type_), np.zeros(1, dtype_of(type_))
    fill(type_, packed, array[0], number)
    assert packed.tobytes() == array.tobytes()


def test_what_does_not_fit_is_refused() -> None:
    made = Packed(Struct("s", 12, (Member("a", Array(U16, 4), 0), Member("b", S32, 64))))
    made["a"].put(1, [1, 2, 3])
    assert [made["a"][n] for n in range(len(made["a"]))] == [0, 1, 2, 3]
    made["b"] = -5
    assert made["b"] == -5
    made["a"].put(4, [])
    with pytest.raises(IndexError):
        made["a"].put(2, [1, 2, 3])
    with pytest.raises(IndexError):
        made["a"][4] = 1
    with pytest.raises(struct.error):
        made["a"][0] = 1 << 16
    with pytest.raises(KeyError):
        made["c"] = 1
    with pytest.raises(TypeError):
        made["a"] = 1
    with pytest.raises(TypeError):
        made[0] = 1
    with pytest.raises(TypeError):
        made["a"]["x"] = 1
