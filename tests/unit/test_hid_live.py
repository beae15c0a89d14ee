"""Live reports: decoded by the descriptor of their side; what people type is in none of them."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyloader.hid.live import KEYS_DOWN, Decoder, LiveReport
from pyloader.hid.pairs import Passage
from pyloader.hid.parser import parse
from pyloader.hid.remap.extra import extra_keys
from tests.hid_descriptors import (
    COLLECTION,
    END,
    INPUT,
    KEYBOARD,
    LOGICAL_MAX,
    LOGICAL_MIN,
    MOUSE,
    REPORT_COUNT,
    REPORT_SIZE,
    USAGE,
    USAGE_MAX,
    USAGE_MIN,
    USAGE_PAGE,
    item,
    media,
    nkro,
)

MANY = nkro(3) + extra_keys(parse(nkro(3)))
RENAMED = MOUSE.replace(bytes.fromhex("05091901"), bytes.fromhex("05071904"), 1).replace(
    bytes.fromhex("2903"), bytes.fromhex("2906"), 1
)


def passed(before: bytes, after: bytes | None, injected: bool = False) -> Passage:
    return Passage(7, before, injected, after, 9)


def decoded(
    passages: Sequence[Passage], before: bytes, after: bytes | None = None, masked: bool = True
) -> list[LiveReport | None]:
    decoder = Decoder(parse(before), parse(after or before), masked)
    return [decoder.decode(each) for each in passages]


def data_of(size: int, usage_page: int, application: int) -> bytes:
    """Bytes of one page in one application, as readers of cards and codes send them."""
    return b"".join(
        (
            *(item(USAGE_PAGE, application >> 16, 2), item(USAGE, application & 0xFFFF, 2)),
            *(item(COLLECTION, 1), item(USAGE_PAGE, usage_page, 2)),
            *(item(USAGE, 0x30), item(LOGICAL_MIN, 0), item(LOGICAL_MAX, 255, 2)),
            *(item(REPORT_SIZE, 8), item(REPORT_COUNT, size), item(INPUT, 2), item(END)),
        )
    )


def keypad() -> bytes:
    """Digits as buttons of a keypad."""
    return b"".join(
        (
            *(item(USAGE_PAGE, 1), item(USAGE, 7), item(COLLECTION, 1), item(USAGE_PAGE, 9)),
            *(item(USAGE_MIN, 1), item(USAGE_MAX, 16), item(LOGICAL_MIN, 0), item(LOGICAL_MAX, 1)),
            *(item(REPORT_SIZE, 1), item(REPORT_COUNT, 16), item(INPUT, 2), item(END)),
        )
    )


# ---- decoded


def test_each_side_is_decoded_by_its_own_descriptor() -> None:
    (found,) = decoded([passed(b"\x01\x05\x00\x00", b"\x01\xfb\x00\x01")], MOUSE, RENAMED, False)
    assert found == LiveReport(
        *(7, 0, b"\x01\x05\x00\x00", b"\x01\xfb\x00\x01"),
        (
            ("Button 1", 1, 0),
            ("X", 5, -5),
            ("Y", 0, 0),
            ("Wheel", 0, 1),
            ("A", 0, 1),
        ),
    )


def test_a_side_that_is_not_there_says_nothing() -> None:
    dropped, sent, nothing = decoded(
        [passed(bytes(4), None), passed(b"\0\1\0\0", b"\0\1\0\0", True), passed(b"", None, True)],
        MOUSE,
    )
    assert dropped
    assert (dropped.before, dropped.after) == (bytes(4), None)
    assert dropped.fields == (("X", 0, None), ("Y", 0, None), ("Wheel", 0, None))
    assert sent
    assert (sent.before, sent.fields[0]) == (None, ("X", None, 1))
    assert nothing is None


def test_a_mouse_is_shown_as_it_is() -> None:
    passages = [passed(b"\x05\x10\xf0\x01", b"\x01\x10\xf0\xff"), passed(bytes(4), None)]
    assert decoded(passages, MOUSE) == decoded(passages, MOUSE, masked=False)


# ---- masked


def test_of_keys_only_their_number_is_told() -> None:
    shifted_a = bytes([2, 0, 4, 0, 0, 0, 0, 0])
    too_many = bytes([2, 0, 1, 1, 1, 1, 1, 1])
    first, second = decoded([passed(shifted_a, None), passed(too_many, too_many)], KEYBOARD)
    assert first == LiveReport(7, 0, None, None, ((KEYS_DOWN, 2, None),), True)
    assert second == LiveReport(7, 0, None, None, ((KEYS_DOWN, 1, None),), True)


TYPED = st.lists(st.lists(st.integers(4, 0x65), min_size=0, max_size=6, unique=True), max_size=8)
OTHERS = st.permutations(range(4, 0x66))


@given(TYPED, OTHERS, st.permutations(range(8)), st.booleans())
def test_two_texts_of_one_shape_are_masked_alike(
    typed: list[list[int]],
    others: list[int],
    modifiers: list[int],
    remapped: bool,
) -> None:
    """Whatever the programs made of them, in whatever order the keys stand in the report."""

    def array(keys: Sequence[int], modifier: int) -> bytes:
        return bytes([1 << modifier, 0, *keys, *bytes(6 - len(keys))])

    def bitmap(keys: Sequence[int], modifier: int) -> bytes:
        bits = sum(1 << 8 + key - 4 for key in keys) | 1 << modifier
        return b"\3" + bits.to_bytes(21, "little")

    for rdesc, report in ((KEYBOARD, array), (MANY, bitmap), (nkro(3), bitmap)):
        first, second = [], []
        for keys in typed:
            before = report(keys, 0)
            first.append(passed(before, before))
            other = report([others[key - 4] for key in keys], modifiers[0])
            second.append(passed(other, None if remapped else before))
            if remapped:
                second.append(passed(other, other, True))  # a macro
        shown = [each for each in decoded(second, rdesc) if each]
        assert decoded(first, rdesc) == shown
        assert all(r.before is r.after is None for r in shown)


@pytest.mark.parametrize(
    "rdesc",
    [
        *(data_of(6, 0x8C, 0x8C0002), data_of(6, 0x8E, 0x8E0001), data_of(6, 0x10, 0x010006)),
        *(data_of(6, 0xFF00, 0xFF000001), data_of(6, 0xF1D0, 0xF1D00001)),
        *(data_of(6, 0x0B, 0x0B0001), data_of(6, 0x01, 0x0D0004), keypad(), KEYBOARD, nkro(0)),
    ],
    ids=[
        *("barcode", "magnetic stripe", "unicode", "vendor", "security key", "telephone"),
        *("touch screen", "keypad", "keyboard", "bitmap"),
    ],
)
def test_what_can_spell_text_is_in_no_masked_report(rdesc: bytes) -> None:
    size = max(parse(rdesc).size_bytes(r) for r in parse(rdesc).reports.values())
    raws = [bytes([byte, 0]).ljust(size, b"\0") for byte in (1 << 4, 1 << 6)]
    found, other = decoded([passed(raw, raw) for raw in raws], rdesc)
    assert found == other
    assert found
    assert (found.before, found.after, found.is_masked) == (None, None, True)
    assert [name for name, *_ in found.fields] in ([], [KEYS_DOWN])


def test_media_keys_are_masked_in_an_array() -> None:
    raws = [bytes([2, usage, 0, 0, 0, 0, 0]) for usage in (0x41, 0xCD)]
    first, second = decoded([passed(raw, raw) for raw in raws], media())
    assert first == second == LiveReport(7, 2, None, None, ((KEYS_DOWN, 1, None),), True)


def test_buttons_that_a_fixup_calls_keys_are_keys() -> None:
    first, second = decoded(
        [passed(bytes([1 << n, 0, 0, 0]), bytes([1 << n, 0, 0, 0])) for n in (0, 2)], MOUSE, RENAMED
    )
    assert first == second
    assert first
    assert first.before is None


def test_a_mouse_with_values_of_a_vendor_keeps_its_movement() -> None:
    vendor = item(USAGE_PAGE, 0xFF00, 2) + item(USAGE, 0x40) + item(REPORT_SIZE, 8)
    vendor += item(REPORT_COUNT, 1) + item(INPUT, 2)
    rdesc = MOUSE[:-2] + vendor + item(END) * 2
    (found,) = decoded([passed(b"\x01\x05\x00\x00\x41", b"\x01\xfb\x00\x00\x42")], rdesc)
    assert found
    assert (found.before, found.after, found.is_masked) == (None, None, True)
    assert found.fields[:2] == (("Button 1", 1, 1), ("X", 5, -5))
    assert len(found.fields) == 4


def test_a_report_that_no_descriptor_has_is_empty() -> None:
    rdesc = nkro(3)
    (found,) = decoded([passed(b"\x09abc", b"\x09abc")], rdesc)
    assert found == LiveReport(7, 0, None, None, (), True)


def test_bytes_past_the_report_are_not_shown() -> None:
    (found,) = decoded([passed(b"\0\1\0\0secret", b"\0\1\0\0secret")], MOUSE)
    assert found
    assert found.before == found.after == b"\0\1\0\0"
