"""What remapped keys do: the program itself, in virtual time."""

from __future__ import annotations

import ctypes
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyloader.hid.parser import parse
from pyloader.hid.remap.extra import extra_keys
from tests.hid_descriptors import KEYBOARD, MOUSE, nkro
from tests.hid_reports import sets
from tests.unit.remapped import Remapped

Make = Callable[..., Remapped]

NAV = """
[keys]
capslock = "leftctrl"
rightalt = { hold = { layer = "nav" }, tap = "compose", timeout_ms = 180, resolve = "press" }
space = { hold = { layer = "nav" }, tap = "space", timeout_ms = 200 }
f = { hold = "leftshift", tap = "f", timeout_ms = 150, resolve = "release" }
f1 = { toggle = "nav" }
f2 = { oneshot = "nav" }
f3 = { macro = ["h", "i", "leftshift+1"] }
f4 = "none"
q = "leftctrl+left"
[layer.nav]
h = "left"
j = "down"
x = "pass"
[combo]
"j+k" = { to = "esc", within_ms = 40 }
"""


@pytest.fixture(params=[KEYBOARD, nkro(0), nkro(3)], ids=["array", "bitmap", "numbered"])
def keyboard(request: pytest.FixtureRequest, library: ctypes.CDLL) -> Remapped:
    return Remapped(library, request.param, NAV)


def test_a_key_is_another(keyboard: Remapped) -> None:
    assert keyboard.press("capslock") == sets("leftctrl")
    assert keyboard.press("a") == sets("leftctrl a")
    assert keyboard.release("capslock") == sets("a")
    assert keyboard.release("a") == sets("")


def test_a_key_that_does_nothing(keyboard: Remapped) -> None:
    assert keyboard.press("f4") == sets("")
    assert keyboard.press("b") == sets("b")
    assert keyboard.release("f4") == sets("b")


def test_a_key_is_several(keyboard: Remapped) -> None:
    assert keyboard.press("q") == sets("leftctrl left")
    assert keyboard.release("q") == sets("")


def test_two_keys_press_one_and_it_is_released_with_the_last(keyboard: Remapped) -> None:
    keyboard.press("leftctrl")
    assert keyboard.press("capslock") == sets("leftctrl")
    assert keyboard.release("leftctrl") == sets("leftctrl")
    assert keyboard.release("capslock") == sets("")


def test_tapped(keyboard: Remapped) -> None:
    assert keyboard.press("rightalt") == sets("")
    assert keyboard.release("rightalt", after_ms=100) == sets("compose", "")


def test_held_as_another_key_is_pressed(keyboard: Remapped) -> None:
    keyboard.press("rightalt")
    assert keyboard.press("h") == sets("left")
    assert keyboard.release("h", "rightalt") == sets("")
    assert keyboard.press("h") == sets("h")


def test_held_by_time_alone(keyboard: Remapped) -> None:
    keyboard.press("space")
    assert keyboard.press("h", after_ms=20) == sets("")
    assert keyboard.release("space", after_ms=20) == sets("space", "h space", "h")
    keyboard.release("h")
    keyboard.press("space")
    assert keyboard.press("h", after_ms=250) == sets("left")
    assert keyboard.release("h") == sets("")
    keyboard.release("space")
    assert keyboard.pressed == set()


def test_held_by_time_alone_with_a_key_waiting(keyboard: Remapped) -> None:
    """Nothing more is typed: the timer has to say it."""
    keyboard.press("space")
    keyboard.press("h", after_ms=20)
    assert keyboard.pressed == set()
    keyboard.wait(300)
    assert keyboard.pressed == {"left"}
    keyboard.release("space")
    assert keyboard.pressed == {"left"}
    assert keyboard.release("h") == sets("")


