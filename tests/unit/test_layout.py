"""Where things lie: values and numpy dtypes against what the compiler laid out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from pyloader import dtypes, values
from pyloader.btf import Array, Int, Member, Opaque, Struct, Type
from pyloader.errors import BadValue
from pyloader.spec import ObjectSpec

SpecOf = Callable[[str], ObjectSpec]


@pytest.fixture
def layout(spec_of: SpecOf) -> ObjectSpec:
    return spec_of("host_layout")


def test_bit_fields_are_read_across_bytes_and_with_their_sign(layout: ObjectSpec) -> None:
    assert layout.variables["bits"].initial == {
        "one": 1,
        "five": 21,
        "minus": -33,
        "sixteen": 54321,
        "wide": 0xABCDEF0123,
        "wide_minus": -500_000,
        "last": 9,
    }


def test_packed_members_lie_side_by_side(layout: ObjectSpec) -> None:
    packed = layout.variables["packed"]
    assert packed.type.size == 11
    assert packed.initial == {"first": 1, "second": 0x1122334455667788, "third": 0x99AA}


def test_members_of_anonymous_structs_and_unions_are_members(layout: ObjectSpec) -> None:
    nested = layout.variables["nested"].initial
    assert nested["whole"] == 0x00020001
    assert (nested["low"], nested["high"]) == (1, 2)
    assert nested["rows"][1] == {"first": 4, "second": 5, "third": 6}
    assert nested["text"] == "four"
    assert nested["raw"] == [10, 20, 30]
    assert nested["pointer"] == 0


def test_arrays_of_arrays_keep_their_shape(layout: ObjectSpec) -> None:
    grid = layout.variables["grid"]
    assert grid.initial == [[[1, 2, 3], [4, 5, 6]], [[7, 8, 9], [10, 11, 12]]]
    assert dtypes.dtype_of(grid.type) == np.dtype(("u1", (2, 2, 3)))


def test_enumerator_below_zero_is_set_by_its_name(layout: ObjectSpec) -> None:
    level = layout.variables["level"]
    low = values.parse(level.type, "LOW")
    assert values.encode(level.type, low) == (-2).to_bytes(4, "little", signed=True)
    assert level.initial == low


def _types(spec: ObjectSpec) -> list[Type]:
    maps = [t for m in spec.maps.values() for t in (m.key_type, m.value_type)]
    return [*maps, *(v.type for v in spec.variables.values())]


@pytest.mark.parametrize("name", ["host_layout", "globals", "simple", "no_tags", "ringbuf"])
def test_dtypes_have_the_sizes_that_the_compiler_gave(name: str, spec_of: SpecOf) -> None:
    checked = 0
    for t in _types(spec_of(name)):
        assert dtypes.dtype_of(t).itemsize == t.size
        checked += not isinstance(t, Opaque)
    assert checked


def test_dtype_has_the_offsets_of_the_struct_without_its_bit_fields(layout: ObjectSpec) -> None:
    for name in ("bits", "packed", "nested"):
        t = layout.variables[name].type
        assert isinstance(t, Struct)
        plain = {m.name: m.offset_bits // 8 for m in t.fields() if not m.bits}
        fields = dtypes.dtype_of(t).fields
        assert fields is not None
        assert {n: f[1] for n, f in fields.items()} == plain
    bits = dtypes.dtype_of(layout.variables["bits"].type)
    assert bits.names == ("last",)


def _equal(read: Any, decoded: Any) -> bool:
    if isinstance(decoded, dict):
        return all(_equal(read[name], decoded[name]) for name in read.dtype.names)
    if isinstance(decoded, str):
        return bytes(read).split(b"\0")[0].decode() == decoded
    if isinstance(decoded, list):
        return len(read) == len(decoded) and all(map(_equal, read, decoded))
    return bool(read == decoded)


@pytest.mark.parametrize("name", ["host_layout", "globals", "no_tags"])
def test_numpy_reads_what_decode_reads(name: str, spec_of: SpecOf) -> None:
    for variable in spec_of(name).variables.values():
        raw = _raw(spec_of(name), variable.name)
        read = dtypes.view(variable.type, memoryview(raw))
        assert _equal(read[()], variable.initial), variable.name


def _raw(spec: ObjectSpec, name: str) -> bytes:
    """The bytes of a variable, taken from the ELF file without the code under test."""
    from pyloader.libbpf import elf_section

    variable = spec.variables[name]
    section = elf_section(spec.data, variable.section) or bytes(1 << 16)  # .bss has no bytes
    return section[variable.offset : variable.offset + variable.type.size]


def test_dtype_of_a_slot_is_as_wide_as_asked(spec_of: SpecOf) -> None:
    number = spec_of("globals").maps["counters"].key_type
    assert dtypes.dtype_of(number, 8).itemsize == 8
    sample = spec_of("globals").maps["samples"].value_type
    wider = dtypes.dtype_of(sample, sample.size + 8)
    assert wider.itemsize == sample.size + 8
    assert wider.names == dtypes.dtype_of(sample).names


def test_struct_cannot_be_set_as_a_whole(layout: ObjectSpec) -> None:
    with pytest.raises(BadValue, match="nested is struct nested"):
        values.encode(layout.variables["nested"].type, {}, "nested")


U32 = Int("u32", 4)


def test_struct_of_bit_fields_alone_keeps_its_size() -> None:
    bits = Struct("bits", 4, (Member("low", U32, 0, 3), Member("high", U32, 3, 5)))
    assert dtypes.dtype_of(bits).itemsize == 4
    assert dtypes.view(Array(bits, 3), memoryview(bytes(12))).shape == (3,)
    assert values.decode(bits, (0b10110_101).to_bytes(4, "little")) == {"low": 5, "high": 22}


@pytest.mark.parametrize("t", [Struct("empty", 0), Array(U32, 0), Array(Int("char", 1, True), 0)])
def test_type_without_bytes_is_an_empty_array(t: Type) -> None:
    assert dtypes.view(t, memoryview(b"")).size == 0


def test_integers_wider_than_python_structs_are_bytes() -> None:
    wide = Int("__int128", 16, signed=True)
    assert dtypes.dtype_of(wide) == np.dtype("V16")
    assert values.decode(wide, bytes(range(16))) == bytes(range(16))
    with pytest.raises(BadValue, match="x is s128"):
        values.encode(wide, 1, "x")


def test_empty_elements_make_an_empty_list_however_many() -> None:
    assert values.decode(Array(Opaque("void"), 1 << 40), b"") == []
