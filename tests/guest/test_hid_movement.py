"""``wheel``, ``accel`` and ``rate_limit`` on a mouse: what of its movement arrives, and when."""

from __future__ import annotations

import time
from collections.abc import Generator

import pytest

from tests.guest.command import done, scxhid
from tests.guest.hid import Plugged
from tests.guest.hid_reports import after, mouse_report, reader, signed, through
from tests.hid_descriptors import MOUSE, stick


@pytest.fixture
def mouse() -> Generator[Plugged]:
    with Plugged("A mouse that moves", MOUSE) as plugged:
        assert plugged.is_bound()
        yield plugged


def attach(plugged: Plugged, program: str, *knobs: str) -> None:
    done("hid", "attach", program, "--device", plugged.sysname, *knobs)


def stats(plugged: Plugged, program: str) -> dict[str, int]:
    return done("hid", "stats", plugged.sysname, program, "--json").json


def rest(fd: int, within_s: float = 0.5) -> list[bytes]:
    """Everything that comes until nothing does for so long."""
    return list(iter(lambda: after(fd, within_s), b""))


def test_a_wheel_keeps_what_is_left_of_its_steps(mouse: Plugged) -> None:
    attach(mouse, "wheel", "scale=500")
    with reader(mouse) as fd:

        def turned(steps: int) -> int:
            out = through(mouse, fd, mouse_report(0b10, 5, -5, steps))
            assert out[:3] == mouse_report(0b10, 5, -5)[:3]
            return signed(out[3])

        assert [turned(1) for _ in range(4)] == [0, 1, 0, 1]
        assert [turned(-3) for _ in range(2)] == [-1, -2]
        done("hid", "set", mouse.sysname, "wheel", "scale=2500", "invert=on")
        assert [turned(1) for _ in range(4)] == [-2, -3, -2, -3]
        assert turned(-100) == 127
    found = stats(mouse, "wheel")
    assert (found["kept"], found["cut"]) == (2, 1)


def test_a_pointer_at_a_gain_of_one_arrives_as_it_is(mouse: Plugged) -> None:
    attach(mouse, "accel", "slope=0")
    with reader(mouse) as fd:
        for step in (-127, -1, 0, 1, 127):
            report = mouse_report(1, step, -step // 2, 1)
            assert through(mouse, fd, report) == report


def test_a_fast_pointer_goes_farther_and_keeps_its_direction(mouse: Plugged) -> None:
    attach(mouse, "accel", "threshold=0", "slope=100000", "cap=3000")
    with reader(mouse) as fd:
        out = [through(mouse, fd, mouse_report(0, 30, -20)) for _ in range(5)]
        assert [(signed(o[1]), signed(o[2])) for o in out[1:]] == [(90, -60)] * 4
        wide = through(mouse, fd, mouse_report(0, 100, -50))
        assert (signed(wide[1]), signed(wide[2])) == (127, -63)
        done("hid", "set", mouse.sysname, "accel", "threshold=1000000")
        assert signed(through(mouse, fd, mouse_report(0, 30, 0))[1]) == 30
    found = stats(mouse, "accel")
    assert (found["reports"], found["lowered"]) == (7, 1)


def test_movement_that_comes_too_soon_arrives_later_and_whole(mouse: Plugged) -> None:
    attach(mouse, "rate_limit", "per_second=5")
    with reader(mouse) as fd:
        began = time.monotonic()
        for _ in range(100):
            mouse.uhid.send(mouse_report(0, 1, -1, 0))
        sent_s = time.monotonic() - began
        out = rest(fd)
    assert sum(signed(o[1]) for o in out) == 100
    assert sum(signed(o[2]) for o in out) == -100
    assert len(out) <= 2 + 5 * sent_s + 1
    found = stats(mouse, "rate_limit")
    assert found["passed"] + found["injected"] == len(out)
    assert found["injected"] == 1


def test_a_press_waits_for_nothing_and_brings_what_waited(mouse: Plugged) -> None:
    attach(mouse, "rate_limit", "per_second=1")
    with reader(mouse) as fd:
        assert through(mouse, fd, mouse_report(0, 3, 0)) == mouse_report(0, 3, 0)
        mouse.uhid.send(mouse_report(0, 3, 1))
        mouse.uhid.send(mouse_report(0, 4, 1))
        assert through(mouse, fd, mouse_report(1, 5, 0)) == mouse_report(1, 12, 2)
        assert through(mouse, fd, mouse_report(0, 0, 0)) == mouse_report(0, 0, 0)
        mouse.uhid.send(mouse_report(0, 0, 0, 1))
        assert after(fd, 5) == mouse_report(0, 0, 0, 1)
    assert stats(mouse, "rate_limit")["early"] >= 2


def test_without_a_limit_all_passes(mouse: Plugged) -> None:
    attach(mouse, "rate_limit", "per_second=0")
    with reader(mouse) as fd:
        for n in range(50):
            assert through(mouse, fd, mouse_report(0, n)) == mouse_report(0, n)


def test_a_press_that_was_held_back_passes_the_limit(mouse: Plugged) -> None:
    """A report of debounce's own goes through rate_limit, whose own repeats its buttons."""
    attach(mouse, "debounce", "press_ms=200", "release_ms=0")
    attach(mouse, "rate_limit", "per_second=5")
    with reader(mouse) as fd:
        assert through(mouse, fd, mouse_report(1)) == mouse_report(1)
        mouse.uhid.send(mouse_report(0, 7))
        assert sorted([after(fd, 5), after(fd, 5)]) in (
            sorted([mouse_report(1, 7), mouse_report(0)]),
            sorted([mouse_report(0), mouse_report(0, 7)]),
        )
        assert not rest(fd)


@pytest.mark.parametrize("program", ["wheel", "accel", "rate_limit"])
def test_a_device_without_movements_is_refused(program: str) -> None:
    with Plugged("A stick", stick(8, 0, 255)) as plugged:
        assert plugged.is_bound()
        refused = scxhid("hid", "attach", program, "--device", plugged.sysname)
        assert refused.status == 2
        assert f"has nothing that {program} works on (" in refused.err
        assert "report" not in refused.err.partition("works on")[2].partition(";")[0]
