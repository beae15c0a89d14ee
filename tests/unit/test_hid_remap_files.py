"""Remap files: what is taken, what is refused and in which words; and keys added to devices."""

from __future__ import annotations

import tomllib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyloader.errors import BadRules, WrongUse
from pyloader.hid.descriptor import INPUT
from pyloader.hid.items import BadDescriptor
from pyloader.hid.parser import parse
from pyloader.hid.remap import actions, build, codes
from pyloader.hid.remap.explain import in_words
from pyloader.hid.remap.extra import extra_keys, without_extra
from pyloader.hid.remap.model import Combo, Keys, Layer, Macro, Rules, TapHold
from pyloader.hid.remap.read import read_bytes
from tests.hid_descriptors import KEYBOARD, MOUSE, at_random, nkro, stick
from tests.unit.remapped import value_type


def rules_of(text: str) -> Rules:
    return read_bytes(text.encode(), "my.toml")


def refusal(text: str) -> str:
    with pytest.raises(BadRules) as caught:
        rules_of(text)
    return str(caught.value)


def test_all_that_a_key_may_do() -> None:
    rules = rules_of(
        """
        [keys]
        CapsLock = "control"
        escape = "ctrl+left"
        f1 = { macro = ["h", "shift+1"] }
        f2 = { tap = "x", hold = { layer = "nav" }, resolve = "press" }
        [layer.nav]
        h = { toggle = "nav" }
        [layer.nav.combo]
        "j+k" = { to = "esc", within_ms = 40 }
        """
    )
    base, nav = rules.layers["keys"], rules.layers["nav"]
    assert base["capslock"] == Keys(("leftctrl",))
    assert base["esc"] == Keys(("leftctrl", "left"))
    assert base["f1"] == Macro((Keys(("h",)), Keys(("leftshift", "1"))))
    assert base["f2"] == TapHold(Keys(("x",)), Layer("layer", "nav"), 200, "press")
    assert nav == {"h": Layer("toggle", "nav")}
    assert rules.combos == (Combo(("j", "k"), Keys(("esc",)), 40, "nav"),)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[keys]\ncapslok = "a"\n', "my.toml:2:1: [keys] capslok names 'capslok', which is no key"),
        ('[keys]\n  a = "bb"\n', "my.toml:2:3: [keys] a names 'bb', which is no key"),
        ('[kexs]\na = "b"\n', "my.toml:1:1: kexs is no key here; did you mean keys"),
        ("[keys]\na = 3\n", "a is 3; it takes a key"),
        ('[keys]\na = { layer = "nav" }\n', "goes to the layer 'nav', and the file has none"),
        (
            '[keys]\na = { layer = "nax" }\n[layer.nav]\nb = "c"',
            "which is no layer; did you mean nav",
        ),
        ('[keys]\na = { tap = "b" }\n', "has no 'hold'"),
        ('[keys]\na = { tap = "b", hold = { tap = "c", hold = "d" } }\n', "it takes one of layer"),
        ('[keys]\na = { tap = "b", hold = "c", timeout_ms = 0 }\n', "timeout_ms = 0"),
        ('[keys]\na = { tap = "b", hold = "c", resolve = "x" }\n', "resolve = 'x'"),
        ('[keys]\na = "b"\n[combo]\n"j" = { to = "k" }\n', "is no combo"),
        ('[combo]\n"j+j" = { to = "k" }\n', "is no combo"),
        ('[keys]\nesc = "a"\nescape = "b"\n', "my.toml:3:1: [keys] escape is another name of esc"),
        ("[keys]\na = { macro = [] }\n", "has a macro that is no list"),
        ('[keys]\na = "a+b+c+d+e"\n', "presses 5 keys"),
        ("[axes]\nxx = { scale = 1 }\n", "which is no axis; did you mean x"),
        ("[axes]\nx = { scale = nan }\n", "has a scale of nan"),
        ("[axes]\nx = { scale = 1e9 }\n", "1000 is the most"),
        (f"[keys]\na = 0x{'f' * 9000}\n", "my.toml:2:1: [keys] a is far too large; it takes"),
        ("[device]\nname = 'x'\n", "has no rules"),
        ("[device]\nvid = 70000\n[keys]\na='b'\n", "my.toml:2:1: [device] vid is 70000"),
        (
            '[keys]\nf1 = { toggle = "nav" }\n[layer.nav]\nf1 = "none"\n',
            "my.toml:3:1: [layer.nav] is",
        ),
        ("[keys\n", "is not TOML"),
    ],
)
def test_what_is_wrong_is_said(text: str, said: str) -> None:
    assert said in refusal(text)


