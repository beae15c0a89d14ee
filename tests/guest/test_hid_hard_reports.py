"""Reports that a device should not send, with rules in force: nothing sticks or is made up."""

from __future__ import annotations

import random
from collections.abc import Generator
from pathlib import Path

import pytest

from pyloader.closing import Closing
from pyloader.hid.remap import codes
from tests import hid_reports
from tests.guest.command import done
from tests.guest.evdev import Events
from tests.guest.hid import Plugged
from tests.guest.hid_reports import after, reader
from tests.hid_descriptors import KEYBOARD, MOUSE, nkro

RULES = """
[keys]
capslock = "leftctrl"
space = { hold = { layer = "nav" }, tap = "space", timeout_ms = 40 }
f = { hold = "leftshift", tap = "f", timeout_ms = 40 }
f3 = { macro = ["h", "i"] }
n = { oneshot = "nav" }
[layer.nav]
h = "left"
[combo]
"j+k" = { to = "esc", within_ms = 40 }
"""
# include/uapi/linux/input-event-codes.h
KEY_A, KEY_LEFTCTRL = 30, 29
SILENCE_S = 0.15

#: Bytes of the buffer in which programs see a report: the longest one declared, rounded up to 64.
#: Linux copies any report into it, however long (dispatch_hid_bpf_device_event, at least to 7.3):
#: one that is longer still would overwrite the kernel's memory.
ROOM = 64


class Board(Closing):
    """A keyboard with rules; its reports are made here, byte by byte where a test wants that."""

    def __init__(self, rdesc: bytes, rules: Path) -> None:
        self.plugged = Plugged("A keyboard that errs", rdesc)
        assert self.plugged.is_bound()
        done("hid", "remap", str(rules), "--device", self.plugged.sysname)
        self.events = Events(self.plugged)
        self.descriptor = self.plugged.device.descriptor
        [(_, self.report_id)] = [key for key in self.descriptor.reports if key[0] == "input"]
        self.size = self.descriptor.size_bytes(self.descriptor.reports["input", self.report_id])
        self._hidraw = reader(self.plugged)
        self._fd = self._hidraw.__enter__()

    def report(self, *names: str) -> bytes:
        """The whole report that says that these keys are down."""
        pressed = {codes.codes_of(name)[0] for name in names}
        return hid_reports.make(self.descriptor, self.report_id, pressed)

    def send(self, report: bytes) -> list[frozenset[str]]:
        """What was pressed after each report that came out."""
        self.plugged.uhid.send(report)
        return [hid_reports.pressed(self.descriptor, raw) for raw in self.raw()]

    def raw(self, within_s: float = 0.0) -> list[bytes]:
        return list(iter(lambda: after(self._fd, within_s), b""))

    def type(self, *names: str) -> list[frozenset[str]]:
        return self.send(self.report(*names))

    def stat(self, name: str) -> int:
        return done("hid", "stats", self.plugged.sysname, "remap", "--json").json[name]

    def close(self) -> None:
        self._hidraw.__exit__(None, None, None)
        self.events.close()
        self.plugged.close()


