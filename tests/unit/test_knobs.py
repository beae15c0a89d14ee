"""Knobs: ranges, types and units, and how they are read from tags."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyloader import tags, values
from pyloader.btf import Array, DataVar, Int, Struct, Type
from pyloader.errors import BadValue, UnknownName
from pyloader.spec import ObjectSpec
from pyloader.tags import Knob

SpecOf = Callable[[str], ObjectSpec]
U64, S64 = Int("u64", 8), Int("s64", 8, signed=True)
BOOL = Int("_Bool", 1, is_bool=True)


def _knob(t: Type, default: Any, low: Any, high: Any, unit: str = "") -> Knob:
    return Knob("k", t, default, low, high, unit, "doc", False, ".data", 0)


RANGES = st.tuples(st.integers(-(2**63), 2**63 - 1), st.integers(-(2**63), 2**63 - 1)).map(sorted)


@given(RANGES, st.integers(-(2**64), 2**64))
def test_value_is_taken_exactly_if_it_is_in_the_range(limits: list[int], value: int) -> None:
    low, high = limits
    knob = _knob(S64, low, low, high)
    if low <= value <= high:
        assert knob.check(value) == value
        assert knob.parse(str(value)) == value
    else:
        with pytest.raises(BadValue):
            knob.check(value)


def test_ends_of_the_range_belong_to_it() -> None:
    knob = _knob(S64, -5, -10, 10)
    assert [knob.parse(text) for text in ("-10", "10")] == [-10, 10]
    for outside in ("-11", "11"):
        with pytest.raises(BadValue, match=f"k={outside} is out of range: it takes -10 to 10$"):
            knob.parse(outside)


def test_unsigned_64_bits_reach_to_their_end() -> None:
    greatest = 2**64 - 1
    knob = _knob(U64, 0, 0, greatest)
    assert knob.parse(str(greatest)) == greatest
    assert values.encode(U64, knob.parse(hex(greatest))) == b"\xff" * 8
    for outside in (greatest + 1, -1):
        with pytest.raises(BadValue, match=f"k={outside} does not fit u64"):
            knob.parse(str(outside))


def test_range_is_told_in_the_unit_of_the_knob() -> None:
    with pytest.raises(BadValue, match="k=1000000 is out of range: it takes 100 to 100000 us"):
        _knob(U64, 5000, 100, 100_000, "us").parse("1s")


def test_switch_is_a_knob_too() -> None:
    knob = _knob(BOOL, False, False, True)
    assert knob.parse("on") is True
    assert knob.check(False) is False
    with pytest.raises(BadValue, match="switch"):
        knob.parse("2")


@pytest.mark.parametrize("value", ["5", None, 5.0, [5]])
def test_value_of_another_type_is_refused(value: Any) -> None:
    with pytest.raises(BadValue, match="takes a whole number"):
        _knob(U64, 5, 1, 9).check(value)


def test_typed_values_are_checked_by_the_knobs_of_the_object(spec_of: SpecOf) -> None:
    simple = spec_of("simple")
    assert simple.parse_values({"slice_us": "20ms", "fifo": "on"}) == {
        "slice_us": 20_000,
        "fifo": True,
    }
    with pytest.raises(BadValue, match="slice_us=1 is out of range: it takes 100 to 100000 us"):
        simple.parse_values({"slice_us": "1"})
    with pytest.raises(UnknownName, match=r"no knob is called 'slice'; did you mean slice_us\?"):
        simple.parse_values({"slice": "1"})


def test_variables_without_tags_are_typed_by_btf(spec_of: SpecOf) -> None:
    foreign = spec_of("no_tags")
    parsed = foreign.parse_values({"mode": "MODE_LAST", "smt_enabled": "off", "slice_ns": "5"})
    assert parsed == {"mode": 7, "smt_enabled": False, "slice_ns": 5}
    with pytest.raises(
        UnknownName, match="no variable is called 'slice_us'; did you mean slice_ns"
    ):
        foreign.parse_values({"slice_us": "5"})


# --- from tags ---


def _section(*variables: DataVar) -> dict[str, tags.Section]:
    return {".rodata": (list(variables), bytes(64))}


def test_tags_that_are_not_ours_mean_nothing() -> None:
    foreign = DataVar("x", U64, 0, 8, ("knob", "unit:us", "other:knob"))
    assert tags.read(_section(foreign)).knobs == {}


def test_doc_may_hold_colons() -> None:
    knob = DataVar("x", U64, 0, 8, ("scxhid:knob", "scxhid:doc:two: or three"))
    limits = DataVar("x__limits", Array(U64, 3), 8, 24)
    assert tags.read(_section(knob, limits)).knobs["x"].doc == "two: or three"


@pytest.mark.parametrize("limits", [U64, Array(U64, 2), Array(BOOL, 3), Struct("s", 24)])
def test_limits_of_another_type_are_broken(limits: Type) -> None:
    knob = DataVar("x", U64, 0, 8, ("scxhid:knob",))
    with pytest.raises(ValueError, match="the limits of x are not three of its type"):
        tags.read(_section(knob, DataVar("x__limits", limits, 8, 24)))


def test_statistic_that_is_no_number_is_broken() -> None:
    stat = DataVar("stat__x", Struct("s", 8), 0, 8, ("scxhid:stat",))
    with pytest.raises(ValueError, match="the index of x is not a number"):
        tags.read(_section(stat))
