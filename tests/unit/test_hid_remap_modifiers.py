"""Layers that carry modifiers: the program itself, in virtual time, and the files that say so."""

from __future__ import annotations

import ctypes

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyloader.errors import BadRules
from pyloader.hid.parser import parse
from pyloader.hid.remap import read
from pyloader.hid.remap.extra import extra_keys
from pyloader.hid.remap.model import Keys
from tests.hid_descriptors import KEYBOARD, MOUSE, nkro
from tests.hid_reports import sets
from tests.unit.remapped import Remapped

RULES = """
[keys]
capslock = { layer = "nav" }
space = { hold = { layer = "nav" }, tap = "space", timeout_ms = 200, resolve = "press" }
f1 = { toggle = "nav" }
f2 = { oneshot = "nav" }
f5 = { layer = "upper" }
f6 = { layer = "deep" }
z = "y"
q = { macro = ["h", "i"] }
[layer.nav]
with = "leftctrl"
h = "left"
j = "leftctrl+home"
m = { macro = ["1", "2"] }
n = "none"
x = "pass"
[layer.nav.combo]
"u+i" = { to = "pageup" }
[layer.upper]
with = "leftshift+leftalt"
k = "up"
[layer.deep]
with = "leftctrl"
d = "down"
"""


@pytest.fixture(params=[KEYBOARD, nkro(0), nkro(3)], ids=["array", "bitmap", "numbered"])
def keyboard(request: pytest.FixtureRequest, library: ctypes.CDLL) -> Remapped:
    return Remapped(library, request.param, RULES)


@pytest.fixture
def in_nav(keyboard: Remapped) -> Remapped:
    """With the layer nav active, for as long as capslock is held."""
    assert keyboard.press("capslock") == sets("leftctrl")
    return keyboard


def test_keys_that_the_layer_does_not_map_act_with_its_modifier(in_nav: Remapped) -> None:
    assert in_nav.press("c") == sets("leftctrl c")
    assert in_nav.release("c") == sets("leftctrl")
    assert in_nav.press("z") == sets("leftctrl y")
    assert in_nav.release("z") == sets("leftctrl")
    assert in_nav.press("q") == sets("leftctrl h", "leftctrl", "leftctrl i", "leftctrl", "leftctrl")
    in_nav.release("q")
    assert in_nav.release("capslock") == sets("")


def test_keys_that_it_maps_do_not(in_nav: Remapped) -> None:
    assert in_nav.press("h") == sets("", "left")
    assert in_nav.release("h") == sets("leftctrl")
    assert in_nav.press("x") == sets("", "x")
    assert in_nav.release("x") == sets("leftctrl")
    assert in_nav.press("m") == sets("", "1", "", "2", "", "leftctrl")
    in_nav.release("m")
    in_nav.press("u")
    assert in_nav.press("i") == sets("", "pageup")
    assert in_nav.release("u", "i")[-1] == {"leftctrl"}
    assert in_nav.press("n") == sets("leftctrl")
    in_nav.release("n")
    assert in_nav.release("capslock") == sets("")


def test_a_modifier_that_the_key_presses_by_itself_does_not_go_up_for_it(
    in_nav: Remapped,
) -> None:
    assert in_nav.press("j") == sets("leftctrl home")
    assert in_nav.release("j") == sets("leftctrl")


def test_a_modifier_that_is_held_by_hand_stays(in_nav: Remapped) -> None:
    in_nav.press("leftshift")
    assert in_nav.press("h") == sets("leftshift", "leftshift left")
    in_nav.release("h")
    in_nav.press("leftctrl")
    assert in_nav.press("h")[-1] == {"leftshift", "leftctrl", "left"}
    in_nav.release("capslock", "h")
    assert in_nav.pressed == {"leftshift", "leftctrl"}


def test_the_layer_ends_while_a_key_of_it_is_held(in_nav: Remapped) -> None:
    in_nav.press("h")
    assert in_nav.release("capslock") == sets("left")
    assert in_nav.release("h") == sets("")


