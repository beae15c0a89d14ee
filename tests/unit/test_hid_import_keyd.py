"""keyd's configurations as remap files: what becomes of them, and what is said of the rest."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyloader.errors import BadRules
from pyloader.hid import parser as hid_parser
from pyloader.hid.remap import actions, build, compose
from pyloader.hid.remap.keyd import convert, document, parse
from pyloader.hid.remap.model import (
    BASE,
    Combo,
    Keys,
    Layer,
    Macro,
    Match,
    Nothing,
    Rules,
    TapHold,
)
from tests.hid_descriptors import KEYBOARD
from tests.unit.remapped import value_type

NAV, LEFT_CTRL, ESC = Layer("layer", "nav"), Keys(("leftctrl",)), Keys(("esc",))


LOGITECH = Match(vendor=0x046D, product=0xC339)


def converted(text: str) -> convert.Converted:
    return convert.convert(parse.parse_bytes(text.encode(), "mine.conf"))


def rules(text: str) -> Rules:
    """What our reader makes of what is written."""
    composed = compose.compose_bytes(document.document(converted(text)).encode(), "mine.toml")
    return composed.sections[0]


def notes(text: str) -> list[tuple[int, bool, str]]:
    """Line, whether it is lost, and why."""
    return [(note.place.line, note.is_lost, note.said) for note in converted(text).notes]


def only(text: str) -> object:
    """What ``a`` does with that on its right, beside a layer and a modifier layer."""
    return rules(f"[main]\na = {text}\nb = layer(nav)\n[nav]\nh = left\n").layers[BASE]["a"]


@pytest.mark.parametrize(
    ("value", "action"),
    [
        ("esc", ESC),
        ("escape", ESC),
        ("=", Keys(("equal",))),
        ("C-x", Keys(("leftctrl", "x"))),
        ("M-S-x", Keys(("leftmeta", "leftshift", "x"))),
        ("C--", Keys(("leftctrl", "minus"))),
        ("!", Keys(("leftshift", "1"))),
        ("B", Keys(("leftshift", "b"))),
        ("leftmouse", Keys(("btn_left",))),
        ("leftcontrol", LEFT_CTRL),
        ("rightalt", Keys(("rightalt",))),
        ("noop", Nothing()),
        ("layer(nav)", NAV),
        ("layer(control)", LEFT_CTRL),
        ("oneshot(nav)", Layer("oneshot", "nav")),
        ("toggle(nav)", Layer("toggle", "nav")),
        ("overload(control, esc)", TapHold(ESC, LEFT_CTRL, 200, "press")),
        ("overload(nav, esc)", TapHold(ESC, NAV, 5000, "press")),
        ("overloadt(nav, a, 150)", TapHold(Keys(("a",)), NAV, 150, "timeout")),
        ("overloadt2(nav, C-a, 150)", TapHold(Keys(("leftctrl", "a")), NAV, 150, "release")),
        ("lettermod(nav, a, 150, 200)", TapHold(Keys(("a",)), NAV, 200, "release")),
        ("overloadi(a, overloadt2(nav, a, 99), 150)", TapHold(Keys(("a",)), NAV, 99, "release")),
        ("timeout(a, 500, layer(control))", TapHold(Keys(("a",)), LEFT_CTRL, 500, "timeout")),
        (
            "macro(Hi 100ms space C-t)",
            Macro(
                (
                    Keys(("leftshift", "h")),
                    Keys(("i",)),
                    Keys(("space",)),
                    Keys(("leftctrl", "t")),
                )
            ),
        ),
        ("macro(leftcontrol+leftmeta)", Macro((Keys(("leftctrl", "leftmeta")),))),
        (r"macro(\))", Macro((Keys(("leftshift", "0")),))),
        ("macro2(400, 50, macro(a))", Macro((Keys(("a",)),))),
    ],
)
def test_what_a_key_does(value: str, action: object) -> None:
    assert only(value) == action


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ("swap(nav)", "no layer takes the place of another"),
        ("clear()", "nothing switches all layers off"),
        ("command(reboot)", "the kernel starts no programs; press a key such as f13"),
        ("setlayout(dvorak)", "there are no layouts of which one counts"),
        ("ö", "'ö' is on no key; write a macro that begins with the desktop's compose key"),
        ("macro(aö)", "'ö' is on no key"),
        ("layer(nva)", "'nva' is no layer that can be switched on; it may mean nav"),
        ("layer(main)", "'main' is no layer"),
        ("overload(nav)", "overload() takes 2 arguments, not 1"),
        ("overload(nav, overload(nav, a))", "does not stand inside of another action"),
        ("capslok", "'capslok' is no key that a HID device can send, and no action"),
        ("micmute", "'micmute' is no key that a HID device can send"),
        ("scrollup", "'scrollup' is no key that a HID device can send"),
        ("C-M-A-S-x", "it presses 5 keys at once; 4 is the most"),
        (f"macro({'a' * 32})", "it types 32 keys; a macro has up to 31"),
        (f"macro({'A' * 22})", "it types 22 keys"),
    ],
)
def test_what_is_not_carried_over_is_said(value: str, why: str) -> None:
    text = f"[main]\na = {value}\nb = layer(nav)\n[nav]\nh = left\n"
    [(line, is_lost, said)] = notes(text)
    assert (line, is_lost) == (2, True)
    assert why in said
    assert "a" not in rules(text).layers[BASE]
    assert f"mine.conf:2: a = {value}" in document.document(converted(text))


def test_keys_have_aliases_and_the_last_rule_counts() -> None:
    found = rules(
        "[aliases]\ncapslock = hyper\nleftalt = leftmeta\n[main]\nhyper = esc\nmeta = a\n"
        "x = b\nx = c\ny = b\ny =\n= = d\ncontrol = e\n"
    ).layers[BASE]
    assert found == {
        "leftalt": Keys(("leftmeta",)),
        "capslock": ESC,
        "leftmeta": Keys(("a",)),
        "rightmeta": Keys(("a",)),
        "x": Keys(("c",)),
        "equal": Keys(("d",)),
        "leftctrl": Keys(("e",)),
        "rightctrl": Keys(("e",)),
    }


def test_chords_stand_in_layers_and_have_the_times_of_the_file() -> None:
    found = rules(
        "[global]\nchord_timeout = 70\n[main]\nj+k = esc\nj+k+l = layer(nav)\nk+j = a\n[nav]\n"
        "u+i = pageup\n"
    )
    assert set(found.combos) == {
        Combo(("j", "k", "l"), NAV, 140),
        Combo(("k", "j"), Keys(("a",)), 70),
        Combo(("u", "i"), Keys(("pageup",)), 70, "nav"),
    }


def test_a_layer_that_holds_modifiers_carries_them() -> None:
    text = "[main]\na = layer(caps)\nx = toggle(y)\n[caps:C-S]\nh = left\n[y:G]\nx = toggle(y)\n"
    found = rules(text)
    assert found.layers["caps"] == {"h": Keys(("left",))}
    assert found.carried == {"caps": Keys(("leftctrl", "leftshift")), "y": Keys(("rightalt",))}
    assert notes(text) == []


def test_tapped_or_held_such_a_layer_is_a_modifier_after_a_while() -> None:
    text = "[main]\ncapslock = overload(caps, esc)\n[caps:C]\nh = left\n"
    assert rules(text).layers[BASE]["capslock"] == TapHold(
        ESC, Layer("layer", "caps"), 200, "press"
    )
    [(line, is_lost, said)] = notes(text)
    assert (line, is_lost) == (2, False)
    assert said.startswith("leftctrl is pressed with the next key or after 200 ms")


def test_a_layer_of_which_only_the_modifier_is_left_is_that_key() -> None:
    text = "[main]\ncapslock = overload(caps, esc)\n[caps:C]\nspace = swap(vim)\n[vim]\nh = left\n"
    found = rules(text)
    assert found.layers == {BASE: {"capslock": TapHold(ESC, LEFT_CTRL, 200, "press")}}
    assert [line for line, _, _ in notes(text)] == [2, 4, 5]


def test_rules_for_a_modifier_make_a_layer_of_it() -> None:
    found = rules("[control]\nj = down\n")
    both = dict.fromkeys(("leftctrl", "rightctrl"), Layer("layer", "control"))
    assert found.layers == {BASE: both, "control": {"j": Keys(("down",))}}
    assert found.carried == {"control": LEFT_CTRL}


def test_a_modifier_for_one_key() -> None:
    found = rules("[main]\nshift = oneshot(shift)\n")
    assert found.layers[BASE]["rightshift"] == Layer("oneshot", "shift")
    assert found.carried == {"shift": Keys(("leftshift",))}


def test_a_layer_that_no_key_would_switch_off_is_left_out() -> None:
    text = "[main]\na = b\nc = layer(nav)\n[nav]\nd = toggle(deep)\n[deep]\nx = y\n"
    assert set(rules(text).layers) == {BASE, "nav"}
    assert [(line, lost) for line, lost, _ in notes(text)] == [(5, True), (6, True)]
    assert "no key would switch deep off again" in notes(text)[0][2]


def test_what_a_file_has_no_room_for_is_said() -> None:
    names = [f"l{n}" for n in range(17)]
    keys = "abcdefghijklmnopq"
    text = "[main]\n" + "".join(
        f"{key} = layer({name})\n" for key, name in zip(keys, names, strict=True)
    )
    text += "".join(f"[{name}]\nf1 = f2\n" for name in names)
    assert list(rules(text).layers) == [BASE, *names[:15]]
    assert [line for line, _, _ in notes(text)] == [17, 18, 49, 51]
    pairs = [f"{a}+{b} = esc\n" for a in keys for b in keys if a < b]
    text = "[main]\n" + "".join(pairs[:70])
    assert len(rules(text).combos) == 64
    assert [line for line, _, _ in notes(text)] == list(range(66, 72))


def test_the_longest_macro_fits_into_the_table() -> None:
    places = build.places_of(hid_parser.parse(KEYBOARD))
    for most in ("a" * 31, "A" * 21):
        made = rules(f"[main]\na = macro({most})\n")
        assert any(actions.build_rules(made, {0: places}, value_type("all_rules")))


def test_composite_layers_and_layouts() -> None:
    text = (
        "[main]\na = layer(x)\nf1 = setlayout(dvorak)\n[x]\nb = c\n[x+shift]\nb = d\n"
        "[dvorak:layout]\ns = o\n"
    )
    assert rules(text).layers[BASE]["f1"] == Layer("toggle", "dvorak")
    (setlayout, composite) = notes(text)
    assert setlayout[:2] == (3, False)
    assert composite[:2] == (6, True)
    assert "nothing counts only while x and shift are active together" in composite[2]


@pytest.mark.parametrize(
    ("ids", "matches", "lines"),
    [
        ("*", [Match(name="*")], []),
        ("046d:c339", [LOGITECH], []),
        ("046d", [Match(vendor=0x046D)], []),
        ("k:046d:c339:8d28a31a\nm:046d:c339", [LOGITECH], [2, 2, 3]),
        ("046d:c339\n1209:0001", [LOGITECH, Match(vendor=0x1209, product=1)], []),
        ("1209:0001\n*", [Match(name="*")], []),
        ("*\n-046d:c339", [LOGITECH, Match(name="*")], []),
        ("-046d:c339\n046d", [LOGITECH, Match(vendor=0x046D)], []),
        ("-046d:c339", [Match()], []),
        ("*\n-k:046d:c339", [Match(name="*")], [3]),
        ("keyboard", [Match()], [2]),
        ("46d:c339\n046D:C339\n46d", [LOGITECH], [2, 3, 4]),
        ("1209:1", [Match(vendor=0x1209, product=1)], [2]),
        ("12095:1\n1209:00001", [Match()], [2, 3]),
        ("", [Match()], []),
        ("\n".join(f"046d:{n:04x}" for n in range(66)), None, [65, 66, 67]),
    ],
)
def test_which_devices(ids: str, matches: list[Match] | None, lines: list[int]) -> None:
    text = f"[ids]\n{ids}\n[main]\na = b\n"
    made = compose.compose_bytes(document.document(converted(text)).encode(), "mine.toml")
    assert matches is None or [each.device for each in made.sections] == matches
    has_rules = [each for each in made.sections if not each.leave_alone]
    assert all(each.layers == {BASE: {"a": Keys(("b",))}} for each in has_rules)
    assert len(made.sections) - len(has_rules) == ("-046d" in ids and not made.is_plain)
    assert made.is_plain == (
        matches
        in (*([LOGITECH], [Match(vendor=0x046D)], [Match(vendor=0x1209, product=1)], [Match()]),)
    )
    assert [line for line, _, _ in notes(text)] == lines


def test_options_that_have_no_counterpart_are_said_unless_they_are_off() -> None:
    text = "[global]\noneshot_timeout = 0\nlayer_indicator = 1\nfoo = 2\n[main]\na = b\n"
    assert [(line, lost) for line, lost, _ in notes(text)] == [(3, True), (4, True)]
    text = "[global]\noverload_tap_timeout = 300\n[main]\na = overload(shift, b)\n"
    assert rules(text).layers[BASE]["a"] == TapHold(
        Keys(("b",)), Keys(("leftshift",)), 300, "press"
    )


def test_included_files_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parse, "SHARED", tmp_path / "shared")
    (tmp_path / "shared" / "layouts").mkdir(parents=True)
    (tmp_path / "shared" / "layouts" / "dvorak").write_text("[dvorak:layout]\ns = o\n")
    (tmp_path / "common").write_text("b = micmute\n")
    mine = tmp_path / "mine.conf"
    mine.write_text(
        "[main]\ninclude common\na = toggle(dvorak)\ninclude layouts/dvorak\n"
        "include missing\ninclude a.conf\n"
    )
    made = convert.convert(parse.parse_file(str(mine)))
    assert made.tables["dvorak"].rules["s"].action == Keys(("o",))
    said = [(Path(note.place.file).name, note.place.line, note.why) for note in made.notes]
    assert [each[:2] for each in said] == [("mine.conf", 5), ("mine.conf", 6), ("common", 1)]
    assert "lies neither beside" in said[0][2]
    assert "no file with a dot in its name" in said[1][2]


def test_comments_stay_with_what_they_stand_above() -> None:
    text = "# mine\n# own\n\n# who\n[ids]\n*\n\n# keys\n[main]\n# swap\na = b\n\n# gone\n\nc = d\n"
    said = document.document(converted(text))
    assert "# mine\n# own\n" in said
    assert '\n# keys\n[keys]\n# swap\na = "b"\nc = "d"\n' in said
    assert "gone" not in said


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (b"a = b\n", "is no configuration of keyd: line 1 stands below no"),
        (b"[main]\n\xff", "is no configuration of keyd: it is not UTF-8 text, byte 7 is 0xff"),
        (b"#" * 65_537, "is longer than 64 KiB"),
        (b"[main]\na = swap(b)\n", "has no rule that can be carried over: a = swap(b): no layer"),
        (b"", "has no rule that can be carried over"),
    ],
)
def test_other_files_are_refused(raw: bytes, why: str) -> None:
    with pytest.raises(BadRules) as error:
        convert.convert(parse.parse_bytes(raw, "mine.conf"))
    assert why in str(error.value)


_PIECES = (
    *("a", "b", "f1", "capslock", "leftshift", "j+k", "x y", "ö", "é", "\x7f", "\\", '"', "150"),
    *("=", "+", "-", ",", "(", ")", "[", "]", ":", "#", "C-", "S-", ".", " "),
    *("shift", "control", "nav", "main", "caps", "deep", "keys", "combo", "noop"),
    *("macro(", "layer(", "toggle(", "oneshot(", "overload(", "overloadt2(", "lettermod("),
    *("timeout(", "setlayout(", "swap(", "include ", "ids", "aliases", "global", "layout"),
)
_WORDS = st.sampled_from(_PIECES)
_LAYERS = st.sampled_from(["main", "nav", "caps", "shift", "keys", "x y", "ö", "deep", "combo", ""])
_KINDS = st.sampled_from(["", ":C", ":layout", ":A-S", "+nav", ":x"])
_SWITCHES = st.sampled_from(["layer", "toggle", "oneshot", "setlayout"])
_KEYS = st.sampled_from(["a", "b", "f1", "shift", "leftalt", "j+k", "j+k+l"])
_BINDINGS = st.builds("{} = {}({})".format, _KEYS, _SWITCHES, _LAYERS)
_HEADERS = st.builds("[{}{}]".format, _LAYERS, _KINDS)
_LINES = st.one_of(
    *(_BINDINGS, _HEADERS, _BINDINGS, _BINDINGS),
    st.lists(_WORDS, max_size=8).map("".join),
    st.builds("{} = {}({}, {}, 9)".format, _WORDS, _WORDS, _WORDS, _WORDS),
    st.text(max_size=20),
)


@settings(max_examples=400, deadline=None)
@given(st.lists(_LINES, max_size=30).map(lambda lines: "[main]\na = b\n" + "\n".join(lines)))
def test_any_text_becomes_a_file_that_is_followed_or_is_refused(text: str) -> None:
    try:
        made = converted(text)
    except BadRules:
        return
    said = document.document(made)
    found = compose.compose_bytes(said.encode(), "mine.toml").sections[0]
    assert set(found.layers) == set(made.tables)
    for name, table in made.tables.items():
        assert found.layers[name] == {key: rule.action for key, rule in table.rules.items()}
        assert found.carried.get(name, Keys(())).names == table.layer.held


@given(st.binary(max_size=200))
def test_any_bytes_are_taken_or_refused(raw: bytes) -> None:
    with suppress(BadRules):
        convert.convert(parse.parse_bytes(raw, "mine.conf"))
