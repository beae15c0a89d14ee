"""Rules on several interfaces of one device, and devices that are asked what is pressed."""

from __future__ import annotations

import time
from collections.abc import Generator
from contextlib import ExitStack
from pathlib import Path

import pytest

from pyloader.hid.remap import codes
from tests import hid_reports
from tests.guest.command import done, scxhid
from tests.guest.hid import Plugged, wait_for
from tests.guest.typist import Typist
from tests.hid_descriptors import KEYBOARD, media
from tests.hid_reports import sets

PINS = Path("/sys/fs/bpf/scxhid/hid")

RULES = """
[keys]
space = { hold = { layer = "nav" }, tap = "space", timeout_ms = 5000, resolve = "press" }
f9 = "playpause"
volumeup = "pageup"
[layer.nav]
volumeup = "nextsong"
"""


class Device(ExitStack):
    """A keyboard with two interfaces, and somebody at each."""

    def __init__(self) -> None:
        super().__init__()
        self.keys = self.enter_context(Plugged("Two of a kind", KEYBOARD, phys="tests-7/input0"))
        self.media = self.enter_context(
            Plugged("Two of a kind Media", media(), phys="tests-7/input1")
        )
        assert self.keys.is_bound()
        assert self.media.is_bound()
        self.hands = self.enter_context(Typist(self.keys))
        self.thumb = self.enter_context(Typist(self.media))


@pytest.fixture
def device() -> Generator[Device]:
    with Device() as device:
        yield device


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    path = tmp_path / "two.toml"
    path.write_text(RULES)
    return path


def test_layers_of_one_count_on_the_other(device: Device, rules: Path) -> None:
    said = done("hid", "remap", str(rules), "--device", device.keys.sysname, "--json").json
    assert said["interfaces"] == [device.keys.sysname, device.media.sysname]
    assert (said["added_keys"], said["replaced"]) == ([], False)
    assert device.hands.press("space") == sets("")
    assert device.thumb.press("volumeup") == sets("nextsong")
    assert device.thumb.release("volumeup") == sets("")
    device.hands.release("space")
    device.thumb.press("volumeup")
    assert device.hands.come_out(3)[-1] == {"pageup"}
    device.thumb.release("volumeup")
    assert device.hands.come_out(3)[-1] == frozenset()
    assert device.hands.press("f9") == sets("")
    assert device.thumb.come_out(3)[-1] == {"playpause"}
    device.hands.release("f9")
    assert device.thumb.come_out(3)[-1] == frozenset()


def test_rules_are_replaced_and_end_on_both(device: Device, rules: Path) -> None:
    command = ("hid", "remap", str(rules), "--device", device.media.sysname)
    done(*command)
    device.thumb.press("volumeup")
    assert device.hands.come_out(3)[-1] == {"pageup"}
    rules.write_text('[keys]\nf9 = "nextsong"\n')
    assert done(*command, "--json").json["replaced"]
    device.thumb.release("volumeup")
    assert device.hands.come_out(3)[-1] == frozenset()
    device.hands.press("f9")
    assert device.thumb.come_out(3)[-1] == {"nextsong"}
    said = done("hid", "detach", device.keys.sysname, "remap").out
    assert f"remap off {device.media.sysname}" in said
    assert device.thumb.come_out(3)[-1] == frozenset()
    assert device.hands.come_out(3)[-1] == {"f9"}
    device.hands.release("f9")
    assert list(PINS.iterdir()) == []


def test_the_panic_chord_ends_it_on_both(device: Device, rules: Path) -> None:
    done("hid", "remap", str(rules), "--device", device.keys.sysname)
    device.thumb.press("volumeup")
    assert device.hands.come_out(3)[-1] == {"pageup"}
    assert device.hands.press("backspace", "esc", "enter")[-1] == {"backspace", "esc", "enter"}
    assert device.thumb.come_out(3)[-1] == {"volumeup"}
    device.hands.release("backspace", "esc", "enter")
    assert device.thumb.release("volumeup") == sets("")
    again = done("hid", "remap", str(rules), "--device", device.keys.sysname, "--json").json
    assert not again["replaced"]
    device.hands.come_out(1)
    device.thumb.come_out(1)
    device.hands.press("space")
    assert device.thumb.press("volumeup")[-1] == {"nextsong"}