def test_only_the_layer_that_has_the_key_goes_without(in_nav: Remapped) -> None:
    assert in_nav.press("f5")[-1] == {"leftctrl", "leftshift", "leftalt"}
    assert in_nav.press("k")[-1] == {"leftctrl", "up"}
    in_nav.release("k")
    assert in_nav.press("h")[-1] == {"leftshift", "leftalt", "left"}
    in_nav.release("h")
    assert in_nav.release("capslock")[-1] == {"leftshift", "leftalt"}
    assert in_nav.release("f5") == sets("")


def test_two_layers_carry_the_same(keyboard: Remapped) -> None:
    keyboard.press("capslock", "f6")
    assert keyboard.press("d")[-1] == {"leftctrl", "down"}
    keyboard.release("d")
    assert keyboard.release("capslock") == sets("leftctrl")
    assert keyboard.release("f6") == sets("")


def test_toggled_it_stays(keyboard: Remapped) -> None:
    keyboard.press("f1")
    assert keyboard.release("f1") == sets("leftctrl")
    assert keyboard.press("c") == sets("leftctrl c")
    keyboard.release("c")
    keyboard.press("f1")
    assert keyboard.pressed == set()


def test_for_one_key_it_is_pressed_with_that_key(keyboard: Remapped) -> None:
    keyboard.press("f2")
    assert keyboard.release("f2")[-1] == frozenset()
    assert keyboard.press("c") == sets("leftctrl", "leftctrl c")
    assert keyboard.release("c") == sets("")
    assert keyboard.press("c") == sets("c")
    keyboard.release("c")
    keyboard.press("f2")
    keyboard.release("f2")
    assert keyboard.press("h") == sets("left")
    assert keyboard.release("h") == sets("")


def test_a_key_that_is_held_long_enough_presses_it_by_time_alone(keyboard: Remapped) -> None:
    keyboard.press("space")
    keyboard.wait(199)
    assert keyboard.pressed == set()
    keyboard.wait(2)
    assert keyboard.pressed == {"leftctrl"}
    assert keyboard.release("space") == sets("")
    assert keyboard.press("space") == sets("")
    assert keyboard.press("c")[-1] == {"leftctrl", "c"}


def test_other_rules_while_it_is_pressed(in_nav: Remapped) -> None:
    in_nav.set_rules('[keys]\na = "b"\n')
    assert in_nav.press("a")[-1] == {"b"}
    in_nav.release("a")
    assert in_nav.release("capslock")[-1] == frozenset()


def test_it_is_seen_before_keys_on_another_report(library: ctypes.CDLL) -> None:
    """A report of its own has the added keys, and the order of reports would count."""
    rdesc = nkro(3) + extra_keys(parse(nkro(3)))
    keyboard = Remapped(library, rdesc, RULES.replace('"left"', '"playpause"'))
    keyboard.press("capslock")
    assert keyboard.press("h")[:2] == sets("", "playpause")
    keyboard.release("h")
    assert keyboard.pressed == {"leftctrl"}


def test_a_mouse_holds_it_on_the_keyboard(library: ctypes.CDLL) -> None:
    rules = '[buttons]\nmiddle = { layer = "nav" }\n[layer.nav]\nwith = "leftctrl"\nh = "left"\n'
    both = Remapped(library, KEYBOARD, rules, MOUSE)
    assert both.press("btn_middle", on=1)[-1] == {"leftctrl"}
    assert both.press("btn_left", on=1)[-1] == {"leftctrl", "btn_left"}
    both.release("btn_left", on=1)
    assert both.press("h", on=0)[-1] == {"left"}
    both.release("h", on=0)
    assert both.release("btn_middle", on=1)[-1] == frozenset()


KEYS = (*("capslock", "space", "f1", "f2", "f5", "f6", "leftctrl"), *"acdhjkmnquixz")
OTHER = '[keys]\na = { layer = "one" }\n[layer.one]\nwith = "rightalt"\nh = "y"\nf1 = "z"\n'


