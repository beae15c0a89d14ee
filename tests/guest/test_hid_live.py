"""Live reports and the devices with what is on them, as a screen is shown them."""

from __future__ import annotations

import os
import time
from collections.abc import Generator
from pathlib import Path

import pytest

from pyloader.errors import Gone
from pyloader.hid.live import KEYS_DOWN, MOST, LiveReport, LiveReports
from pyloader.view.devices import DevicesReader, DeviceState
from tests.guest.command import done
from tests.guest.hid import Plugged, wait_for
from tests.guest.hid_reports import mouse_report
from tests.hid_descriptors import KEYBOARD, MOUSE

WHEEL, DIAL = 0x10038, 0x10037
MINE = '[keys]\na = "b"\nf3 = { macro = ["h", "i"] }\n'


@pytest.fixture
def mouse() -> Generator[Plugged]:
    with Plugged("A mouse that is watched", MOUSE) as plugged:
        assert plugged.is_bound()
        yield plugged


@pytest.fixture
def keyboard() -> Generator[Plugged]:
    with Plugged("A keyboard that is watched", KEYBOARD) as plugged:
        assert plugged.is_bound()
        yield plugged


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    path = tmp_path / "mine.toml"
    path.write_text(MINE)
    return path


def come(live: LiveReports, number: int = 1) -> list[LiveReport]:
    found: list[LiveReport] = []

    def look() -> bool:
        found.extend(live.take())
        return len(found) >= number

    wait_for(look)
    return found


def key(usage: int, modifiers: int = 0) -> bytes:
    return bytes([modifiers, 0, usage, 0, 0, 0, 0, 0])


def state_of(plugged: Plugged, reader: DevicesReader) -> DeviceState:
    return next(each for each in reader.read() if each.sysname == plugged.sysname)


def test_a_program_that_comes_is_between_before_and_after(mouse: Plugged) -> None:
    with LiveReports(mouse.device) as live:
        mouse.uhid.send(mouse_report(1, 5, 0, 3))
        (first,) = come(live)
        assert first.before == first.after == mouse_report(1, 5, 0, 3)
        done("hid", "attach", "wheel", "--device", mouse.sysname, "invert=on")
        time.sleep(0.25)
        live.take()
        mouse.uhid.send(mouse_report(1, 5, 0, 3))
        (second,) = come(live)
    assert (second.before, second.after) == (mouse_report(1, 5, 0, 3), mouse_report(1, 5, 0, -3))
    expected = (("Button 1", 1, 1), ("X", 5, 5), ("Y", 0, 0), ("Wheel", 3, -3))
    assert second.fields == expected


def test_a_fixup_is_followed(mouse: Plugged) -> None:
    with LiveReports(mouse.device) as live:
        done("hid", "attach", "usages", "--device", mouse.sysname, f"from={WHEEL}", f"to={DIAL}")
        mouse.settle()

        def look() -> LiveReport | None:
            mouse.uhid.send(mouse_report(0, 0, 0, 3))
            return next((r for r in live.take() if ("Dial", None, 3) in r.fields), None)

        found = wait_for(look)
    assert found.before == found.after == mouse_report(0, 0, 0, 3)
    assert found.fields[2:] == (("Wheel", 3, None), ("Dial", None, 3))


def test_keys_are_masked_and_shown_to_who_asks(keyboard: Plugged, rules: Path) -> None:
    done("hid", "remap", str(rules), "--device", keyboard.sysname)
    with (
        LiveReports(keyboard.device) as masked,
        LiveReports(keyboard.device, masked=False) as shown,
    ):
        for usage in (4, 5, 0x3C):  # a, which is b; b; a macro
            keyboard.uhid.send(key(usage))
            keyboard.uhid.send(key(0))
        reports = come(masked, 6)
        assert [r.fields for r in reports] == [((KEYS_DOWN, n, None),) for n in (1, 0) * 3]
        assert {(r.before, r.after) for r in reports} == {(None, None)}
        clear = [r for r in come(shown, 6) if r.before is not None]
    assert (clear[0].before, clear[0].after) == (key(4), key(5))
    assert clear[0].fields == (("A", 1, 0), ("B", 0, 1))


def test_who_does_not_look_is_told_how_many_he_missed(mouse: Plugged) -> None:
    with LiveReports(mouse.device) as live:
        for n in range(700):
            mouse.uhid.send(mouse_report(0, n & 0x3F))
        assert len(live.take()) == MOST
        assert live.left_out == 700 - MOST


def test_a_device_that_goes_is_gone(mouse: Plugged) -> None:
    with LiveReports(mouse.device) as live:
        mouse.uhid.send(mouse_report(1))
        mouse.close()
        assert len(live.take()) == 1
        with pytest.raises(Gone, match="has been unplugged"):
            live.take()


def test_devices_tell_their_programs_rules_and_file(keyboard: Plugged, rules: Path) -> None:
    with DevicesReader() as reader:
        before = state_of(keyboard, reader)
        assert (before.kinds, before.programs, before.rules) == (("keyboard",), (), None)
        began = time.time()
        done("hid", "remap", str(rules), "--device", keyboard.sysname)
        now = state_of(keyboard, reader)
        assert now.programs is not None
        assert [(p.name, p.tool) for p in now.programs] == [("remap", "scxhid")]
        assert now.programs[0].since
        assert now.programs[0].since >= began - 1
        assert now.rules
        assert (now.rules.file, now.rules.is_edited) == (str(rules), False)
        assert [(line.key, line.does) for line in now.rules.lines] == [
            ("a", "b"),
            ("f3", "types h i"),
        ]
        assert f"rules of {rules} ({rules})" in done("hid", "info", keyboard.sysname).out

        rules.write_text('[keys]\na = "c"\n')
        edited = state_of(keyboard, reader).rules
        assert edited
        assert edited.is_edited
        assert edited.lines == now.rules.lines
        done("hid", "remap", str(rules), "--device", keyboard.sysname)
        again = state_of(keyboard, reader).rules
        assert again
        assert [line.does for line in again.lines] == ["c"]

        looks = 20
        started = time.process_time()
        for _ in range(looks):
            reader.read()
        print(f"a look at the devices: {(time.process_time() - started) / looks * 1e3:.1f} ms")
        done("hid", "detach", keyboard.sysname)
        assert state_of(keyboard, reader).programs == ()


def test_without_root_it_says_what_is_missing(
    keyboard: Plugged, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with DevicesReader() as reader:
        found = state_of(keyboard, reader)
    assert (found.programs, found.name) == (None, "A keyboard that is watched")
    assert found.missing == ("only root may see which programs and rules are on devices",)
