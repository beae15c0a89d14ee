"""Rules of a file on devices: in force, replaced, taken back."""

from __future__ import annotations

import os
import time
from collections.abc import Generator
from pathlib import Path

import pytest

from tests.guest.command import done, scxhid
from tests.guest.hid import Plugged
from tests.guest.typist import Typist
from tests.hid_descriptors import KEYBOARD, MOUSE, nkro
from tests.hid_reports import sets

PINS = Path("/sys/fs/bpf/scxhid/hid")

NAV = """
[device]
name = "A keyboard of the *"
[keys]
capslock = "leftctrl"
space = { hold = { layer = "nav" }, tap = "space", timeout_ms = 200 }
f = { hold = "leftshift", tap = "f", timeout_ms = 100 }
f3 = { macro = ["h", "i"] }
[layer.nav]
h = "left"
[combo]
"j+k" = { to = "esc", within_ms = 50 }
"""


@pytest.fixture(
    params=[
        pytest.param(KEYBOARD, id="array", marks=pytest.mark.slow),
        pytest.param(nkro(3), id="numbered"),
    ]
)
def keyboard(request: pytest.FixtureRequest) -> Generator[Plugged]:
    with Plugged("A keyboard of the tests", request.param) as plugged:
        assert plugged.is_bound()
        yield plugged


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    path = tmp_path / "mine.toml"
    path.write_text(NAV)
    return path


def test_keys_are_others(keyboard: Plugged, rules: Path) -> None:
    said = done("hid", "remap", str(rules))
    assert f"rules count now on {keyboard.sysname} (A keyboard of the tests), in force" in said.out
    with Typist(keyboard) as typist:
        assert typist.press("capslock") == sets("leftctrl")
        assert typist.press("a") == sets("leftctrl a")
        assert typist.release("capslock", "a") == sets("")
        assert typist.press("f3") == sets("h", "", "i", "", "")
        assert typist.release("f3") == sets("")


def test_a_layer_carries_a_modifier(keyboard: Plugged, rules: Path) -> None:
    layer = 'h = "left"\nwith = "leftshift"\nf9 = "playpause"\n'
    rules.write_text(NAV.replace('h = "left"\n', layer))
    said = done("hid", "remap", str(rules), "--check")
    assert "what they do without it, with leftshift" in said.out
    done("hid", "remap", str(rules))
    with Typist(keyboard) as typist:
        assert set(typist.press("space")) == {frozenset()}
        assert typist.come_out(1.0)[-1] == {"leftshift"}  # by time alone
        assert typist.press("a")[-1] == {"leftshift", "a"}
        assert typist.release("a")[-1] == {"leftshift"}
        for key, meant in (("h", "left"), ("f9", "playpause")):
            with_it = {state for state in typist.press(key) if meant in state}
            assert with_it == {frozenset([meant])}
            assert typist.release(key)[-1] == {"leftshift"}
        assert typist.release("space")[-1] == frozenset()


def test_what_only_time_decides_comes_by_itself(keyboard: Plugged, rules: Path) -> None:
    done("hid", "remap", str(rules))
    with Typist(keyboard) as typist:
        assert typist.press("f") == sets("")
        assert typist.come_out(3) == sets("leftshift")
        assert typist.release("f") == sets("")
        assert typist.press("j") == sets("")
        assert typist.come_out(3) == sets("j")
        assert typist.release("j") == sets("")
        typist.press("space")
        typist.press("h")
        assert typist.come_out(3) == sets("left")
        typist.release("h", "space")
        assert typist.press("j", "k") == sets("esc")
        assert typist.release("j", "k") == sets("")


def test_edited_rules_count_while_keys_are_held(keyboard: Plugged, rules: Path) -> None:
    done("hid", "remap", str(rules))
    with Typist(keyboard) as typist:
        typist.press("capslock")
        rules.write_text('[device]\nname = "A keyboard of the *"\n[keys]\ncapslock = "a"\n')
        said = done("hid", "remap", str(rules), "--json").json
        assert said["replaced"]
        assert typist.press("b") == sets("leftctrl b")
        assert typist.release("capslock") == sets("b")
        assert typist.press("capslock") == sets("a b")
        assert typist.release("capslock", "b") == sets("")


