"""The cache: directories appear whole or not at all, and what is remembered may be lost."""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path

import pytest

from vm import cache
from vm.errors import KernelFetchError, VmError


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "scxhid"


def files_below(path: Path) -> list[str]:
    return sorted(str(f.relative_to(path)) for f in path.rglob("*") if not f.name.endswith(".lock"))


def test_a_relative_cache_home_is_not_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "here")
    assert cache.cache_root() == Path.home() / ".cache" / "scxhid"


def test_a_new_directory_takes_the_place_of_the_old(tmp_path: Path) -> None:
    target = tmp_path / "kernel"
    target.mkdir()
    (target / "old").touch()
    with cache.replacing_directory(target) as new:
        (new / "new").touch()
        assert files_below(target) == ["old"]
    assert files_below(tmp_path) == ["kernel", "kernel/new"]


def test_a_failure_leaves_the_old_directory_and_no_other(tmp_path: Path) -> None:
    target = tmp_path / "kernel"
    target.mkdir()
    (target / "old").touch()

    def fail() -> None:
        with cache.replacing_directory(target) as new:
            shutil.copytree(target, new / "new")
            (new / "missing").read_text()

    with pytest.raises(FileNotFoundError):
        fail()
    assert files_below(tmp_path) == ["kernel", "kernel/old"]


def test_what_a_killed_process_left_is_removed(tmp_path: Path) -> None:
    (tmp_path / ".kernel.new-abc" / "half").mkdir(parents=True)
    with cache.replacing_directory(tmp_path / "kernel"):
        pass
    assert files_below(tmp_path) == ["kernel"]


def test_a_full_disk_is_said_in_a_sentence(tmp_path: Path) -> None:
    def fill() -> None:
        with cache.replacing_directory(tmp_path / "kernel"):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.raises(KernelFetchError, match="the disk is full"):
        fill()


def test_space_that_is_not_there_is_named(tmp_path: Path) -> None:
    cache.require_free(tmp_path, 1, "a kernel")
    with pytest.raises(KernelFetchError, match=r"a kernel needs 1000000000 MB in .* are free"):
        cache.require_free(tmp_path, 10**15, "a kernel")


def test_a_cache_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(VmError, match="set XDG_CACHE_HOME"):
        cache.make_directory(tmp_path / "file" / "below")


def test_what_is_remembered_comes_back(own_cache: Path) -> None:
    cache.remember("kvm.json", {"a": 1})
    assert cache.remembered("kvm.json") == {"a": 1}
    assert files_below(own_cache) == ["kvm.json"]


@pytest.mark.parametrize("text", ["", "{", "[1]", "null", "\udcff"])
def test_a_memory_that_cannot_be_read_is_empty(own_cache: Path, text: str) -> None:
    own_cache.mkdir()
    (own_cache / "kvm.json").write_text(text, errors="surrogateescape")
    assert cache.remembered("kvm.json") == {}
