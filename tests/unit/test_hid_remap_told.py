"""What rules in force say is kept beside the kernel, for root alone, and is no other rules'."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyloader.attached import Attached
from pyloader.hid.device import Device
from pyloader.hid.remap import told
from pyloader.hid.remap.apply import InForce, in_force
from pyloader.hid.remap.explain import Line, explain
from pyloader.hid.remap.plan import Plan, plan
from pyloader.hid.remap.read import read_file
from pyloader.hid.remap.told import Told
from pyloader.sysfs import HidNode
from tests.hid_descriptors import KEYBOARD, MOUSE

RULES = '[keys]\na = "b"\ncapslock = { tap = "esc", hold = "leftctrl" }\n'


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where it is kept."""
    monkeypatch.setenv("SCXHID_RUN_DIR", str(tmp_path / "run"))
    return tmp_path / "run" / "rules"


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    path = tmp_path / "desk.toml"
    path.write_text(RULES)
    return path


def planned(path: Path, rdesc: bytes = KEYBOARD) -> Plan:
    node = HidNode("0003:0001:0001.0001", "A device", "", "", "hid-generic", (), None)
    device = Device(node, 3, 1, 1, 1)
    device.__dict__["rdesc"] = rdesc
    return plan(read_file(str(path)), [device])


def kept(path: Path, map_id: int = 7, table: int = 0) -> Told:
    told.keep(map_id, table, planned(path))
    found = told.get(map_id, table)
    assert found
    return found


def test_it_is_what_the_file_said_with_where_it_is(rules: Path) -> None:
    found = kept(rules)
    assert (found.file, found.path) == (str(rules), str(rules))
    assert [(line.key, line.does) for line in found.lines] == [
        (line.key, line.does) for line in explain(planned(rules))
    ]
    assert {line.key for line in found.lines} == {"a", "capslock"}
    assert found.scales == ()


def test_a_file_named_from_where_one_stands_is_found_from_elsewhere(
    rules: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(rules.parent)
    found = kept(Path(rules.name))
    monkeypatch.chdir("/")
    assert (found.file, found.path) == (str(rules), rules.name)
    assert not found.is_edited


def test_scales_are_kept_in_their_order(rules: Path) -> None:
    rules.write_text("[axes]\ny = { scale = -2 }\nx = { scale = 0.5 }\n")
    mouse = planned(rules, MOUSE)
    told.keep(7, 0, mouse)
    found = told.get(7, 0)
    assert found
    assert found.scales == tuple(mouse.rules.scales.items())
    assert len(found.scales) == 2


def test_an_edit_shows_and_its_words_stay_as_they_were_applied(rules: Path) -> None:
    found = kept(rules)
    assert not found.is_edited
    rules.write_text(RULES.replace('"b"', '"c"'))
    assert found.is_edited
    assert told.get(7, 0) == found
    rules.write_text(RULES)
    assert not found.is_edited  # what counts is what it says, not when it was written
    rules.unlink()
    assert found.is_edited


def test_only_its_owner_may_read_it(rules: Path, folder: Path) -> None:
    kept(rules)
    [file] = folder.iterdir()
    assert (folder.stat().st_mode & 0o777, file.stat().st_mode & 0o777) == (0o700, 0o600)


def test_another_map_and_another_table_have_their_own(rules: Path) -> None:
    first = kept(rules, 7, 0)
    rules.write_text('[keys]\na = "c"\n')
    second = kept(rules, 7, 1)
    assert told.get(7, 0) == first != second == told.get(7, 1)
    assert told.get(8, 0) is None


def test_rules_that_are_no_longer_loaded_are_forgotten(rules: Path, folder: Path) -> None:
    for map_id in (7, 77, 8):
        kept(rules, map_id)
    told.forget_all_but({77})
    assert [path.name for path in folder.iterdir()] == ["77-0.json"]
    told.forget_all_but(())
    assert not list(folder.iterdir())


def test_forgetting_where_nothing_was_kept_is_no_error(folder: Path) -> None:
    assert not folder.exists()
    told.forget_all_but({1})


def test_no_room_is_no_error_and_leaves_nothing(rules: Path, folder: Path) -> None:
    folder.parent.mkdir()
    folder.write_text("a file where the folder would be")
    told.keep(7, 0, planned(rules))
    assert told.get(7, 0) is None


DAMAGED = st.one_of(
    st.binary(max_size=60),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=4)
            | st.dictionaries(
                st.sampled_from(["file", "path", "lines", "scales", "digest"]), inner, max_size=5
            )
        ),
        max_leaves=20,
    ).map(lambda value: json.dumps(value).encode()),
)


@given(DAMAGED)
def test_a_damaged_record_is_none_or_whole(raw: bytes) -> None:
    with TemporaryDirectory() as run, pytest.MonkeyPatch.context() as patch:
        patch.setenv("SCXHID_RUN_DIR", run)
        (Path(run) / "rules").mkdir()
        (Path(run) / "rules" / "7-0.json").write_bytes(raw)
        found = told.get(7, 0)
        assert found is None or all(isinstance(line, Line) for line in found.lines)


# --- the rules in force ---


@dataclass
class Loaded:
    """A copy of the program that is attached, by what its variables say."""

    current_tables: int
    is_bypassed: int

    def policy_variable(self, name: str) -> Any:
        return SimpleNamespace(value=getattr(self, name))

    def map_id(self, name: str) -> int:
        return {"all_rules": 7}[name]


@pytest.mark.parametrize("is_bypassed", [False, True])
def test_in_force_is_the_current_table_bypassed_or_not(is_bypassed: bool, rules: Path) -> None:
    kept(rules, 7, 0)
    rules.write_text('[keys]\na = "c"\n')
    now = kept(rules, 7, 1)
    on = cast(Attached, Loaded(current_tables=1, is_bypassed=int(is_bypassed)))
    assert in_force(on) == InForce(now, is_bypassed)


def test_rules_whose_words_were_not_kept_are_in_force_all_the_same() -> None:
    on = cast(Attached, Loaded(current_tables=0, is_bypassed=0))
    assert in_force(on) == InForce(None, False)