def test_other_bytes_are_refused() -> None:
    with pytest.raises(BadRules, match="is not UTF-8"):
        read_bytes(b"\xff\xfe", "my.toml")
    with pytest.raises(BadRules, match="longer than"):
        read_bytes(b"#" * (2 << 20), "my.toml")


_KEYS = st.sampled_from(["a", "esc", "capslock", "nav", "btn_left", "x", "zz", "a+b", "", "j+k"])
_VALUES = st.recursive(
    st.one_of(_KEYS, st.integers(), st.floats(), st.booleans()),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(
                ["tap", "hold", "layer", "toggle", "oneshot", "macro", "to", "scale", "timeout_ms"]
            ),
            inner,
            max_size=3,
        ),
    ),
    max_leaves=8,
)
_TABLES = st.dictionaries(
    st.sampled_from(["device", "keys", "buttons", "combo", "axes", "layer", "other"]),
    st.dictionaries(_KEYS, _VALUES, max_size=4),
    max_size=4,
)


def _toml(value: object) -> str:
    if isinstance(value, dict):
        inside = ", ".join(f'"{k}" = {_toml(v)}' for k, v in value.items())
        return f"{{{inside}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(_toml, value))}]"
    if isinstance(value, bool):
        return str(value).lower()
    return f'"{value}"' if isinstance(value, str) else str(value)


@settings(max_examples=500, deadline=None)
@given(_TABLES)
def test_every_file_is_followed_or_refused_in_words(tables: dict[str, object]) -> None:
    text = "\n".join(f"{name} = {_toml(table)}" for name, table in tables.items())
    tomllib.loads(text)
    try:
        rules = rules_of(text)
    except BadRules:
        return
    for rdesc in (KEYBOARD, MOUSE, nkro(3)):
        places = build.places_of(parse(rdesc + extra_keys(parse(rdesc))))
        actions.build_rules(rules, {0: places}, value_type("all_rules"))
        build.build_places(rules, places, value_type("all_places"))
        assert all(map(in_words, rules.actions()))


@pytest.mark.parametrize("rdesc", [KEYBOARD, MOUSE, nkro(0), nkro(3)])
def test_keys_are_added_and_what_was_there_stays(rdesc: bytes) -> None:
    before, after = parse(rdesc), parse(rdesc + extra_keys(parse(rdesc)))
    assert after.is_numbered == before.is_numbered
    for key, report in before.reports.items():
        kept = after.reports[key].fields[: len(report.fields)]
        assert [(f.offset, f.size, list(f.usages)) for f in kept] == [
            (f.offset, f.size, list(f.usages)) for f in report.fields
        ]
    places = build.places_of(after)
    for name in codes.key_names():
        if not name.startswith("btn_") and name not in ("sleep", "wakeup"):
            page = codes.usage_of(codes.codes_of(name)[0]) & 0xFFFF
            assert places.says(name) or page > 0xA3, name
    assert all(after.size_bytes(r) <= 64 for r in after.reports.values() if r.kind == INPUT)


@pytest.mark.parametrize("rdesc", [KEYBOARD, MOUSE, nkro(0), nkro(3), stick(10, 0, 1023)])
def test_keys_that_were_added_are_known_again(rdesc: bytes) -> None:
    extended = rdesc + extra_keys(parse(rdesc))
    assert without_extra(extended) == rdesc
    assert without_extra(rdesc) == rdesc
    assert without_extra(extended + b"\xc0") == extended + b"\xc0"
    assert without_extra(b"") == b""


def test_a_device_without_room_is_told() -> None:
    long = nkro(0)[:-1] + bytes.fromhex("0600ff0901750895288102c0")
    with pytest.raises(WrongUse, match="programs see 64"):
        extra_keys(parse(long))


@pytest.mark.parametrize("seed", range(200))
def test_any_device_gets_its_places(seed: int) -> None:
    try:
        descriptor = parse(at_random(seed))
    except BadDescriptor:
        return
    places = build.places_of(descriptor)
    assert len(places.fields) <= 32
    assert len(places.reports) <= 8