def test_held_as_another_key_is_tapped(keyboard: Remapped) -> None:
    keyboard.press("f")
    assert keyboard.press("a", after_ms=10) == sets("")
    assert keyboard.release("a", after_ms=10) == sets("leftshift", "leftshift a", "leftshift")
    assert keyboard.release("f") == sets("")
    keyboard.press("f")
    keyboard.press("a", after_ms=10)
    assert keyboard.release("f", after_ms=10) == sets("f", "a f", "a")  # rolled over it
    assert keyboard.release("a") == sets("")


def test_a_key_that_is_held_alone_is_pressed_by_the_timer(keyboard: Remapped) -> None:
    keyboard.press("f")
    keyboard.wait(149)
    assert keyboard.pressed == set()
    keyboard.wait(2)
    assert keyboard.pressed == {"leftshift"}
    assert keyboard.release("f") == sets("")


def test_toggled(keyboard: Remapped) -> None:
    keyboard.press("f1")
    keyboard.release("f1")
    assert keyboard.press("h") == sets("left")
    keyboard.release("h")
    assert keyboard.press("x") == sets("x")
    keyboard.release("x")
    keyboard.press("f1")
    keyboard.release("f1")
    assert keyboard.press("h") == sets("h")


def test_layers_that_lead_to_each_other(library: ctypes.CDLL) -> None:
    """A circle is no fault: nothing follows it by itself, each step is a key."""
    rules = """
    [keys]
    a = { layer = "one" }
    f1 = { toggle = "one" }
    f2 = { toggle = "two" }
    [layer.one]
    b = { layer = "two" }
    f2 = { toggle = "two" }
    h = "1"
    [layer.two]
    a = { layer = "one" }
    c = { layer = "one" }
    f1 = { toggle = "one" }
    h = "2"
    """
    keyboard = Remapped(library, KEYBOARD, rules)
    keyboard.press("a")
    keyboard.press("b")
    keyboard.press("c")
    assert keyboard.press("h") == sets("2")
    assert keyboard.release("h") == sets("")
    keyboard.release("b")
    assert keyboard.press("h") == sets("1")
    keyboard.release("h", "a", "c")
    assert keyboard.press("h") == sets("h")
    keyboard.release("h")
    for key, states in (("f1", "1"), ("f2", "2"), ("f1", "2"), ("f1", "2"), ("f2", "1")):
        keyboard.press(key)
        keyboard.release(key)
        assert keyboard.press("h") == sets(states)
        keyboard.release("h")
    assert keyboard.pressed == set()


def test_for_one_key(keyboard: Remapped) -> None:
    keyboard.press("f2")
    keyboard.release("f2")
    assert keyboard.press("h") == sets("left")
    assert keyboard.release("h") == sets("")
    assert keyboard.press("h") == sets("h")
    keyboard.release("h")
    keyboard.press("f2")
    assert keyboard.press("h") == sets("left")
    keyboard.release("f2")
    keyboard.release("h")
    assert keyboard.press("h") == sets("h")  # it served while it was held


def test_typed(keyboard: Remapped) -> None:
    assert keyboard.press("f3") == sets("h", "", "i", "", "leftshift 1", "", "")
    assert keyboard.release("f3") == sets("")


def test_pressed_together(keyboard: Remapped) -> None:
    keyboard.press("j")
    assert keyboard.pressed == set()
    assert keyboard.press("k", after_ms=30) == sets("esc")
    assert keyboard.release("j") == sets("")
    assert keyboard.press("j") == sets("")
    keyboard.wait(50)
    assert keyboard.pressed == {"j"}  # alone now, since k belongs to what has ended
    assert keyboard.release("k") == sets("j")
    assert keyboard.release("j") == sets("")


def test_not_quite_together(keyboard: Remapped) -> None:
    keyboard.press("j")
    keyboard.wait(45)
    assert keyboard.pressed == {"j"}
    keyboard.press("k")
    keyboard.wait(45)
    assert keyboard.pressed == {"j", "k"}
    keyboard.release("j", "k")
    keyboard.press("j")
    assert keyboard.press("a", after_ms=10) == sets("j", "a j")
    keyboard.release("j", "a")
    keyboard.press("j")
    assert keyboard.release("j", after_ms=10) == sets("j", "")


