"""The keymaps that come with scxhid: each is right, and does on a device what it says."""

from __future__ import annotations

import ctypes
from pathlib import Path

import pytest

from pyloader.hid.parser import parse
from pyloader.hid.remap import actions, build
from pyloader.hid.remap.compose import find_file, keymaps, read_compose
from pyloader.hid.remap.model import Match
from pyloader.hid.remap.plan import serves
from pyloader.toml_text import shipped_names
from tests.guest.command import scxhid
from tests.hid_descriptors import KEYBOARD, MOUSE
from tests.hid_reports import sets
from tests.unit.remapped import Remapped, value_type

NAMES = shipped_names(keymaps())


def on(library: ctypes.CDLL, rdesc: bytes, name: str) -> Remapped:
    return Remapped(library, rdesc, Path(find_file(name)).read_text())


def test_there_are_some() -> None:
    assert {"capslock-escape", "home-row-mods", "left-handed-mouse", "vim-nav"} <= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_each_needs_no_more_than_a_usual_device_has(name: str) -> None:
    (rules,) = read_compose(find_file(name)).sections
    assert rules.device == Match()  # whose it is says the user
    rdescs = [r for r in (KEYBOARD, MOUSE) if serves(rules, build.places_of(parse(r)))]
    assert len(rdescs) == 1
    places = build.places_of(parse(rdescs[0]))
    assert actions.missing(rules, [places]) == []
    assert all(map(places.says, rules.sources()))
    assert any(actions.build_rules(rules, {0: places}, value_type("all_rules")))
    assert any(build.build_places(rules, places, value_type("all_places")))


@pytest.mark.parametrize("name", NAMES)
def test_each_says_on_top_what_it_is_and_what_to_beware_of(name: str) -> None:
    comment, _, _ = Path(find_file(name)).read_text().partition("\n[")
    first, *others = comment.splitlines()
    assert first.startswith("# ")
    assert first.endswith(".")
    assert any(line.startswith("# Beware: ") for line in others)


def test_they_are_listed() -> None:
    listed = scxhid("hid", "remap", "--list")
    assert listed.status == 0
    assert [line.split()[0] for line in listed.out.splitlines()[1:]] == NAMES
    as_json = scxhid("hid", "remap", "--list", "--json").json
    assert {"name": "natural-scroll", "about": as_json[NAMES.index("natural-scroll")]["about"]} in (
        as_json
    )
    assert scxhid("hid", "remap").status == 2


def test_caps_lock_is_escape_or_control(library: ctypes.CDLL) -> None:
    keyboard = on(library, KEYBOARD, "capslock-escape")
    keyboard.press("capslock")
    assert keyboard.release("capslock", after_ms=80) == sets("esc", "")
    keyboard.press("capslock")
    assert keyboard.press("c", after_ms=20)[-1] == {"leftctrl", "c"}
    keyboard.release("c")
    assert keyboard.release("capslock") == sets("")


def test_the_home_row_types_what_is_rolled_over(library: ctypes.CDLL) -> None:
    keyboard = on(library, KEYBOARD, "home-row-mods")
    keyboard.press("a")
    keyboard.press("s", after_ms=40)
    keyboard.release("a", after_ms=40)
    keyboard.release("s", after_ms=40)
    typed = [state for state in keyboard.states if state]
    assert typed[0] == {"a"}
    assert typed[-1] == {"s"}
    assert not {"leftmeta", "leftalt"} & frozenset[str]().union(*typed)


def test_the_home_row_holds_modifiers(library: ctypes.CDLL) -> None:
    keyboard = on(library, KEYBOARD, "home-row-mods")
    keyboard.press("d")
    keyboard.press("j", after_ms=30)
    keyboard.wait(250)
    assert keyboard.pressed == {"leftctrl", "rightshift"}
    assert keyboard.press("t")[-1] == {"leftctrl", "rightshift", "t"}
    keyboard.release("t")
    keyboard.release("d", "j")
    assert keyboard.pressed == set()
    keyboard.press("f")
    keyboard.press("o", after_ms=30)
    assert keyboard.release("o", after_ms=30)[-2:] == sets("leftshift o", "leftshift")
    keyboard.release("f")
    assert keyboard.pressed == set()


def test_words_are_passed_with_vi_s_keys(library: ctypes.CDLL) -> None:
    keyboard = on(library, KEYBOARD, "vim-nav")
    keyboard.press("leftshift")
    keyboard.press("capslock")
    assert keyboard.press("w")[-1] == {"leftshift", "leftctrl", "right"}
    assert keyboard.release("w")[-1] == {"leftshift"}
    assert keyboard.press("j")[-1] == {"leftshift", "down"}
    keyboard.release("j", "capslock", "leftshift")
    keyboard.press("capslock")
    assert keyboard.release("capslock", after_ms=80) == sets("esc", "")


def test_space_is_space_until_it_is_held(library: ctypes.CDLL) -> None:
    keyboard = on(library, KEYBOARD, "space-fn")
    keyboard.press("space")
    assert keyboard.release("space", after_ms=80) == sets("space", "")
    keyboard.press("space")
    keyboard.press("i", after_ms=30)
    assert "up" in keyboard.release("i", after_ms=30)[0]
    keyboard.press("equal")
    assert keyboard.pressed == {"f12"}
    keyboard.release("equal", "space")
    assert keyboard.pressed == set()


def test_the_other_hand_has_the_mouse(library: ctypes.CDLL) -> None:
    mouse = on(library, MOUSE, "left-handed-mouse")
    assert mouse.press("btn_left") == sets("btn_right")
    assert mouse.press("btn_right") == sets("btn_left btn_right")
    assert mouse.release("btn_left") == sets("btn_left")


def test_the_wheel_turns_the_other_way(library: ctypes.CDLL) -> None:
    mouse = on(library, MOUSE, "natural-scroll")
    mouse.send(mouse.report(0, {0x00010038: 1}))
    assert mouse.axis(0x00010038) == -1
