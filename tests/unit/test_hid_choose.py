"""Which devices the rules of a file are for, and what is left of them there."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from pyloader.errors import WrongUse
from pyloader.hid.device import Device
from pyloader.hid.parser import parse
from pyloader.hid.remap import choose
from pyloader.hid.remap.compose import compose_bytes
from pyloader.hid.remap.extra import extra_keys
from pyloader.hid.remap.plan import plan
from pyloader.sysfs import HidNode
from tests.hid_descriptors import KEYBOARD, MOUSE, media

DESK = """
[keys]
capslock = { tap = "esc", hold = "leftctrl" }
[[device]]
name = "* keyboard"
[device.keys]
a = "b"
[[device]]
vid = 2
[device.buttons]
left = "right"
"""
DEFAULT = DESK + '[default.keys]\nb = "c"\n'
KEYS, MOUSE_LINE = "desk.toml:4", "desk.toml:8"


def device(number: int, name: str, rdesc: bytes, vendor: int = 1, phys: str = "") -> Device:
    sysname = f"0003:{vendor:04X}:0001.{number:04X}"
    node = HidNode(sysname, name, phys, "", "hid-generic", (), None)
    made = Device(node, 3, vendor, 1, number)
    made.__dict__["rdesc"] = rdesc
    return made


Chosen = Callable[..., list[tuple[str, list[int]]]]


@pytest.fixture
def chosen(monkeypatch: pytest.MonkeyPatch) -> Chosen:
    """Label of the rules and numbers of the interfaces, for devices that are there."""

    def choose_among(
        text: str, *there: Device, named: str | None = None
    ) -> list[tuple[str, list[int]]]:
        monkeypatch.setattr(choose, "devices", lambda: list(there))
        found = choose.chosen(compose_bytes(text.encode(), "desk.toml"), named)
        return [(each.rules.path, [one.number for one in each.interfaces]) for each in found]

    return choose_among


BOARD = device(1, "Some keyboard", KEYBOARD)
PAD = device(2, "Some mouse", MOUSE, vendor=2)
OTHER = device(3, "Another", KEYBOARD)


def test_each_has_the_first_section_that_is_for_it(chosen: Chosen) -> None:
    assert chosen(DESK, BOARD, PAD, OTHER) == [(KEYS, [1]), (MOUSE_LINE, [2])]
    assert chosen(DEFAULT, BOARD, PAD, OTHER)[2] == ("desk.toml:12", [3])


def test_a_section_is_for_no_device_that_lacks_its_keys(chosen: Chosen) -> None:
    both = device(4, "Another keyboard", MOUSE, vendor=2)
    assert chosen(DESK, both) == [(MOUSE_LINE, [4])]
    with pytest.raises(WrongUse, match="is for no device that is there"):
        chosen(DESK, device(5, "Some keyboard", MOUSE))


def test_a_device_counts_with_all_its_interfaces(chosen: Chosen) -> None:
    keys = device(6, "Some keyboard", KEYBOARD, phys="usb-1/input0")
    more = device(5, "Some keyboard Media", media(), phys="usb-1/input1")
    assert chosen(DESK, more, keys) == [(KEYS, [6, 5])]
    assert chosen(DESK, more, keys, named="media") == [(KEYS, [5, 6])]


def test_a_device_that_is_named_is_the_only_one(chosen: Chosen) -> None:
    assert chosen(DESK, BOARD, PAD, named="mouse") == [(MOUSE_LINE, [2])]
    with pytest.raises(WrongUse, match=r"no section for .* \(Another\), and no \[default\]"):
        chosen(DESK, BOARD, OTHER, named="another")


def test_a_plain_file_is_for_one_device(chosen: Chosen) -> None:
    plain = '[keys]\na = "b"\n'
    assert chosen(plain, BOARD, PAD) == [("desk.toml", [1])]
    with pytest.raises(WrongUse, match="is for 2 devices that are there"):
        chosen(plain, BOARD, OTHER)


def test_keys_that_were_added_are_no_reason(chosen: Chosen) -> None:
    extended = device(7, "Another mouse", MOUSE + extra_keys(parse(MOUSE)))
    text = '[[device]]\nname = "*"\n[device.keys]\na = "b"\n[default.buttons]\nleft = "right"\n'
    assert chosen(text, extended) == [("desk.toml:5", [7])]


def test_a_mouse_gets_no_keys_for_what_is_common_to_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choose, "devices", lambda: [BOARD, PAD])
    board, pad = choose.chosen(compose_bytes(DESK.encode(), "desk.toml"), None)
    assert board.rules.sources() == {"capslock", "a"}
    assert pad.rules.sources() == {"btn_left"}
    planned = plan(pad.rules, pad.interfaces)
    assert planned.added == ()
    assert not any("capslock" in warning for warning in planned.warnings)


def test_sections_that_nothing_is_there_for_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choose, "devices", lambda: [BOARD])
    composed = compose_bytes(DESK.encode(), "desk.toml")
    assert choose.unused(composed, choose.chosen(composed, None)) == [MOUSE_LINE]


ALONE = '[[device]]\nname = "Some keyboard"\nignore = true\n' + DEFAULT


def test_a_device_is_left_alone(chosen: Chosen, monkeypatch: pytest.MonkeyPatch) -> None:
    assert chosen(ALONE, BOARD, PAD, OTHER) == [("desk.toml:11", [2]), ("desk.toml:15", [3])]
    with pytest.raises(WrongUse, match=r"desk.toml:1 says that .* is to be left alone"):
        chosen(ALONE, BOARD, PAD, named="some keyboard")
    composed = compose_bytes(ALONE.encode(), "desk.toml")
    monkeypatch.setattr(choose, "devices", lambda: [BOARD])
    assert choose.unused(composed, []) == ["desk.toml:7", "desk.toml:11"]
    [alone] = choose.left_alone(composed)
    assert (alone.section.path, alone.interfaces) == ("desk.toml:1", [BOARD])


def test_the_first_section_that_fits_counts_before_one_that_leaves_alone(chosen: Chosen) -> None:
    text = DESK + '[[device]]\nname = "*"\nignore = true\n[default.keys]\nb = "c"\n'
    assert chosen(text, BOARD, OTHER) == [(KEYS, [1])]
