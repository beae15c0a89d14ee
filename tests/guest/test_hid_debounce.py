"""``debounce``: the first change passes at once, chatter does not, and no button stays stuck."""

from __future__ import annotations

import random
import time

import pytest

from tests.guest.command import done, scxhid
from tests.guest.hid import Plugged, wait_for
from tests.guest.hid_reports import after, mouse_report, reader, through
from tests.hid_descriptors import KEYBOARD, MOUSE, stick


def attach(plugged: Plugged, *knobs: str) -> None:
    done("hid", "attach", "debounce", "--device", plugged.sysname, *knobs)


def stats(plugged: Plugged) -> dict[str, int]:
    return done("hid", "stats", plugged.sysname, "debounce", "--json").json


def test_chatter_is_held_back_and_movement_is_not() -> None:
    with Plugged("A worn mouse", MOUSE) as mouse:
        assert mouse.is_bound()
        attach(mouse, "press_ms=200", "release_ms=200")
        with reader(mouse) as fd:
            assert through(mouse, fd, mouse_report(1, 3)) == mouse_report(1, 3)
            for buttons in (0, 1, 0, 1):
                assert through(mouse, fd, mouse_report(buttons, -5)) == mouse_report(1, -5)
            assert not after(fd, 0.5)  # it is what was passed on: nothing to say
            assert through(mouse, fd, mouse_report(0)) == mouse_report(0)
            assert through(mouse, fd, mouse_report(1)) == mouse_report(0)
            assert after(fd, 5) == mouse_report(1)
        found = stats(mouse)
        assert (found["edges"], found["late"], found["injected"]) == (2, 1, 1)
        assert found["bounces"] == 5


def test_an_empty_report_releases_nothing() -> None:
    with Plugged("A mouse that stutters", MOUSE) as mouse:
        assert mouse.is_bound()
        attach(mouse, "press_ms=1", "release_ms=1")
        with reader(mouse) as fd:
            assert through(mouse, fd, mouse_report(1)) == mouse_report(1)
            mouse.uhid.send(b"")
            assert not after(fd, 0.2)
            assert through(mouse, fd, mouse_report(1, 3)) == mouse_report(1, 3)


def test_what_is_true_when_the_time_is_over_comes_with_the_next_report() -> None:
    with Plugged("A mouse that moves", MOUSE) as mouse:
        assert mouse.is_bound()
        attach(mouse, "press_ms=200")
        with reader(mouse) as fd:
            through(mouse, fd, mouse_report(1))
            began = time.monotonic()
            assert through(mouse, fd, mouse_report(0, 1)) == mouse_report(1, 1)
            while through(mouse, fd, mouse_report(0, 1))[0]:
                assert time.monotonic() - began < 5, "the button is stuck"
            assert time.monotonic() - began > 0.15


def test_buttons_do_not_wait_for_each_other() -> None:
    with Plugged("A mouse with two fingers on it", MOUSE) as mouse:
        assert mouse.is_bound()
        attach(mouse, "press_ms=200", "release_ms=200")
        with reader(mouse) as fd:
            for report in (0b001, 0b011, 0b111):
                assert through(mouse, fd, mouse_report(report)) == mouse_report(report)
            assert through(mouse, fd, mouse_report(0b010)) == mouse_report(0b111)
            assert after(fd, 5)[0] | 0b101 == 0b111


def test_at_zero_all_passes() -> None:
    with Plugged("A good mouse", MOUSE) as mouse:
        assert mouse.is_bound()
        attach(mouse, "press_ms=0", "release_ms=0")
        with reader(mouse) as fd:
            for n in range(50):
                report = mouse_report(n % 8, n)
                assert through(mouse, fd, report) == report
        assert (stats(mouse)["bounces"], stats(mouse)["injected"]) == (0, 0)


@pytest.mark.parametrize("report_id", [0, 3])
def test_its_own_report_leaves_a_stick_where_it_is(report_id: int) -> None:
    with Plugged("A pad", stick(8, 0, 255, report_id)) as pad:
        assert pad.is_bound()
        attach(pad, "press_ms=200")
        id_ = bytes([report_id]) if report_id else b""
        with reader(pad) as fd:
            down, up = id_ + bytes([0b100, 1, 2, 3, 4]), id_ + bytes([0, 9, 8, 7, 6])
            assert through(pad, fd, down) == down
            assert through(pad, fd, up) == id_ + bytes([0b100, 9, 8, 7, 6])
            assert after(fd, 5) == up


@pytest.mark.slow
def test_after_any_chatter_the_buttons_are_what_they_are() -> None:
    chance = random.Random(7)
    with Plugged("A ruin of a mouse", MOUSE) as mouse:
        assert mouse.is_bound()
        attach(mouse, "press_ms=5", "release_ms=8")
        with reader(mouse) as fd:
            for _ in range(40):
                buttons = 0
                for _ in range(chance.randint(1, 30)):
                    buttons ^= 1 << chance.randrange(3)
                    mouse.uhid.send(mouse_report(buttons))
                    time.sleep(chance.choice([0, 0, 0.001, 0.004, 0.012]))
                last = b"".join(iter(lambda: after(fd, 0.06), b""))[-4:]
                assert last == mouse_report(buttons)
        assert stats(mouse)["bounces"] > 100


def test_taken_off_while_it_holds_a_button_it_lets_go() -> None:
    with Plugged("A mouse that changes hands", MOUSE) as mouse:
        assert mouse.is_bound()
        attach(mouse, "press_ms=200")
        with reader(mouse) as fd:
            through(mouse, fd, mouse_report(1))
            assert through(mouse, fd, mouse_report(0)) == mouse_report(1)
            done("hid", "detach", mouse.sysname)
            assert through(mouse, fd, mouse_report(0)) == mouse_report(0)


def test_unplugged_while_it_holds_a_button_it_is_gone() -> None:
    with Plugged("A mouse on a loose cable", MOUSE) as mouse:
        assert mouse.is_bound()
        attach(mouse, "press_ms=200")
        for buttons in (1, 0):
            mouse.uhid.send(mouse_report(buttons))
    wait_for(lambda: done("status", "--json").json["hid"] == [])


def test_a_device_without_buttons_is_refused() -> None:
    with Plugged("A keyboard", KEYBOARD) as keyboard:
        assert keyboard.is_bound()
        refused = scxhid("hid", "attach", "debounce", "--device", keyboard.sysname)
        assert refused.status == 2
        assert "has nothing that debounce works on (buttons)" in refused.err
