"""Which kernel a wish means, without a network and without a machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from pyloader.errors import WrongUse
from vm import kernels
from vm.errors import KernelFetchError, VmError
from vm.index import Offer, Package

VERSIONS = ("6.16.12+deb13-amd64", "7.2.9+deb13-amd64", "7.3.4+deb13-amd64")


def bzimage(version: str) -> bytes:
    """As much of an x86 kernel image as tells its version (Documentation/arch/x86/boot.rst)."""
    image = bytearray(0x1000)
    image[0x202:0x206] = b"HdrS"
    image[0x20E:0x210] = (0x600).to_bytes(2, "little")
    text = f"{version} (builder@host) #1 SMP\0".encode()
    image[0x800 : 0x800 + len(text)] = text
    return bytes(image)


def put_kernel(tree: Path, version: str) -> Path:
    modules = tree / "lib" / "modules" / version
    modules.mkdir(parents=True)
    (modules / "modules.dep").touch()
    (modules / "vmlinuz").write_bytes(bzimage(version))
    return modules / "vmlinuz"


def offer(version: str) -> Offer:
    return Offer(version, (Package(f"linux-image-{version}", "1", 10, 20),))


@pytest.fixture(autouse=True)
def archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Offer] | None:
    """An archive that offers VERSIONS, and puts what is fetched into an empty cache."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "home"))
    offers = [offer(version) for version in VERSIONS]

    def fetch(wanted: Offer, progress: object = None) -> None:
        put_kernel(cache(tmp_path) / wanted.version, wanted.version)

    monkeypatch.setattr(kernels, "offered", lambda: offers)
    monkeypatch.setattr(kernels, "stale_offers", lambda: offers)
    monkeypatch.setattr(kernels, "fetch", fetch)
    return offers


def cache(tmp_path: Path) -> Path:
    return tmp_path / "home" / "scxhid" / "kernels"


def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> list[Offer]:
        raise KernelFetchError("the package index could not be fetched")

    monkeypatch.setattr(kernels, "offered", refuse)


def test_the_newest_is_the_default_and_is_fetched_once(tmp_path: Path) -> None:
    told: list[str] = []
    assert kernels.choose(say=told.append).version == "7.3.4+deb13-amd64"
    assert kernels.choose(say=told.append).version == "7.3.4+deb13-amd64"
    assert len(told) == 1
    assert told[0].startswith("fetching kernel 7.3.4+deb13-amd64")


@pytest.mark.parametrize(
    ("wish", "version"),
    [
        ("7", "7.3.4+deb13-amd64"),
        ("7.2", "7.2.9+deb13-amd64"),
        ("6.16.12", "6.16.12+deb13-amd64"),
        ("7.2.9+deb13-amd64", "7.2.9+deb13-amd64"),
    ],
)
def test_the_beginning_of_a_version_means_the_newest_that_fits(wish: str, version: str) -> None:
    assert kernels.choose(wish).version == version


def test_a_version_that_nobody_has_is_answered_with_those_there_are() -> None:
    with pytest.raises(VmError, match=r"no kernel 6\.1 is offered; choose from 6\.16, 7\.2, 7\.3"):
        kernels.choose("6.1")


def test_a_word_is_wrong_use() -> None:
    with pytest.raises(WrongUse, match="'newest' is no kernel version"):
        kernels.choose("newest")


def test_offline_the_newest_of_the_cache_is_taken_and_that_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_kernel(cache(tmp_path) / VERSIONS[0], VERSIONS[0])
    offline(monkeypatch)
    told: list[str] = []
    assert kernels.choose(say=told.append).version == VERSIONS[0]
    assert "Going on with kernel 6.16.12+deb13-amd64 from the cache" in told[0]


def test_offline_with_nothing_that_fits_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_kernel(cache(tmp_path) / VERSIONS[0], VERSIONS[0])
    offline(monkeypatch)
    with pytest.raises(KernelFetchError):
        kernels.choose("7.3")


def test_a_cached_kernel_newer_than_the_archives_is_the_newest(tmp_path: Path) -> None:
    put_kernel(cache(tmp_path) / "7.4.1+deb13-amd64", "7.4.1+deb13-amd64")
    assert kernels.choose().version == "7.4.1+deb13-amd64"


def test_half_a_kernel_in_the_cache_is_none(tmp_path: Path) -> None:
    (cache(tmp_path) / ".7.3.4.new-x" / "lib").mkdir(parents=True)
    (cache(tmp_path) / "7.2.9+deb13-amd64").mkdir()
    assert kernels.cached() == []


def test_a_path_finds_its_modules_by_walking_up(tmp_path: Path) -> None:
    image = put_kernel(tmp_path / "tree", "7.4.0-rc1-mine")
    found = kernels.choose(str(image))
    assert (found.version, found.modules) == ("7.4.0-rc1-mine", image.parent)
    boot = tmp_path / "tree" / "boot" / "vmlinuz"
    boot.parent.mkdir()
    boot.write_bytes(image.read_bytes())
    assert kernels.choose(str(boot)).modules == image.parent


def test_two_kernels_of_one_version_do_not_share_what_is_made_of_them(tmp_path: Path) -> None:
    first = kernels.choose(str(put_kernel(tmp_path / "one", "7.4.0-mine")))
    second = kernels.choose(str(put_kernel(tmp_path / "two", "7.4.0-mine")))
    assert first.derived != second.derived


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "there is no kernel image"),
        (b"", "no x86 kernel image"),
        (b"\x7fELF" + bytes(5000), "no x86 kernel image"),
        (bzimage("7.4.0-lonely"), "no modules for"),
    ],
)
def test_a_path_that_is_no_kernel_is_said(tmp_path: Path, content: bytes | None, said: str) -> None:
    path = tmp_path / "some" / "vmlinuz"
    path.parent.mkdir()
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(VmError, match=said):
        kernels.choose(str(path))