def test_off_it_says_what_the_device_says(keyboard: Plugged, rules: Path) -> None:
    done("hid", "remap", str(rules))
    with Typist(keyboard) as typist:
        typist.press("capslock")
        done("hid", "detach", keyboard.sysname)
        assert typist.come_out(3) == sets("capslock")
        assert typist.release("capslock") == sets("")
    assert list(PINS.iterdir()) == []


def test_the_panic_chord_ends_it_and_the_command_begins_it_again(
    keyboard: Plugged, rules: Path
) -> None:
    done("hid", "remap", str(rules))
    with Typist(keyboard) as typist:
        typist.press("capslock")
        typist.press("backspace", "esc", "enter")
        assert typist.release("backspace", "esc", "enter") == sets("capslock")
        typist.release("capslock")
        done("hid", "remap", str(rules))
        assert typist.come_out() == sets("")  # what the device said last, once more
        assert typist.press("capslock") == sets("leftctrl")
        typist.release("capslock")


def test_keys_that_the_device_lacks_are_added(keyboard: Plugged, rules: Path) -> None:
    before = keyboard.device.rdesc
    rules.write_text('[keys]\nf9 = "playpause"\nf10 = "btn_left"\na = "b"\n')
    command = ("hid", "remap", str(rules), "--device", keyboard.sysname)
    said = done(*command, "--json").json
    assert said["added_keys"] == ["playpause", "btn_left"]
    assert len(keyboard.device.rdesc) > len(before)
    with Typist(keyboard) as typist:
        assert typist.press("f9")[-1] == {"playpause"}
        assert typist.press("a")[-1] == {"playpause", "b"}
        assert typist.release("f9")[-1] == {"b"}
        assert typist.press("f10")[-1] == {"b", "btn_left"}
        assert typist.release("f10", "a")[-1] == frozenset()
        # Once: rules that press other keys need no more.
        rules.write_text('[keys]\nf9 = "nextsong"\n')
        again = done(*command, "--json").json
        assert (again["added_keys"], again["replaced"]) == ([], True)
        assert typist.press("f9")[-1] == {"nextsong"}
        typist.release("f9")
    done("hid", "detach", keyboard.sysname)
    assert keyboard.device.rdesc == before


def test_a_mouse() -> None:
    with Plugged("A mouse of the tests", MOUSE) as mouse:
        assert mouse.is_bound()
        path = Path("/tmp/mouse.toml")
        path.write_text('[buttons]\nleft = "right"\n[axes]\nx = { scale = -2.0 }\n')
        done("hid", "remap", str(path), "--device", mouse.sysname)
        with Typist(mouse) as typist:
            assert typist.press("btn_left") == sets("btn_right")
            assert typist.release("btn_left") == sets("")
            fd = os.open(f"/dev/{mouse.device.node.hidraw}", os.O_RDONLY | os.O_NONBLOCK)
            mouse.uhid.send(bytes([0, 5, 5, 0]))
            time.sleep(0.05)
            assert os.read(fd, 64) == bytes([0, 256 - 10, 5, 0])
            os.close(fd)


def test_wrong_uses_change_nothing(keyboard: Plugged, rules: Path, tmp_path: Path) -> None:
    bad = tmp_path / "bad.toml"
    bad.write_text('[keys]\ncapslok = "a"\n')
    refused = scxhid("hid", "remap", str(bad))
    assert refused.status == 1
    assert (
        f"{bad}:2:1: [keys] capslok names 'capslok', which is no key; did you mean" in refused.err
    )
    bad.write_text("[buttons]\nleft = 'right'\n")
    refused = scxhid("hid", "remap", str(bad), "--device", keyboard.sysname)
    assert refused.status == 2
    assert "has none of the keys and axes that" in refused.err
    rules.write_text(NAV.replace("A keyboard", "No keyboard"))
    refused = scxhid("hid", "remap", str(rules))
    assert refused.status == 2
    assert "is for no device that is there" in refused.err
    assert scxhid("hid", "remap", "/absent.toml").status == 1
    assert not PINS.exists() or list(PINS.iterdir()) == []
    checked = done("hid", "remap", str(rules), "--device", keyboard.sysname, "--check")
    assert "nothing was changed" in checked.out
    assert not PINS.exists() or list(PINS.iterdir()) == []
