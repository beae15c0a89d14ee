"""Values: bytes to Python and back, and what a user may type for them."""

from __future__ import annotations

import struct
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pyloader import values
from pyloader.btf import Array, Enum, Float, Int, Pointer, Struct, Type
from pyloader.errors import BadValue

BOOL = Int("_Bool", 1, is_bool=True)
CHAR = Int("char", 1, signed=True)
U8, U16, U32, U64 = (Int(f"u{size * 8}", size) for size in (1, 2, 4, 8))
S8, S16, S32, S64 = (Int(f"s{size * 8}", size, signed=True) for size in (1, 2, 4, 8))
INTS = [U8, U16, U32, U64, S8, S16, S32, S64]
COLOUR = Enum("colour", 4, False, (("RED", 0), ("GREEN", 5), ("BLUE", 4294967293)))
SIGNED = Enum("sign", 4, True, (("LESS", -1), ("MORE", 1)))


def _bounds(t: Type) -> tuple[int, int]:
    bits = t.size * 8
    signed = isinstance(t, Int | Enum) and t.signed
    return (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1)


@st.composite
def typed_values(draw: st.DrawFn) -> tuple[Type, Any]:
    """A scalar type and a value that it holds."""
    t = draw(st.sampled_from([*INTS, BOOL, COLOUR, SIGNED, Pointer(), Float("double", 8)]))
    if t == BOOL:
        return t, draw(st.booleans())
    if isinstance(t, Float):
        return t, draw(st.floats(allow_nan=False))
    return t, draw(st.integers(*_bounds(t)))


@given(typed_values())
def test_scalars_come_back_as_they_went(pair: tuple[Type, Any]) -> None:
    t, value = pair
    raw = values.encode(t, value)
    assert len(raw) == t.size
    back = values.decode(t, raw)
    assert back == value
    assert type(back) is type(value)


@given(st.sampled_from(INTS), st.data())
def test_integers_are_stored_in_the_machines_order(t: Int, data: st.DataObject) -> None:
    value = data.draw(st.integers(*_bounds(t)))
    assert values.encode(t, value) == value.to_bytes(t.size, "little", signed=t.signed)


@given(st.sampled_from([*INTS, COLOUR, SIGNED]), st.integers(min_value=1))
def test_integers_past_the_ends_of_their_type_are_refused(t: Type, past: int) -> None:
    least, greatest = _bounds(t)
    for value in (least - past, greatest + past):
        with pytest.raises(BadValue, match=f"x={value} does not fit .*{least} to {greatest}"):
            values.encode(t, value, "x")


@pytest.mark.parametrize("value", ["5", None, 1.5, [1], {}, b"1"])
@pytest.mark.parametrize("t", [U64, S8, COLOUR, BOOL])
def test_what_is_no_whole_number_is_refused(t: Type, value: Any) -> None:
    with pytest.raises(BadValue, match="takes a whole number"):
        values.encode(t, value, "x")


@pytest.mark.parametrize("t", [Pointer(), Float("double", 8), Float("float", 4)])
def test_text_for_a_number_is_refused(t: Type) -> None:
    with pytest.raises(BadValue, match="x='5' does not fit"):
        values.encode(t, "5", "x")


@given(
    st.lists(st.lists(st.integers(*_bounds(S16)), min_size=3, max_size=3), min_size=2, max_size=2)
)
def test_arrays_come_back_with_their_shape(value: list[list[int]]) -> None:
    t = Array(Array(S16, 3), 2)
    assert values.decode(t, values.encode(t, value)) == value


@pytest.mark.parametrize("value", [[], [1], [1, 2, 3], 7, "ab"])
def test_array_of_another_length_is_refused(value: Any) -> None:
    with pytest.raises(BadValue, match=r"x is u8\[2\] and takes a list of 2 values"):
        values.encode(Array(U8, 2), value, "x")


def test_bad_element_is_named() -> None:
    with pytest.raises(BadValue, match=r"x\[1\]=256 does not fit u8"):
        values.encode(Array(U8, 2), [1, 256], "x")


@given(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=15))
def test_text_that_fits_comes_back_and_longer_text_is_refused(text: str) -> None:
    t = Array(CHAR, 16)
    if len(text.encode()) < 16:
        assert values.decode(t, values.encode(t, text)) == text
    else:
        with pytest.raises(BadValue, match="at most 15 bytes"):
            values.encode(t, text, "x")


