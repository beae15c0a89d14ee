"""Copies of reports before and after the programs find each other, whatever happens in between."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyloader.hid.changes import differences, values
from pyloader.hid.pairs import Pairing, Passage, Tapped, leaving
from pyloader.hid.parser import parse
from tests.hid_descriptors import KEYBOARD, MOUSE, stick


@dataclass
class Way:
    """What is to happen with a report: dropped or not, after the programs sent others."""

    is_dropped: bool
    nested: list[Way] = field(default_factory=list["Way"])


WAYS = st.recursive(
    st.builds(Way, st.booleans()),
    lambda inner: st.builds(Way, st.booleans(), st.lists(inner, max_size=3)),
    max_leaves=6,
)


class Kernel:
    """Makes the copies as the kernel would: a context for each report under way, used again."""

    def __init__(self) -> None:
        self.now_ns = 0
        self.copies: list[Tapped] = []
        self.passed: list[
            tuple[int, bool, bool]
        ] = []  # number, injected, dropped: in order of before
        self.out: list[int] = []

    def send(self, way: Way, depth: int = 0, source: int = 0) -> None:
        number = len(self.passed)
        self.passed.append((number, bool(source), way.is_dropped))
        self._copy(depth, source, False, number)
        for each in way.nested:
            self.send(each, depth + 1, source=77)
        if not way.is_dropped:
            self.out.append(number)
            self._copy(depth, source, True, number)

    def _copy(self, depth: int, source: int, is_after: bool, number: int) -> None:
        self.now_ns += 10
        data = number.to_bytes(2, "little")
        self.copies.append(Tapped(self.now_ns, 1000 - depth, source, is_after, data))


@given(st.lists(st.tuples(WAYS, st.booleans()), max_size=12), st.data())
def test_every_report_is_told_once_with_what_became_of_it(
    ways: list[tuple[Way, bool]], data: st.DataObject
) -> None:
    kernel = Kernel()
    for way, is_sent_by_a_timer in ways:
        kernel.send(way, source=88 if is_sent_by_a_timer else 0)
    pairing, batches = Pairing(), []
    for copy in kernel.copies:
        pairing.put(copy)
        if data.draw(st.booleans()):
            batches.append(list(pairing.done(copy.at_ns)))
    batches.append(list(pairing.done()))
    found = [passage for batch in batches for passage in batch]
    told = [(int.from_bytes(p.before, "little"), p.is_injected, p.after is None) for p in found]
    assert told == kernel.passed
    assert all(p.after in (None, p.before) for p in found)
    out = [int.from_bytes(p.before, "little") for batch in batches for p in leaving(batch)]
    assert out == kernel.out


def test_a_dropped_report_is_told_when_nothing_follows() -> None:
    pairing = Pairing()
    pairing.put(Tapped(0, 1, 0, False, b"x"))
    assert list(pairing.done(500_000_000)) == []
    assert [p.what for p in pairing.done(1_000_000_000)] == ["dropped"]


def test_an_after_whose_before_was_lost_is_left_out() -> None:
    pairing = Pairing()
    pairing.put(Tapped(0, 1, 0, True, b"x"))
    assert list(pairing.done()) == []


@pytest.mark.parametrize(
    ("passage", "what"),
    [
        (Passage(0, b"a", False, b"a"), "same"),
        (Passage(0, b"a", False, b"ab"), "changed"),
        (Passage(0, b"a", False), "dropped"),
        (Passage(0, b"a", True, b"a"), "injected"),
    ],
)
def test_what_became_of_it(passage: Passage, what: str) -> None:
    assert passage.what == what


def changed(rdesc: bytes, before: str, after: str) -> dict[str, tuple[int, int]]:
    descriptor = parse(rdesc)
    sides = (values(descriptor, bytes.fromhex(each)) for each in (before, after))
    return differences(*sides)


def test_changes_have_the_names_of_usages() -> None:
    assert changed(MOUSE, "00 05 00 01", "02 fb 00 01") == {"Button 2": (0, 1), "X": (5, -5)}
    numbered = stick(8, 0, 255, 3)
    assert changed(numbered, "03 00 00 80 80 80", "03 00 ff 80 80 80") == {"X": (0, 255)}


def test_keys_of_an_array_are_pressed_or_not() -> None:
    a, b = "00 00 04 00 00 00 00 00", "02 00 05 04 00 00 00 00"
    assert changed(KEYBOARD, a, b) == {"Left Shift": (0, 1), "B": (0, 1)}


def test_a_report_that_is_not_declared_has_no_values() -> None:
    assert values(parse(stick(8, 0, 255, 3)), b"\x09\x01") == {}
    assert values(parse(stick(8, 0, 255, 3)), b"") == {}


@given(st.binary(max_size=12))
def test_any_bytes_have_values(data: bytes) -> None:
    found = values(parse(MOUSE), data)
    assert len(found) == 6
    assert differences(found, found) == {}
