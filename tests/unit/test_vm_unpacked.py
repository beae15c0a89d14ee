"""Packages that tests compare with: fetched once, whole or not at all."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from vm import keyd, unpacked
from vm.errors import KernelFetchError


class Archive:
    """Stands in for apt: what it was asked for, and whether it can be had."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.is_there = True

    def __call__(self, site: str, suite: str) -> Archive:
        assert (site, suite) == ("http://archive.test", "sid")
        return self

    def update(self) -> None:
        self.asked.append("update")

    def download(
        self, packages: Sequence[str], into: Path, progress: Callable[[int], None] | None
    ) -> list[Path]:
        self.asked += packages
        if not self.is_there:
            raise KernelFetchError("it could not be downloaded")
        files = [into / f"{name}.deb" for name in packages]
        for file in files:
            file.touch()
        return files


@pytest.fixture
def archive(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Archive:
    archive = Archive()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("SCXHID_MIRROR", "http://archive.test")
    monkeypatch.setattr(unpacked, "Apt", archive)
    monkeypatch.setattr(unpacked, "unpack", _unpack)
    return archive


def _unpack(file: Path, into: Path) -> None:
    (into / file.stem).mkdir()


def test_it_is_unpacked_with_what_it_needs_and_not_asked_for_again(archive: Archive) -> None:
    for _ in range(2):
        root = unpacked.fetch("tool", ("library",), unpacked_bytes=1)
        assert sorted(path.name for path in root.iterdir()) == ["library", "tool"]
    assert archive.asked == ["update", "tool", "library"]


def test_what_cannot_be_had_leaves_nothing(archive: Archive, tmp_path: Path) -> None:
    archive.is_there = False
    with pytest.raises(KernelFetchError, match="could not be downloaded"):
        keyd.fetch()
    assert [path for path in (tmp_path / "scxhid").iterdir() if path.is_dir()] == []
    archive.is_there = True
    assert keyd.fetch().is_dir()
