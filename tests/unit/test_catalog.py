"""Which schedulers there are, and what a user means by a word."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from pyloader import catalog
from pyloader.catalog import find_scheduler, looks_like_file, schedulers
from pyloader.errors import BadObject, ScxhidError, UnknownName

SCHEDULERS = Path(__file__).resolve().parents[2] / "schedulers"


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of schedulers of an installation, in place of the checkout's."""
    monkeypatch.setattr(catalog, "data_root", lambda folder: tmp_path)
    return tmp_path


def test_schedulers_are_the_sources_in_their_folder() -> None:
    assert list(schedulers()) == sorted(
        path.name.removesuffix(".bpf.c") for path in SCHEDULERS.glob("*.bpf.c")
    )
    assert "simple" in schedulers()


def test_new_source_is_a_new_scheduler(installed: Path) -> None:
    assert schedulers() == {}
    (installed / "mine.bpf.c").touch()
    assert list(schedulers()) == ["mine"]


def test_installed_object_needs_no_compiler(
    installed: Path, object_of: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    (installed / "simple.bpf.c").write_text("this would not compile")
    (installed / "simple.bpf.o").write_bytes(object_of("simple").read_bytes())
    monkeypatch.setenv("PATH", "/nowhere")
    spec = find_scheduler("simple").open()
    assert spec.name == "simple"
    assert "slice_us" in spec.knobs


def test_word_with_a_slash_or_a_suffix_is_a_file() -> None:
    assert all(map(looks_like_file, ["./simple", "dir/x", "x.bpf.c", "x.bpf.o", "/x", "x.o"]))
    assert not any(map(looks_like_file, ["simple", "my_sched", "scx-1"]))


def test_file_is_found_whatever_schedulers_there_are(
    tmp_path: Path, object_of: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "other.bpf.o").write_bytes(object_of("simple").read_bytes())
    monkeypatch.chdir(tmp_path)
    for text in ("other.bpf.o", "./other.bpf.o", str(tmp_path / "other.bpf.o")):
        found = find_scheduler(text)
        assert found.name == "other"
        assert found.open().about.what


def test_missing_file_is_said_to_be_missing() -> None:
    with pytest.raises(ScxhidError, match=r"^\./simple does not exist$"):
        find_scheduler("./simple")


@pytest.mark.parametrize("text", ["", "simpel", "SIMPLE", "../simple.bpf", "simple;ls", "-x"])
def test_what_is_no_scheduler_is_an_error_of_ours(text: str) -> None:
    with pytest.raises(ScxhidError):
        find_scheduler(text)


def test_mistyped_name_is_asked_about() -> None:
    with pytest.raises(UnknownName) as caught:
        find_scheduler("SIMPEL")
    assert caught.value.nearest == ("simple",)


def test_file_of_another_kind_is_a_bad_object(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("hello")
    with pytest.raises(BadObject, match=r"notes\.txt is not an ELF file"):
        find_scheduler(str(tmp_path / "notes.txt")).open()
