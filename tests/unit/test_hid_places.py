"""What the loader tells a HID program of a device's reports."""

from __future__ import annotations

import pytest

from pyloader.hid import places
from pyloader.hid.parser import parse
from pyloader.tags import HidPlace
from tests.hid_descriptors import (
    COLLECTION,
    END,
    INPUT,
    LOGICAL_MAX,
    LOGICAL_MIN,
    MOUSE,
    REPORT_COUNT,
    REPORT_ID,
    REPORT_SIZE,
    USAGE,
    USAGE_PAGE,
    item,
    stick,
)

X, WHEEL, BUTTONS = 0x00010030, 0x00010038, 0x00090001


def report_of(rdesc: bytes, usage: int, number: int = 1) -> list[int]:
    asked = {"report": HidPlace(usage, number, is_report=True)}
    return places.fill(asked, parse(rdesc))["report"]


def relative_bytes(words: list[int]) -> bytes:
    return b"".join(word.to_bytes(4, "little") for word in words[2:])


def test_each_of_the_usages_has_a_place() -> None:
    words = places.fill({"buttons": HidPlace(BUTTONS, 5)}, parse(MOUSE))["buttons"]
    assert [words[at : at + 2] for at in range(0, 30, 6)] == [
        [1, 0],
        [1, 1],
        [1, 2],
        [0, 0],
        [0, 0],
    ]


def test_a_report_says_which_of_its_bits_are_movements() -> None:
    words = report_of(MOUSE, BUTTONS, 32)
    assert words[:2] == [4, 0]
    assert relative_bytes(words).rstrip(b"\0") == bytes([0, 0xFF, 0xFF, 0xFF])


def test_bits_are_counted_from_the_id_on() -> None:
    rdesc = item(USAGE_PAGE, 1) + item(USAGE, 2) + item(COLLECTION, 1) + item(REPORT_ID, 5)
    rdesc += item(LOGICAL_MIN, -7) + item(LOGICAL_MAX, 7) + item(REPORT_SIZE, 4)
    rdesc += item(REPORT_COUNT, 1) + item(USAGE, 0x38) + item(INPUT, 2)
    rdesc += item(USAGE, 0x30) + item(INPUT, 6) + item(END)
    words = report_of(rdesc, X)
    assert words[:2] == [2, 5]
    assert relative_bytes(words).rstrip(b"\0") == bytes([0, 0xF0])


def test_a_stick_makes_no_movements() -> None:
    words = report_of(stick(8, 0, 255, 3), X)
    assert words[:2] == [6, 3]
    assert not any(words[2:])


@pytest.mark.parametrize(("count", "size"), [(64, 64), (65, 0)])
def test_a_report_that_is_too_long_is_none(count: int, size: int) -> None:
    rdesc = item(USAGE_PAGE, 1) + item(USAGE, 2) + item(COLLECTION, 1) + item(USAGE, 0x38)
    rdesc += item(LOGICAL_MAX, 100) + item(REPORT_SIZE, 8) + item(REPORT_COUNT, count)
    words = report_of(rdesc + item(INPUT, 6) + item(END), WHEEL)
    assert words[0] == size
    assert len(words) == 18


def test_a_device_without_any_of_the_usages_has_no_such_report() -> None:
    assert not any(report_of(stick(8, 0, 255), WHEEL))
