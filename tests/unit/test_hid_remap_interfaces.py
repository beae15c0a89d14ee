"""Rules on several interfaces of one device: the program itself, in virtual time."""

from __future__ import annotations

import ctypes
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.hid_descriptors import KEYBOARD, MOUSE, media, nkro
from tests.hid_reports import sets
from tests.unit.remapped import Remapped

RULES = """
[keys]
space = { hold = { layer = "nav" }, tap = "space", timeout_ms = 200, resolve = "press" }
capslock = "leftctrl"
f = { hold = "leftshift", tap = "f", timeout_ms = 150, resolve = "release" }
f1 = { toggle = "nav" }
f2 = { oneshot = "nav" }
f3 = { macro = ["a", "playpause", "b"] }
f9 = "playpause"
f10 = "leftctrl+mute"
volumeup = "pageup"
[layer.nav]
h = "left"
volumeup = "nextsong"
btn_left = "btn_right"
[combo]
"j+mute" = { to = "esc", within_ms = 40 }
"""


@pytest.fixture(params=[KEYBOARD, nkro(0), nkro(3)], ids=["array", "bitmap", "numbered"])
def device(request: pytest.FixtureRequest, library: ctypes.CDLL) -> Remapped:
    return Remapped(library, request.param, RULES, media(), MOUSE)


def test_a_layer_of_one_counts_on_the_others(device: Remapped) -> None:
    device.press("space")
    assert device.press("volumeup", on=1)[-1] == {"nextsong"}
    assert device.press("btn_left", on=2)[-1] == {"nextsong", "btn_right"}
    device.release("space")
    assert device.pressed == {"nextsong", "btn_right"}
    device.release("volumeup", on=1)
    assert device.release("btn_left", on=2)[-1] == frozenset()
    device.press("volumeup", on=1)
    assert device.pressed == {"pageup"}  # said by the keyboard, which was poked
    device.release("volumeup", on=1)
    assert device.pressed == set()


def test_a_key_that_another_interface_says(device: Remapped) -> None:
    assert device.press("f9") == sets("", "playpause")
    assert device.release("f9") == sets("playpause", "")
    device.press("f10")
    assert device.pressed == {"leftctrl", "mute"}
    device.press("capslock")
    device.release("f10")
    assert device.pressed == {"leftctrl"}
    device.release("capslock")
    assert device.pressed == set()


def test_what_is_pressed_on_another_tells_a_tap_from_a_hold(device: Remapped) -> None:
    device.press("f")
    device.press("mute", on=1, after_ms=10)
    assert device.pressed == set()
    device.release("mute", on=1, after_ms=10)
    assert device.pressed == {"leftshift"}
    device.release("f")
    assert device.pressed == set()
    assert frozenset({"leftshift", "mute"}) in device.states


def test_a_combo_over_two_interfaces(device: Remapped) -> None:
    device.press("j")
    device.press("mute", on=1, after_ms=20)
    assert device.pressed == {"esc"}
    device.release("mute", on=1)
    assert device.pressed == set()
    device.release("j")
    device.press("mute", on=1)
    device.wait(50)
    assert device.pressed == {"mute"}
    device.release("mute", on=1)
    assert device.pressed == set()


def test_a_one_shot_layer_is_for_the_next_key_of_any(device: Remapped) -> None:
    device.press("f2")
    device.release("f2")
    device.press("volumeup", on=1)
    assert device.pressed == {"nextsong"}
    device.release("volumeup", on=1)
    assert device.press("h")[-1] == {"h"}


def test_a_macro_over_two_interfaces_leaves_nothing_pressed(device: Remapped) -> None:
    before = len(device.states)
    device.press("f3")
    seen = set(device.states[before:])
    assert {frozenset({"a"}), frozenset({"playpause"}), frozenset({"b"})} <= seen
    device.release("f3")
    assert device.pressed == set()


def test_the_panic_chord_ends_it_on_all(device: Remapped) -> None:
    device.press("volumeup", on=1)
    device.press("capslock")
    assert device.pressed == {"pageup", "leftctrl"}
    device.press("backspace", "esc", "enter")
    assert device.is_bypassed
    assert device.pressed == {"volumeup", "capslock", "backspace", "esc", "enter"}
    device.release("backspace", "esc", "enter", "capslock")
    device.release("volumeup", on=1)
    assert device.pressed == set()
    assert device.press("volumeup", on=1)[-1] == {"volumeup"}