@given(st.binary(min_size=16, max_size=16))
def test_any_bytes_decode_as_text_and_as_numbers(raw: bytes) -> None:
    assert "\0" not in values.decode(Array(CHAR, 16), raw)
    assert values.decode(Array(U64, 2), raw) == list(struct.unpack("=2Q", raw))


@given(st.sampled_from(INTS), st.data())
def test_typed_integers_are_read_in_any_base(t: Int, data: st.DataObject) -> None:
    value = data.draw(st.integers(*_bounds(t)))
    for text in (str(value), hex(value), bin(value), oct(value), f" {value} "):
        assert values.parse(t, text) == value


@pytest.mark.parametrize(
    ("text", "unit", "value"),
    [
        ("20ms", "us", 20_000),
        ("20 ms", "us", 20_000),
        ("1s", "ns", 1_000_000_000),
        ("1.5ms", "us", 1500),
        ("0.001s", "ms", 1),
        ("5000ns", "us", 5),
        ("1_000", "us", 1000),
        ("007", "", 7),
        ("0x1f", "", 31),
        ("-3", "", -3),
    ],
)
def test_integers_and_times_as_users_type_them(text: str, unit: str, value: int) -> None:
    assert values.parse(S64, text, "x", unit) == value


@pytest.mark.parametrize("text", ["", "abc", "1.5", "1e3", "0x", "5 apples", "--1", "1,2", "∞"])
def test_what_is_no_number_is_refused_with_the_words_of_the_user(text: str) -> None:
    with pytest.raises(BadValue, match=r"slice_us is u64 .*takes a whole number, not"):
        values.parse(U64, text, "slice_us", "us")


def test_time_for_a_knob_without_a_time_unit_is_refused() -> None:
    with pytest.raises(BadValue, match="takes a whole number, not '5ms'"):
        values.parse(U32, "5ms", "nr_layers", "")


def test_time_finer_than_the_unit_is_refused() -> None:
    with pytest.raises(BadValue, match="counted in us; 1500ns is not a whole number of them"):
        values.parse(U64, "1500ns", "slice_us", "us")


@pytest.mark.parametrize("text", ["on", "ON", "true", "yes", "1", " on "])
def test_switch_is_turned_on(text: str) -> None:
    assert values.parse(BOOL, text) is True


@pytest.mark.parametrize("text", ["off", "False", "no", "0"])
def test_switch_is_turned_off(text: str) -> None:
    assert values.parse(BOOL, text) is False


@pytest.mark.parametrize("text", ["2", "", "maybe", "onn"])
def test_switch_takes_nothing_else(text: str) -> None:
    with pytest.raises(BadValue, match="fifo is a switch and takes on or off"):
        values.parse(BOOL, text, "fifo")


def test_enumerators_are_read_by_name_or_number() -> None:
    assert values.parse(COLOUR, "GREEN") == 5
    assert values.parse(SIGNED, "LESS") == -1
    assert values.parse(COLOUR, "5") == 5
    with pytest.raises(BadValue, match="colour is enum colour"):
        values.parse(COLOUR, "MAUVE", "colour")


def test_lists_are_separated_by_commas() -> None:
    assert values.parse(Array(U8, 3), "1, 0x2,3") == [1, 2, 3]


def test_struct_cannot_be_typed() -> None:
    with pytest.raises(BadValue, match="x is struct point"):
        values.parse(Struct("point", 8), "1", "x")


ANY_TYPE = st.sampled_from([*INTS, BOOL, COLOUR, SIGNED, Float("double", 8), Array(U8, 2)])
NEARLY_NUMBERS = st.text("0123456789_.,xabenmus- ", max_size=10)


@given(ANY_TYPE, st.text(max_size=20) | NEARLY_NUMBERS, st.sampled_from(["", "us", "ns", "pages"]))
@example(U64, "9" * 5000, "us")
@example(U64, "1__0ms", "us")
@example(U64, "_ms", "us")
def test_whatever_is_typed_is_a_value_or_a_bad_value(t: Type, text: str, unit: str) -> None:
    try:
        value = values.parse(t, text, "x", unit)
        values.encode(t, value, "x")
    except BadValue as refused:
        said = str(refused)
        ours = said.startswith(("x ", "x=", "x["))
        assert ours, said