def test_the_panic_chord(keyboard: Remapped) -> None:
    keyboard.press("capslock", "a")
    keyboard.press("backspace")
    keyboard.press("esc")
    assert not keyboard.is_bypassed
    keyboard.press("enter")
    assert keyboard.is_bypassed
    assert keyboard.pressed == {"capslock", "a", "backspace", "esc", "enter"}
    keyboard.release("capslock", "a", "backspace", "esc", "enter")
    assert keyboard.press("capslock") == sets("capslock")


def test_other_rules_while_keys_are_held(keyboard: Remapped) -> None:
    keyboard.press("capslock")
    keyboard.press("rightalt")
    keyboard.press("h")
    keyboard.set_rules('[keys]\ncapslock = "a"\nh = "b"\n')
    assert keyboard.pressed == {"leftctrl", "left"}
    keyboard.release("h")
    assert keyboard.release("capslock", "rightalt") == sets("")
    assert keyboard.press("capslock") == sets("a")


def test_a_keyboard_that_lost_count_changes_nothing(library: ctypes.CDLL) -> None:
    keyboard = Remapped(library, KEYBOARD, NAV)
    keyboard.press("a", "b")
    keyboard.send(bytes([0, 0, *[1] * 6]))
    assert keyboard.pressed == {"a", "b"}
    keyboard.release("a")
    assert keyboard.pressed == {"b"}


def test_reports_that_are_too_short_or_too_long(keyboard: Remapped) -> None:
    keyboard.press("capslock")
    head = keyboard.last[:1] if keyboard.places.reports[0][0] else b""
    for size in (1, 2, 5, 64):
        keyboard.send((head + bytes(64))[:size])
        assert keyboard.pressed == set()


BUTTONS = """
[buttons]
left = "right"
right = "left"
middle = { macro = ["right", "right"] }
[axes]
x = { scale = -1.0 }
y = { scale = 0.3 }
"""


def test_buttons_and_axes(library: ctypes.CDLL) -> None:
    mouse = Remapped(library, MOUSE, BUTTONS)
    assert mouse.press("btn_left") == sets("btn_right")
    mouse.release("btn_left")
    assert mouse.press("btn_right") == sets("btn_left")
    mouse.send(mouse.report(0, {0x10030: 10, 0x10031: 1}))
    assert (mouse.axis(0x10030), mouse.axis(0x10031)) == (-10, 0)
    moved = 0
    for _ in range(9):
        mouse.send(mouse.report(0, {0x10031: 1}))
        moved += mouse.axis(0x10031)
    assert moved == 2 or moved == 3
    assert mouse.axis(0x10030) == 0
    assert mouse.pressed == {"btn_left"}


def test_movement_is_not_repeated_by_reports_of_ours(library: ctypes.CDLL) -> None:
    mouse = Remapped(library, MOUSE, BUTTONS)
    mouse.send(mouse.report(0, {0x10030: 5}))
    out = len(mouse.states)
    mouse.press("btn_middle")
    assert mouse.states[out:] == sets("btn_right", "", "btn_right", "", "")
    assert mouse.axis(0x10030) == 0


KEYS = ("capslock", "rightalt", "space", "f", "f1", "f2", "f3", "q", "h", "j", "k", "x", "a")
OTHER = '[keys]\na = "b"\nh = { hold = "leftmeta", tap = "h" }\n[combo]\n"q+x" = { to = "y" }\n'
Step = tuple[str, int, bool]


