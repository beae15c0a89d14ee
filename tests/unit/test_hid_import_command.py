"""``scxhid hid import keyd``: what it prints, and what it writes where."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from pyloader.hid.remap import compose
from pyloader.hid.remap.model import BASE, Keys
from tests.unit.conftest import Outcome


@pytest.fixture
def imported(
    scxhid: Callable[..., Outcome], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Outcome]:
    """The command, in a directory with the file mine.conf."""
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    Path("mine.conf").write_text("[ids]\n*\n[main]\na = b\nc = swap(d)\n")
    return partial(scxhid, "hid", "import", "keyd")


def test_it_is_printed_with_a_list_of_what_is_missing(imported: Callable[..., Outcome]) -> None:
    said = imported("mine.conf")
    assert said.status == 0
    assert "[[device]]" in said.out
    assert compose.compose_bytes(said.out.encode(), "out").sections[0].layers == {
        BASE: {"a": Keys(("b",))}
    }
    assert said.err == (
        "mine.conf:5: c = swap(d)\n    not carried over: no layer takes the place of another while"
        " a key is held; use a layer and a toggle\n"
    )
    said = imported("mine.conf", "--json")
    found = json.loads(said.out)
    assert (said.status, said.err, found["rules"], found["differs"]) == (0, "", 1, [])
    assert [(each["file"], each["line"]) for each in found["not_carried"]] == [("mine.conf", 5)]


def test_no_file_is_overwritten_unless_that_is_wanted(imported: Callable[..., Outcome]) -> None:
    out = Path("mine.toml")
    said = imported("mine.conf", "-o", out)
    assert said.status == 0
    assert said.out == (
        "mine.toml: rules carried over from mine.conf: 1; things not carried over: 1,"
        " different from keyd: 0\n"
    )
    was = out.read_text()
    out.write_text("edited")
    said = imported("mine.conf", "-o", out)
    assert (said.status, out.read_text()) == (2, "edited")
    assert "is there already; --force overwrites it" in said.err
    assert imported("mine.conf", "-o", out, "--force").status == 0
    assert out.read_text() == was


def test_what_cannot_be_done_leaves_nothing(imported: Callable[..., Outcome]) -> None:
    assert imported("mine.conf", "--force").status == 2
    assert imported("absent.conf").status == 1
    assert imported("mine.conf", "-o", "no/mine.toml").status == 1
    Path("bad.conf").write_text("a = b\n")
    assert imported("bad.conf", "-o", "bad.toml").status == 1
    assert sorted(path.name for path in Path().iterdir()) == ["bad.conf", "mine.conf"]