@settings(max_examples=400, deadline=None)
@given(
    steps=st.lists(
        st.tuples(
            *(st.sampled_from(KEYS), st.integers(0, 260), st.sampled_from("_____rs")),
            st.booleans(),
        ),
        max_size=60,
    ),
    kind=st.sampled_from([KEYBOARD, nkro(0), nkro(3)]),
)
def test_when_all_keys_are_up_only_what_is_toggled_is_pressed(
    library: ctypes.CDLL, steps: list[tuple[str, int, str, bool]], kind: bytes
) -> None:
    """Whatever was typed, on which interface, and whenever rules changed or the machine slept."""
    both = Remapped(library, kind, RULES, kind)
    down: set[tuple[str, int]] = set()
    rules = RULES
    for key, after_ms, what, is_other in steps:
        if what == "r":
            rules = OTHER if rules == RULES else RULES
            both.set_rules(rules)
        if what == "s":
            both.resume()
        each = (key, int(is_other))
        if each in down:
            down.discard(each)
            both.release(key, after_ms=after_ms, on=each[1])
        elif len(down) < 6:
            down.add(each)
            both.press(key, after_ms=after_ms, on=each[1])
    for key, on in sorted(down):
        both.release(key, on=on)
    both.wait(1000)
    both.set_rules(RULES)
    both.press("a")
    both.release("a")
    assert both.pressed <= {"leftctrl"}
    if both.pressed:  # toggled
        both.press("f1")
        both.release("f1")
        assert both.pressed == set()


TYPED = st.lists(st.sampled_from([*"achxz", "capslock", "leftshift"]), max_size=40)
PLAIN = RULES.replace('"u+i" = { to = "pageup" }', "")


@given(TYPED)
def test_each_key_comes_with_the_modifiers_that_count_then(
    library: ctypes.CDLL, typed: list[str]
) -> None:
    keyboard = Remapped(library, KEYBOARD, PLAIN)
    down: set[str] = set()
    for key in typed:
        if key in down:
            down.discard(key)
            keyboard.release(key)
            continue
        down.add(key)
        if len(down) > 6:
            return
        states = keyboard.press(key)
        if key in ("capslock", "leftshift"):
            continue
        is_active, is_mapped = "capslock" in down, key in ("h", "x")
        meant = {"h": "left", "z": "y"}.get(key, key) if is_active or key == "z" else key
        found = next(state for state in states if meant in state)
        assert ("leftctrl" in found) == (is_active and not is_mapped)
        assert ("leftshift" in found) == ("leftshift" in down)


# ---- files


def test_what_a_layer_carries_is_read() -> None:
    found = read.read_bytes(RULES.encode(), "mine.toml")
    assert found.carried == {
        "nav": Keys(("leftctrl",)),
        "upper": Keys(("leftshift", "leftalt")),
        "deep": Keys(("leftctrl",)),
    }
    assert "with" not in found.layers["nav"]
    assert {"leftshift", "leftalt"} <= set(found.targets())


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[keys]\nwith = "leftctrl"\n', "with stands in the table of a layer, [layer.NAME]"),
        (
            '[layer.x]\nwith = "a"\n',
            "with has a, which is no modifier: it takes such as 'leftctrl'",
        ),
        ("[layer.x]\nwith = 1\n", "with is 1; it takes modifiers such as 'leftctrl+leftshift'"),
        ('[layer.x]\nwith = "leftctr"\n', "with names 'leftctr', which is no key; did you mean"),
    ],
)
def test_what_is_wrong_is_said(text: str, said: str) -> None:
    with pytest.raises(BadRules) as error:
        read.read_bytes(text.encode(), "mine.toml")
    assert said in str(error.value)


def test_a_layer_that_nothing_leads_to_asks_for_no_keys() -> None:
    found = read.read_bytes(b'[keys]\na = "b"\n[layer.x]\nwith = "leftctrl"\n', "mine.toml")
    assert found.targets() == ["b"]