@settings(max_examples=300, deadline=None)
@given(
    steps=st.lists(
        st.tuples(st.sampled_from(KEYS), st.integers(0, 260), st.booleans()), max_size=60
    ),
    kind=st.sampled_from([KEYBOARD, nkro(0), nkro(3)]),
)
def test_when_all_keys_are_up_nothing_is_pressed(
    library: ctypes.CDLL, steps: list[Step], kind: bytes
) -> None:
    """Whatever was typed, how fast, and whenever the rules changed."""
    keyboard = Remapped(library, kind, NAV)
    down: set[str] = set()
    rules = NAV
    for key, after_ms, changes in steps:
        if changes:
            rules = OTHER if rules == NAV else NAV
            keyboard.set_rules(rules)
        if key in down:
            down.discard(key)
            keyboard.release(key, after_ms=after_ms)
        elif len(down) < 6:
            down.add(key)
            keyboard.press(key, after_ms=after_ms)
    keyboard.release(*down)
    keyboard.wait(1000)
    assert keyboard.pressed == set()
    # And typing goes on: no key is lost.
    keyboard.set_rules('[keys]\ncapslock = "leftctrl"\n')
    keyboard.press("a")
    assert keyboard.pressed == {"a"}
    keyboard.release("a")
    assert keyboard.pressed == set()


@settings(max_examples=100, deadline=None)
@given(
    reports=st.lists(st.tuples(st.binary(max_size=64), st.integers(0, 50)), max_size=40),
    kind=st.sampled_from([KEYBOARD, MOUSE, nkro(0), nkro(3)]),
)
def test_noise_ends_with_the_first_report_that_says_so(
    library: ctypes.CDLL, reports: list[tuple[bytes, int]], kind: bytes
) -> None:
    keyboard = Remapped(library, kind, BUTTONS if kind == MOUSE else NAV)
    for raw, after_ms in reports:
        keyboard.wait(after_ms)
        if not keyboard.places.reports[0][0] or raw[:1] == bytes([keyboard.places.reports[0][0]]):
            keyboard.send(raw or b"\0")
    keyboard.send(keyboard.report(keyboard.places.reports[0][0]))
    keyboard.wait(1000)
    if not keyboard.is_bypassed:
        assert keyboard.pressed == set()


@pytest.mark.parametrize("kind", [KEYBOARD, nkro(0), nkro(3)], ids=["array", "bitmap", "numbered"])
def test_keys_that_were_added_are_pressed(library: ctypes.CDLL, kind: bytes) -> None:
    rdesc = kind + extra_keys(parse(kind))
    keyboard = Remapped(library, rdesc, '[keys]\nf9 = "volumeup"\nq = "leftctrl+btn_left"\n')
    assert keyboard.press("f9")[-1] == {"volumeup"}
    assert keyboard.press("q")[-1] == {"volumeup", "leftctrl", "btn_left"}
    assert keyboard.press("a")[-1] == {"volumeup", "leftctrl", "btn_left", "a"}
    assert keyboard.release("f9", "q")[-1] == {"a"}
    assert keyboard.release("a")[-1] == frozenset()


@pytest.mark.parametrize("kind", [KEYBOARD, nkro(0), nkro(3)], ids=["array", "bitmap", "numbered"])
def test_keys_that_were_added_serve_an_array_that_is_full(
    library: ctypes.CDLL, kind: bytes
) -> None:
    rules = '[keys]\nf1 = "x+y+z"\nf2 = "leftctrl+btn_left"\n'
    keyboard = Remapped(library, kind + extra_keys(parse(kind)), rules)
    keyboard.press(*"abcd", "f1", "f2")
    assert keyboard.pressed == {*"abcdxyz", "leftctrl", "btn_left"}
    keyboard.release(*"abcd", "f1", "f2")
    assert keyboard.pressed == set()


def test_without_them_what_finds_no_place_is_counted(library: ctypes.CDLL) -> None:
    keyboard = Remapped(library, KEYBOARD, '[keys]\nf1 = "x+y+z"\n')
    lost = ctypes.c_uint64.in_dll(library, "stat_no_room")
    before = lost.value
    keyboard.press(*"abcd", "f1")
    assert len(keyboard.pressed) == 6
    assert lost.value > before
    keyboard.release(*"abcd")
    assert keyboard.pressed == set("xyz")  # once there is room
    keyboard.release("f1")
    assert keyboard.pressed == set()