def test_an_interface_that_goes_takes_its_layers_along(device: Remapped) -> None:
    device.press("space")
    device.press("volumeup", on=1)
    assert device.pressed == {"nextsong"}
    device.unplug(0)
    device.release("volumeup", on=1)
    assert device.pressed == set()
    device.press("volumeup", on=1)
    assert device.pressed == set()  # nobody is left to say pageup
    device.release("volumeup", on=1)
    device.press("btn_left", on=2)
    assert device.pressed == {"btn_left"}


def test_keys_of_one_that_goes_are_released_on_the_others(library: ctypes.CDLL) -> None:
    device = Remapped(library, KEYBOARD, '[keys]\nvolumeup = "pageup"\n', media())
    device.press("volumeup", on=1)
    assert device.pressed == {"pageup"}
    assert device.unplug(1)[-1] == frozenset()


def test_two_interfaces_that_say_one_key(library: ctypes.CDLL) -> None:
    device = Remapped(library, KEYBOARD, '[keys]\ncapslock = "leftctrl"\n', nkro(0))
    device.press("capslock")
    device.press("capslock", on=1)
    assert device.pressed == {"leftctrl"}
    device.release("capslock")
    assert device.pressed == {"leftctrl"}
    device.release("capslock", on=1)
    assert device.pressed == set()


def test_a_poke_that_comes_late_loses_nothing(device: Remapped) -> None:
    device.pokes = False
    for _ in range(3):
        device.press("f9")
        device.release("f9")
    before = len(device.states)
    device.pokes = True
    device.settle()
    played = [state for state in device.states[before:] if state]
    assert played.count(frozenset({"playpause"})) == 3
    assert device.pressed == set()


def test_so_many_that_they_find_no_room_release_all(device: Remapped) -> None:
    device.pokes = False
    for _ in range(300):
        device.press("f9", after_ms=0.1)
        device.release("f9", after_ms=0.1)
    device.press("f9")
    device.pokes = True
    device.settle()
    device.release("f9")
    assert device.pressed == set()
    device.press("f9")
    assert device.pressed == {"playpause"}


class Step(NamedTuple):
    """A key of an interface changes; ``point`` > 0: so does the other, at that point of the run."""

    key: tuple[int, str]
    other: tuple[int, str]
    after_ms: int
    point: int
    changes: bool
    pokes: bool


KEYS = (
    *((0, key) for key in ("space", "capslock", "f", "f1", "f2", "f3", "f9", "f10", "h", "j")),
    *((1, key) for key in ("volumeup", "mute", "playpause")),
    *((2, key) for key in ("btn_left", "btn_right")),
)
OTHER = '[keys]\nh = "mute"\nf9 = { hold = { layer = "a" }, tap = "b" }\n[layer.a]\nmute = "f"\n'
STEPS = st.builds(
    Step,
    *(st.sampled_from(KEYS), st.sampled_from(KEYS), st.integers(0, 260), st.integers(0, 20)),
    *(st.booleans(), st.booleans()),
)


@settings(max_examples=150, deadline=None)
@given(steps=st.lists(STEPS, max_size=40), kind=st.sampled_from([KEYBOARD, nkro(0), nkro(3)]))
def test_when_all_keys_are_up_nothing_is_pressed(
    library: ctypes.CDLL, steps: list[Step], kind: bytes
) -> None:
    """Whatever was typed where, and whenever the rules changed; also what came from two at once."""
    device = Remapped(library, kind, RULES, media(), MOUSE)
    down: set[tuple[int, str]] = set()
    rules = RULES
    for step in steps:
        device.pokes = step.pokes
        if step.changes:
            rules = OTHER if rules == RULES else RULES
            device.set_rules(rules)
        (on, key), (other, second) = step.key, step.other
        if step.point and other != on:
            change(device, down, other, second, step.point)
        is_up = step.key in down
        down ^= {step.key}
        device.change(
            () if is_up else (key,), (key,) if is_up else (), after_ms=step.after_ms, on=on
        )
        device.finish_meanwhile(other)
    device.pokes = True
    for on in range(3):
        device.release(*(key for where, key in down if where == on), on=on)
    device.wait(1000)
    device.settle()
    assert device.pressed == set()
    # And typing goes on.
    device.set_rules('[keys]\ncapslock = "playpause"\n')
    device.press("capslock")
    assert device.pressed == {"playpause"}
    device.release("capslock")
    assert device.pressed == set()


def change(device: Remapped, down: set[tuple[int, str]], on: int, key: str, point: int) -> None:
    is_up = (on, key) in down
    down ^= {(on, key)}
    device.meanwhile(point, () if is_up else (key,), (key,) if is_up else (), on)