def test_an_interface_that_is_plugged_in_anew_joins(rules: Path) -> None:
    with Plugged("Two of a kind", KEYBOARD, phys="tests-8/input0") as keys:
        assert keys.is_bound()
        command = ("hid", "remap", str(rules), "--device", keys.sysname)
        with Plugged("Two of a kind Media", media(), phys="tests-8/input1") as first:
            assert first.is_bound()
            done(*command)
        with (
            Plugged("Two of a kind Media", media(), phys="tests-8/input1") as second,
            Typist(keys) as hands,
        ):
            assert second.is_bound()
            hands.press("space")
            assert done(*command, "--json").json["interfaces"][1:] == [second.sysname]
            with Typist(second) as thumb:
                assert thumb.press("volumeup") == sets("nextsong")
                hands.release("space")
                assert thumb.release("volumeup") == sets("")


def test_an_interface_that_goes_while_its_key_waits_leaves_nothing_pressed(rules: Path) -> None:
    """The timer was set there: it finds nobody, and lets the other interface go on."""
    rules.write_text(
        '[keys]\nmute = { hold = "leftshift", tap = "a", timeout_ms = 300 }\n'
        'volumeup = { layer = "nav" }\n[layer.nav]\nh = "left"\n'
    )
    with Plugged("Two of a kind", KEYBOARD, phys="tests-9/input0") as keys:
        assert keys.is_bound()
        command = ("hid", "remap", str(rules), "--device", keys.sysname)
        with Plugged("Two of a kind Media", media(), phys="tests-9/input1") as other:
            assert other.is_bound()
            done(*command)
            with Typist(other) as thumb:
                thumb.press("volumeup")
                thumb.press("mute")
        with Typist(keys) as hands:
            assert hands.come_out(3)[-1:] in ([], sets(""))
            assert hands.press("h") == sets("h")
            assert hands.release("h") == sets("")


def test_it_is_asked_what_is_pressed_when_a_report_may_be_lost(tmp_path: Path) -> None:
    """A report that the device sends while one of ours is under way is lost: here it sends none."""
    inputs: dict[int, bytes] = {}
    path = tmp_path / "asked.toml"
    path.write_text('[keys]\nf = { hold = "leftshift", tap = "f", timeout_ms = 50 }\n')
    with Plugged("A keyboard that answers", KEYBOARD, inputs=inputs) as plugged:
        assert plugged.is_bound()
        done("hid", "remap", str(path), "--device", plugged.sysname)
        with Typist(plugged) as hands:

            def hold_f() -> None:
                hands.press("f")
                assert hands.come_out(3)[-1] >= {"leftshift"}

            inputs[0] = report(plugged, "a", "f")
            hands.press("a")
            hold_f()
            wait_for(lambda: stats(plugged)["asked"] >= 1 or None)
            time.sleep(0.2)  # until it has answered
            hands.release("f")
            # Believed now: a is up, and no report says so.
            inputs[0] = report(plugged, "f")
            hands.press("f")
            wait_for(lambda: "a" not in (hands.come_out(0.2) or [{"a"}])[-1] or None)
            wait_for(lambda: stats(plugged)["lost"] == 1 or None)


def test_one_that_never_answers_right_is_left_in_peace(tmp_path: Path) -> None:
    path = tmp_path / "asked.toml"
    path.write_text('[keys]\nf = { hold = "leftshift", tap = "f", timeout_ms = 20 }\n')
    with Plugged("A keyboard that says zeros", KEYBOARD, inputs={0: bytes(8)}) as plugged:
        assert plugged.is_bound()
        done("hid", "remap", str(path), "--device", plugged.sysname)
        with Typist(plugged) as hands:
            hands.press("a")
            for _ in range(12):
                hands.press("f")
                assert hands.come_out(3)[-1] == {"a", "leftshift"}
                hands.release("f")
            assert stats(plugged)["asked"] <= 8
            assert stats(plugged)["lost"] == 0
            assert hands.release("a") == sets("")


def report(plugged: Plugged, *names: str) -> bytes:
    pressed = {codes.codes_of(name)[0] for name in names}
    return hid_reports.make(plugged.device.descriptor, 0, pressed)


def stats(plugged: Plugged) -> dict[str, int]:
    said: dict[str, int] = done("hid", "stats", plugged.sysname, "remap", "--json").json
    return said


def test_rules_for_two_devices_are_refused_but_not_for_two_interfaces(
    device: Device, rules: Path
) -> None:
    rules.write_text('[device]\nname = "Two of a kind*"\n' + RULES)
    done("hid", "remap", str(rules))
    done("hid", "detach", device.keys.sysname)
    with Plugged("Two of a kind", KEYBOARD, phys="tests-9/input0") as another:
        assert another.is_bound()
        refused = scxhid("hid", "remap", str(rules))
        assert refused.status == 2
        assert "is for 2 devices that are there" in refused.err
