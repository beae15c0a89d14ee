"""Remap files that include others, and files for several devices."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pyloader.errors import BadRules, ScxhidError
from pyloader.hid.remap.compose import Composed, find_file, read_compose
from pyloader.hid.remap.model import Keys, Layer, Match, Pass
from pyloader.hid.remap.where import find

DESK = """\
include = ["below.toml"]

[[device]]
name = "*keyboard*"
[device.keys]
capslock = "esc"
[device.layer.nav]
j = "pagedown"

[[device]]
vid = 0x046d
bus = "usb"
[device.buttons]
left = "right"

[default.keys]
f1 = "f3"

[keys]
f2 = { layer = "nav" }
"""
BELOW = """\
[keys]
capslock = "leftctrl"
f1 = "f2"
[layer.nav]
h = "left"
j = "down"
[combo]
"j+k" = { to = "esc" }
[axes]
x = { scale = 2.0 }
"""


def written(folder: Path, **files: str) -> str:
    """Files NAME.toml; the path of the first."""
    for name, text in files.items():
        (folder / f"{name}.toml").write_text(text)
    return str(folder / f"{next(iter(files))}.toml")


def composed(folder: Path, **files: str) -> Composed:
    return read_compose(written(folder, **files))


def refusal(folder: Path, **files: str) -> str:
    """The sentence, without the name of the folder."""
    with pytest.raises(BadRules) as caught:
        composed(folder, **files)
    return str(caught.value).replace(f"{folder}/", "")


def pressed(name: str) -> Keys:
    return Keys((name,))


def test_sections_stand_over_what_is_common_and_that_over_what_is_included(tmp_path: Path) -> None:
    found = composed(tmp_path, desk=DESK, below=BELOW)
    first, second = found.sections
    assert not found.is_plain
    assert (first.device, second.device) == (Match(name="*keyboard*"), Match(vendor=0x046D, bus=3))
    assert first.layers["keys"]["capslock"] == pressed("esc")
    assert first.layers["keys"]["f1"] == pressed("f2")
    assert "f2" in first.layers["keys"]
    assert first.layers["nav"] == {"h": pressed("left"), "j": pressed("pagedown")}
    assert second.layers["keys"]["capslock"] == pressed("leftctrl")
    assert second.layers["keys"]["btn_left"] == pressed("btn_right")
    assert second.layers["nav"]["j"] == pressed("down")
    assert found.default is not None
    assert found.default.layers["keys"]["f1"] == pressed("f3")
    assert found.default.scales == {"x": 2.0}


def test_keys_that_only_the_common_part_names_need_not_be_there(tmp_path: Path) -> None:
    first, second = composed(tmp_path, desk=DESK, below=BELOW).sections
    assert first.optional == {"f1", "f2", "h", "k"}  # j is its own, of the layer
    assert second.optional == {"capslock", "f1", "f2", "h", "j", "k"}
    left = second.without({"f1", "h", "j"})
    assert left.sources() == {"capslock", "f2", "btn_left"}
    assert list(left.layers) == ["keys", "nav"]


def test_rules_are_told_by_the_line_of_their_section(tmp_path: Path) -> None:
    found = composed(tmp_path, desk=DESK, below=BELOW)
    rules = [*found.sections, found.default]
    labels = [each.path.rpartition("/")[2] for each in rules if each]
    assert labels == ["desk.toml:3", "desk.toml:10", "desk.toml:16"]


def test_a_combo_is_the_same_in_any_order_of_its_keys(tmp_path: Path) -> None:
    own = 'include = ["below.toml"]\n[combo]\n"k+j" = { to = "tab" }\n'
    (rules,) = composed(tmp_path, own=own, below=BELOW).sections
    assert [(each.names, each.action) for each in rules.combos] == [(("k", "j"), pressed("tab"))]


def test_a_name_is_the_same_key_by_any_of_its_names(tmp_path: Path) -> None:
    own = 'include = ["a.toml", "b.toml"]\n[keys]\nKEY_ESC = "a"\n'
    files = {"a": '[keys]\nescape = "b"\nx = "y"\n', "b": '[keys]\nx = "z"\n'}
    (rules,) = composed(tmp_path, own=own, **files).sections
    assert rules.layers["keys"] == {"esc": pressed("a"), "x": pressed("z")}


def test_what_an_included_file_says_can_be_taken_back(tmp_path: Path) -> None:
    own = 'include = ["below.toml"]\n[keys]\ncapslock = "pass"\n[axes]\nx = { scale = 1.0 }\n'
    (rules,) = composed(tmp_path, own=own, below=BELOW).sections
    assert rules.layers["keys"]["capslock"] == Pass()
    assert rules.scales == {"x": 1.0}


def test_layers_of_an_included_file_are_below_those_of_the_including_one(tmp_path: Path) -> None:
    own = 'include = ["below.toml"]\n[layer.own]\na = "b"\n[layer.nav]\nl = "right"\n'
    (rules,) = composed(tmp_path, own=own, below=BELOW).sections
    assert list(rules.layers) == ["keys", "nav", "own"]
    assert list(rules.layers["nav"]) == ["h", "j", "l"]


def test_the_device_of_an_included_file_does_not_count(tmp_path: Path) -> None:
    below = '[device]\nname = "some"\n[keys]\na = "b"\n'
    (rules,) = composed(
        tmp_path, own='include = ["below.toml"]\n[device]\nvid = 1\n', below=below
    ).sections
    assert rules.device == Match(vendor=1)
    (rules,) = composed(tmp_path, own='include = ["below.toml"]\n', below=below).sections
    assert rules.device == Match()


def test_sections_of_included_files_come_after_those_of_the_file(tmp_path: Path) -> None:
    def section(vid: int, more: str = "") -> str:
        return f'{more}[[device]]\nvid = {vid}\n[device.keys]\na = "b"\n'

    found = composed(
        tmp_path,
        own=section(1, 'include = ["a.toml", "b.toml"]\n'),
        a=section(2) + '[default.keys]\na = "c"\nb = "c"\n',
        b=section(3) + '[default.keys]\na = "d"\n',
    )
    assert [each.device.vendor for each in found.sections] == [1, 3, 2]
    assert found.default is not None
    assert found.default.layers["keys"] == {"a": pressed("d"), "b": pressed("c")}


def test_keymaps_that_come_with_it_can_be_included(tmp_path: Path) -> None:
    own = 'include = ["vim-nav"]\n[layer.nav]\nh = "home"\n'
    (rules,) = composed(tmp_path, own=own).sections
    assert rules.layers["nav"]["h"] == pressed("home")
    assert rules.layers["nav"]["j"] == pressed("down")


def test_sections_include_files_of_their_own(tmp_path: Path) -> None:
    own = (
        'include = ["c.toml"]\n[keys]\na = "1"\nb = "1"\n[[device]]\nvid = 1\n'
        'include = ["a.toml", "vim-nav"]\n[device.keys]\nc = { layer = "low" }\n'
        '[[device]]\nvid = 2\n[device.keys]\nc = "d"\n'
    )
    low = 'include = ["b.toml"]\n[keys]\nb = "2"\nc = "2"\n[layer.low]\nh = "left"\n'
    made = composed(tmp_path, own=own, a=low, b='[device]\nvid = 3\n[keys]\ne = "3"\n', c=A)
    first, second = made.sections
    keys = first.layers["keys"]
    assert (keys["a"], keys["b"], keys["c"]) == (pressed("1"), pressed("2"), Layer("layer", "low"))
    assert keys["e"] == pressed("3")
    assert "capslock" in keys
    assert second.layers == {"keys": {"a": pressed("1"), "b": pressed("1"), "c": pressed("d")}}
    assert [Path(each).stem for each in made.files] == ["c", "own", "b", "a", "vim-nav"]
    assert first.optional == {"a"}


def test_the_default_includes_files_of_its_own(tmp_path: Path) -> None:
    own = '[[device]]\nvid = 1\nignore = true\n[default]\ninclude = ["a.toml"]\n'
    made = composed(tmp_path, own=own, a=A)
    assert made.default
    assert made.default.layers == {"keys": {"a": pressed("b")}}
    assert made.sections[0].leave_alone
    assert not made.sections[0].sources()


def test_one_file_may_be_included_without_a_list(tmp_path: Path) -> None:
    assert composed(tmp_path, own='include = "a.toml"\n', a=A).sections[0].sources() == {"a"}


def test_a_file_beside_the_including_one_comes_before_a_keymap(tmp_path: Path) -> None:
    (tmp_path / "vim-nav").write_text('[keys]\na = "b"\n')
    (rules,) = composed(tmp_path, own='include = ["vim-nav"]\n').sections
    assert rules.sources() == {"a"}


def test_paths_are_relative_to_the_file_that_names_them(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.toml").write_text('include = ["b.toml"]\n')
    (tmp_path / "in" / "b.toml").write_text('[keys]\na = "b"\n')
    (rules,) = composed(tmp_path, own='include = ["in/a.toml"]\n').sections
    assert rules.sources() == {"a"}


A = '[keys]\na = "b"\n'


@pytest.mark.parametrize(
    ("files", "said"),
    [
        (
            {"own": 'include = [\n  "a.toml",\n  "none.toml",\n]\n', "a": A},
            "own.toml:3:3: include names 'none.toml': none.toml cannot be read: No such file",
        ),
        (
            {"own": "# x\n  include = ['vim-nvm']\n"},
            "own.toml:2:14: include names 'vim-nvm': there is no file 'vim-nvm' and no keymap"
            " of that name; did you mean vim-nav?",
        ),
        (
            {"own": 'include = ["a.toml"]', "a": 'include = ["own.toml"]'},
            "a.toml:1:12: include names 'own.toml': the files include each other in a circle,"
            " own.toml → a.toml → own.toml",
        ),
        ({"own": 'include = ["./own.toml"]'}, "in a circle, own.toml → ./own.toml"),
        ({"own": 'include = ["."]'}, "is a directory"),
        ({"own": 'include = ["a\\u0000.toml"]'}, "own.toml:1:1: include names"),
        ({"own": f'include = ["{"x" * 5000}.toml"]'}, "cannot be read: File name too long"),
        ({"own": "include = 3"}, "own.toml:1:1: include is 3; it takes a list of files"),
        ({"own": 'include = [""]'}, "it takes a list of files"),
        ({"own": A + 'include = ["a.toml"]'}, "own.toml:3:1: [keys] include names 'include'"),
        (
            {"own": 'include = ["a.toml"]\n' + A, "a": '[keys]\nescap = "b"\n'},
            "a.toml:2:1: [keys] escap names 'escap', which is no key; did you mean esc",
        ),
        ({"own": 'include = ["a.toml"]\n', "a": "[keys\n"}, "a.toml is not TOML"),
        (
            {"own": '[[device]]\nvid = 1\n[device.keys]\na = "b"\n[[device]]\nvid = 2\n'
             '[device.keys]\nb = "c"\na = "zz"\n'},
            "own.toml:9:1: [device.keys] a names 'zz'",
        ),
        (
            {"own": '[[device]]\nvid = 1\n[[device]]\nnam = "x"\n'},
            "own.toml:4:1: [[device]] nam is no key here; did you mean name",
        ),
        ({"own": '[[device]]\n[device.keys]\na = "b"\n'}, "own.toml:1:1: [[device]] names no dev"),
        ({"own": "[[device]]\nvid = 1\n"}, "own.toml:1:1: [[device]] has no rules"),
        ({"own": "[default]\n"}, "own.toml:1:1: [default] has no rules"),
        ({"own": '[default]\nname = "x"\n'}, "own.toml:2:1: [default] name is no key here"),
        ({"own": "default = 3\n"}, "own.toml:1:1: [default] is 3; it takes a table"),
        ({"own": "device = [3]\n"}, "[[device]] is 3; it takes a table"),
        (
            {"own": '[device]\nvid = 1\n[device.keys]\na = "b"\n'},
            "own.toml:3:1: [device] keys stands in a table of one device; write [[device]]",
        ),
        (
            {"own": '[device]\nvid = 1\n[default.keys]\na = "b"\n'},
            "[default] cannot count, since own.toml has one [device]: write [[device]]",
        ),
        (
            {
                "own": 'include = ["a.toml"]\n[device]\nvid = 1\n',
                "a": '[[device]]\nvid = 2\n[device.keys]\na = "b"\n',
            },
            "a.toml:1:1: [[device]] cannot count, since own.toml has one [device]",
        ),
        (
            {"own": '[keys]\na = { layer = "nav" }\n[default.layer.nav]\na = "b"\n'},
            "own.toml:2:1: [keys] a goes to the layer 'nav', and the file has none",
        ),
        (
            {"own": '[layer.nav]\nb = "c"\n[[device]]\nvid = 1\n'
             '[device.keys]\na = { layer = "nax" }\n'},
            "own.toml:6:1: [device.keys] a goes to 'nax', which is no layer; did you mean nav",
        ),
        (
            {"own": '[layer.nav]\nb = { toggle = "nav" }\n[keys]\na = { toggle = "nav" }\n'
             '[[device]]\nvid = 1\n[device.keys]\na = "a"\n[device.layer.nav]\nb = "none"\n'
             '[device.combo]\n"x+y" = { to = { oneshot = "nav" } }\n'
             '[default.keys]\nz = { toggle = "nav" }\n[default.layer.nav]\na = "b"\nb = "c"\n'
             'z = "none"\n'},
            "own.toml:1:1: [layer.nav] is a layer with no way out",
        ),
        ({"own": "keys.a = 3\n"}, "own.toml:1:1: [keys] a is 3"),
        (
            {"own": '[[device]]\nvid = 1\n[[device]]\nvid = 2\ninclude = ["none.toml"]\n'},
            "own.toml:5:12: [[device]] include names 'none.toml': none.toml cannot be read",
        ),
        (
            {"own": "[[device]]\nvid = 1\ninclude = 'own.toml'\n"},
            "own.toml:3:11: [[device]] include names 'own.toml': the files include each other",
        ),
        (
            {"own": "[[device]]\nvid = 1\ninclude = 'a.toml'\n", "a": "[default.keys]\n"},
            "own.toml:3:1: [[device]] include names a.toml, which has [default]: sections hold",
        ),
        (
            {"own": "[[device]]\nvid = 1\nignore = 1\n"},
            "own.toml:3:1: [[device]] ignore is 1; it takes true or false",
        ),
        (
            {"own": '[[device]]\nvid = 1\nignore = true\n[device.keys]\na = "b"\n'},
            "own.toml:3:1: [[device]] ignore leaves the device alone, and the section has rules",
        ),
        (
            {"own": A + "[[device]]\nvid = 1\nignore = true\n"},
            "own.toml:5:1: [[device]] ignore leaves a device alone, and there are no rules for",
        ),
        ({"own": "[layer]\nnav = { h = 3 }\n"}, "own.toml:2:1: [layer.nav] h is 3"),
    ],
    ids=lambda value: value[:40] if isinstance(value, str) else "",
)  # fmt: skip
def test_what_is_wrong_is_said(tmp_path: Path, files: dict[str, str], said: str) -> None:
    assert said in refusal(tmp_path, **files).replace(" /", " ")


def test_files_include_each_other_so_deep_and_no_deeper(tmp_path: Path) -> None:
    chain = {f"f{n}": f'include = ["f{n + 1}.toml"]\n' for n in range(7)}
    assert composed(tmp_path, **chain, f7=A).sections
    chain["f7"] = 'include = ["f8.toml"]\n'
    said = refusal(tmp_path, **chain, f8=A)
    assert said == "f7.toml:1:12: include names 'f8.toml': this is more than 8 files deep"


def test_files_that_multiply_are_refused(tmp_path: Path) -> None:
    chain = {f"f{n}": f'include = ["f{n + 1}.toml", "f{n + 1}.toml"]\n' for n in range(7)}
    assert "this is more than 64 files" in refusal(tmp_path, **chain, f7=A)
    five = {f"f{n}": chain[f"f{n}"] for n in range(5)}
    assert composed(tmp_path, **five, f5=A).sections  # 63 of them


def test_limits_hold_for_what_comes_together(tmp_path: Path) -> None:
    def layers(first: int, number: int) -> str:
        return "".join(f'[layer.n{n}]\na = "b"\n' for n in range(first, first + number))

    assert composed(tmp_path, own='include = ["a.toml"]\n' + layers(0, 10), a=layers(5, 10))
    said = refusal(tmp_path, own='include = ["a.toml"]\n' + layers(0, 10), a=layers(6, 10))
    assert said == "own.toml has 16 layers; 15 is the most"
    sections = "".join(f'[[device]]\nvid = {n}\n[device.keys]\na = "b"\n' for n in range(65))
    assert "own.toml:257:1: [[device]] is one more than 64" in refusal(tmp_path, own=sections)


def test_a_name_that_is_nothing_is_told() -> None:
    assert find_file("./vim-nav") == "./vim-nav"
    assert find_file("vim-nav").endswith("hid/keymaps/vim-nav.toml")
    with pytest.raises(ScxhidError, match="no file 'vimnav' and no keymap of that name; did"):
        find_file("vimnav")


@pytest.mark.parametrize("page", ["reference/remap.md", "howto/hid-devices.md"])
def test_files_in_the_documentation_are_right(tmp_path: Path, page: str) -> None:
    text = (Path(__file__).resolve().parents[2] / "docs" / page).read_text()
    shown = re.findall(r"^```toml\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    assert shown
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / "macros.toml").write_text(A)
    for example in shown:
        assert composed(tmp_path, example=example).sections


def test_where_something_stands() -> None:
    text = '[a]\n"x.y" = 1\nb.c = 2\n[[d]]\nk = 1\n[[d]]\n  k = 1\n[d.e]\nk = 1\n'
    assert find(text, ("a", "x.y")) == (2, 1)
    assert find(text, ("a", "b", "c")) == (3, 1)
    assert find(text, ("a", "none")) == (1, 1)
    assert find(text, ("d",), 2) == (6, 1)
    assert find(text, ("d", "k"), 2) == (7, 3)
    assert find(text, ("d", "e", "k"), 2) == (9, 1)
    assert find(text, ("d", "e", "k"), 1) == (4, 1)
    assert find(text, ("z",)) is None
