"""Places of pins, as far as a plain directory can stand for the BPF file system."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pyloader import bpffs
from pyloader.bpffs import Place
from pyloader.errors import ScxhidError, Unsupported


@pytest.fixture
def place(tmp_path: Path) -> Place:
    for folder, names in {"ops": ["lavd_1-0-9"], "sections": ["data"], "maps": ["b", "a"]}.items():
        (tmp_path / "current" / folder).mkdir(parents=True)
        for name in names:
            (tmp_path / "current" / folder / name).touch()
    return Place(str(tmp_path / "current"))


def test_names_of_pins_are_those_that_were_pinned(place: Place) -> None:
    assert place.ops_name() == "lavd_1.0.9"  # the kernel allows no dot in a pin's name
    assert list(place.pins("maps")) == ["a", "b"]
    assert place.pins("programs") == {}


def test_place_without_a_link_is_a_standby(place: Place) -> None:
    assert place.exists()
    assert not place.is_attached()
    Path(place.link).touch()
    assert place.is_attached()
    assert place.since_ns() == os.stat(place.link).st_mtime_ns


def test_nothing_is_at_a_place_that_is_not_there(tmp_path: Path) -> None:
    none = Place(str(tmp_path / "none"))
    assert not none.exists()
    assert not none.is_attached()
    assert none.ops_name() is None
    none.clear()


def test_clearing_removes_every_pin(place: Place) -> None:
    Path(place.link).touch()
    place.clear()
    assert not Path(place.path).exists()


def test_moving_replaces_what_was_there(place: Place, tmp_path: Path) -> None:
    other = Place(str(tmp_path / "previous"))
    (tmp_path / "previous" / "ops").mkdir(parents=True)
    (tmp_path / "previous" / "ops" / "old").touch()
    place.move_to(other)
    assert other.ops_name() == "lavd_1.0.9"
    assert not place.exists()


def test_pins_that_cannot_be_made_leave_no_place(tmp_path: Path) -> None:
    place = Place(str(tmp_path / "next"))
    with pytest.raises(ScxhidError):  # a plain directory takes no pins, and 9999 is no descriptor
        place.fill({"ops": {"x": 9999}})
    assert not place.exists()


def test_missing_file_system_is_unsupported_and_says_how_to_mount_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(bpffs, "MOUNT", str(tmp_path))
    assert not bpffs.is_mounted()
    with pytest.raises(Unsupported, match=f"mount -t bpf bpf {tmp_path}") as caught:
        bpffs.ensure_mounted()
    assert caught.value.exit_status == 3