@pytest.fixture(scope="module")
def rules(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("rules") / "mine.toml"
    path.write_text(RULES)
    return path


@pytest.fixture(
    params=[
        pytest.param(KEYBOARD, id="array", marks=pytest.mark.slow),
        pytest.param(nkro(3), id="numbered"),
    ]
)
def board(request: pytest.FixtureRequest, rules: Path) -> Generator[Board]:
    with Board(request.param, rules) as made:
        yield made


def sets(*states: str) -> list[frozenset[str]]:
    return [frozenset(state.split()) for state in states]


def assert_sound(board: Board) -> None:
    """All keys up means nothing pressed; and rules are as they were."""
    board.raw(SILENCE_S)
    board.type()
    board.raw(SILENCE_S)
    assert board.events.held() == set()
    assert board.type("capslock", "a")[-1] == {"leftctrl", "a"}
    assert board.events.held() == {KEY_LEFTCTRL, KEY_A}
    assert board.type()[-1] == frozenset()
    assert board.events.held() == set()


def test_what_a_short_report_leaves_out_is_zero(board: Board) -> None:
    """As the kernel reads it (hid_report_raw_event), and hidraw gets the whole report."""
    whole = board.report("capslock", "a")
    assert board.send(whole)[-1] == {"leftctrl", "a"}
    last = max(n for n, byte in enumerate(whole) if byte)
    assert board.send(whole[: last + 1])[-1] == {"leftctrl", "a"}
    fewer = board.send(whole[:last])[-1]
    assert fewer < {"leftctrl", "a"}
    assert len(fewer) < 2
    board.plugged.uhid.send(whole[: last + 1])
    assert [len(raw) for raw in board.raw()] == [board.size]
    assert_sound(board)


def test_what_is_too_much_of_a_long_report_means_nothing(board: Board) -> None:
    for length in (board.size + 1, 63, ROOM):
        noise = random.Random(length).randbytes(length)
        for pressed, held in ((("capslock",), {KEY_LEFTCTRL}), ((), set[int]())):
            report = board.report(*pressed)
            board.plugged.uhid.send(report + noise[len(report) :])
            board.raw()
            assert board.events.held() == held, f"{length} bytes"
    assert_sound(board)


def test_an_empty_report_changes_nothing(board: Board) -> None:
    assert board.type("capslock") == sets("leftctrl")
    board.plugged.uhid.send(b"")
    assert board.raw() == []
    assert board.events.held() == {KEY_LEFTCTRL}
    assert_sound(board)


def test_ids_that_nobody_declared_are_left_alone(rules: Path) -> None:
    with Board(nkro(3), rules) as board:
        assert board.type("capslock") == sets("leftctrl")
        for number in (0, 1, 2, 4, 255):
            board.plugged.uhid.send(bytes([number]) + b"\xff" * 21)
            board.raw()
            assert board.events.held() == {KEY_LEFTCTRL}, f"report {number}"
        assert_sound(board)


PHANTOM = bytes([0, 0, *[1] * 6])  # ErrorRollOver in every place


def test_a_keyboard_that_has_lost_count_changes_nothing(rules: Path) -> None:
    with Board(KEYBOARD, rules) as board:
        assert board.type("capslock", "a")[-1] == {"leftctrl", "a"}
        for phantom in (PHANTOM, bytes([0b10]) + PHANTOM[1:], PHANTOM[:3] + bytes(5)):
            board.plugged.uhid.send(phantom)
            for raw in board.raw():
                assert hid_reports.pressed(board.descriptor, raw) == {"leftctrl", "a"}
                assert 1 not in raw[2:]
            assert board.events.held() == {KEY_LEFTCTRL, KEY_A}
        # What was released meanwhile is seen as soon as it knows again.
        assert board.type("a") == sets("a")
        assert_sound(board)


def test_a_tap_is_not_decided_by_one(rules: Path) -> None:
    with Board(KEYBOARD, rules) as board:
        board.type("f")
        board.plugged.uhid.send(PHANTOM)
        assert board.events.held() == set()
        assert board.raw(SILENCE_S)[-1] == bytes([0b10, *bytes(7)])  # held: leftshift
        assert board.type() == sets("")
        assert_sound(board)


def test_values_that_no_key_has_and_keys_said_twice(rules: Path) -> None:
    a, capslock = 0x04, 0x39
    with Board(KEYBOARD, rules) as board:
        for said in ([0xFF, a, a, capslock, capslock, 0x66], [capslock, 0xE8, 0x80, a, 0xFE, a]):
            board.plugged.uhid.send(bytes([0, 0, *said]))
            board.raw()
            assert board.events.held() == {KEY_LEFTCTRL, KEY_A}
        assert_sound(board)


def test_noise_leaves_nothing_pressed(board: Board) -> None:
    chance = random.Random(4)
    for _ in range(150):
        board.plugged.uhid.send(noise_for(board, chance))
        board.raw(0.05 if chance.random() < 0.05 else 0)
    assert board.stat("panics") == 0
    assert_sound(board)


def noise_for(board: Board, chance: random.Random) -> bytes:
    """Without Alt, with which the kernel's own keyboard driver would restart the machine."""
    noise = bytearray(chance.randbytes(chance.choice([1, 3, board.size, board.size, ROOM])))
    never = bytearray(board.report("leftalt", "rightalt"))
    if board.report_id:  # a bit each: not all at once, and never the panic chord
        noise = bytearray(n & chance.getrandbits(8) & chance.getrandbits(8) for n in noise)
        never = bytearray(board.report("leftalt", "rightalt", "enter"))
    for n, bits in enumerate(never[: len(noise)]):
        noise[n] &= ~bits
    if board.report_id:
        noise[0] = board.report_id if chance.random() < 0.8 else 9
    return bytes(noise)


def test_a_mouse_that_says_too_little_or_too_much(tmp_path: Path) -> None:
    path = tmp_path / "mouse.toml"
    path.write_text('[buttons]\nleft = "right"\n[axes]\nx = { scale = -2.0 }\n')
    with Plugged("A mouse that errs", MOUSE) as mouse:
        assert mouse.is_bound()
        done("hid", "remap", str(path), "--device", mouse.sysname)
        with reader(mouse) as fd:
            for sent, came in (
                (bytes([1]), bytes([2, 0, 0, 0])),
                (bytes([1, 5]), bytes([2, 256 - 10, 0, 0])),
                (bytes([0, 5, 5, 0]), bytes([0, 256 - 10, 5, 0])),
                (bytes([1, 5, 5, 1, 9, 9]), bytes([2, 256 - 10, 5, 1])),
                (bytes([0, 5, 5, 0]), bytes([0, 256 - 10, 5, 0])),
            ):
                mouse.uhid.send(sent)
                assert after(fd, 5)[:4] == came, sent
