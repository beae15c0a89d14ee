"""Copies of loaded objects: whole or not at all, and never another's."""

from __future__ import annotations

import resource
from collections.abc import Callable
from pathlib import Path

import pytest

from pyloader import keep
from pyloader.errors import BadObject, Gone
from pyloader.spec import ObjectSpec

SpecOf = Callable[[str], ObjectSpec]


@pytest.fixture
def objects(own_dirs: Path) -> Path:
    """Where the copies lie."""
    return own_dirs / "run" / "objects"


def test_copy_is_the_object_itself(objects: Path, spec_of: SpecOf) -> None:
    keep.keep(7, spec_of("simple"))
    copy = keep.get(7, "simple")
    assert copy.digest == spec_of("simple").digest
    assert copy.knobs == spec_of("simple").knobs
    assert [path.name for path in objects.iterdir()] == ["7.bpf.o"]


def test_copy_goes_by_the_kernels_id_alone(objects: Path, spec_of: SpecOf) -> None:
    keep.keep(7, spec_of("simple"))
    keep.keep(8, spec_of("globals"))
    assert "fills" in keep.get(8, "simple").stats
    with pytest.raises(
        Gone, match=r"no copy of simple's object was kept.*`scxhid sched use simple"
    ):
        keep.get(9, "simple")


def test_only_what_is_loaded_stays(objects: Path, spec_of: SpecOf) -> None:
    for number in (1, 2, 3):
        keep.keep(number, spec_of("no_ops"))
    keep.forget_all_but({2})
    assert [path.name for path in objects.iterdir()] == ["2.bpf.o"]


def test_nothing_to_forget_is_no_error(objects: Path) -> None:
    keep.forget_all_but(set())


def test_disk_with_too_little_room_keeps_nothing(objects: Path, spec_of: SpecOf) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))  # a part fits, as on a full disk
    try:
        keep.keep(7, spec_of("simple"))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert list(objects.iterdir()) == []
    with pytest.raises(Gone):
        keep.get(7, "simple")


def test_place_that_cannot_be_written_is_no_error(
    spec_of: SpecOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SCXHID_RUN_DIR", "/proc/version/run")
    keep.keep(7, spec_of("simple"))
    keep.forget_all_but(set())


def test_spoiled_copy_is_a_bad_object(objects: Path, spec_of: SpecOf) -> None:
    keep.keep(7, spec_of("simple"))
    (objects / "7.bpf.o").write_bytes(b"spoiled")
    with pytest.raises(BadObject, match="simple is not an ELF file"):
        keep.get(7, "simple")
