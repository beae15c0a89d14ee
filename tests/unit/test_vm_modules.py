"""The slim module tree: what is needed with all that it needs, and nothing else."""

from __future__ import annotations

import lzma
import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vm import modules
from vm.errors import VmError

DEPENDENCIES = """\
kernel/fs/9p/9p.ko.xz: kernel/net/9p/9pnet.ko.xz kernel/fs/netfs/netfs.ko.xz
kernel/net/9p/9pnet.ko.xz: kernel/fs/netfs/netfs.ko.xz
kernel/fs/netfs/netfs.ko.xz:
kernel/drivers/hid/hid-generic.ko.xz: kernel/drivers/hid/hid.ko.xz
kernel/drivers/hid/hid.ko.xz:
kernel/sound/soundcore.ko.xz:
"""


def test_dependencies_come_first_and_once() -> None:
    table = modules.read_dependencies(DEPENDENCIES)
    assert modules.needed_paths(table, ["9p", "hid_generic"]) == [
        "kernel/fs/netfs/netfs.ko.xz",
        "kernel/net/9p/9pnet.ko.xz",
        "kernel/fs/9p/9p.ko.xz",
        "kernel/drivers/hid/hid.ko.xz",
        "kernel/drivers/hid/hid-generic.ko.xz",
    ]


def test_what_is_built_in_needs_no_file() -> None:
    assert modules.needed_paths(modules.read_dependencies(DEPENDENCIES), ["virtio_pci"]) == []


@given(st.text())
def test_no_list_of_dependencies_is_too_odd(text: str) -> None:
    modules.needed_paths(modules.read_dependencies(text), modules.MODULES)


@pytest.mark.parametrize("name", ["hid-generic", "hid_generic", "a/b/hid-generic.ko.xz"])
def test_the_kernel_spells_a_module_with_underscores(name: str) -> None:
    assert modules.canonical(name) == "hid_generic"


def test_the_stamp_follows_the_list_and_not_its_order() -> None:
    assert modules.stamp(["a", "b"]) == modules.stamp(["b", "a"])
    assert modules.stamp(["a", "b"]) != modules.stamp(["a", "c"])


@pytest.fixture
def full(tmp_path: Path) -> Path:
    tree = tmp_path / "full"
    for line in DEPENDENCIES.splitlines():
        path = tree / line.split(":")[0]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(lzma.compress(path.name.encode()))
    (tree / "modules.dep").write_text(DEPENDENCIES)
    return tree


@pytest.mark.skipif(not shutil.which("depmod", path="/usr/sbin:/sbin"), reason="needs kmod")
def test_the_tree_holds_unpacked_modules_and_the_image(full: Path, tmp_path: Path) -> None:
    tree = modules.slim_tree(tmp_path / "vmlinuz", full, "7.3.4", tmp_path / "derived")
    slim = tree / "lib" / "modules" / "7.3.4"
    assert (slim / "kernel/drivers/hid/hid.ko").read_bytes() == b"hid.ko.xz"
    assert not (slim / "kernel/sound").exists()
    assert (slim / "vmlinuz").readlink() == tmp_path / "vmlinuz"
    assert (slim / "modules.dep").is_file()


@pytest.mark.skipif(not shutil.which("depmod", path="/usr/sbin:/sbin"), reason="needs kmod")
def test_the_tree_is_made_again_when_the_list_changes(
    full: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def made() -> Path:
        tree = modules.slim_tree(tmp_path / "vmlinuz", full, "7.3.4", tmp_path / "derived")
        return tree / "lib" / "modules" / "7.3.4" / "kernel"

    first = made()
    (first / "trace").touch()
    assert (made() / "trace").exists()
    monkeypatch.setitem(modules.MODULES, "soundcore", "a test")
    assert (made() / "sound" / "soundcore.ko").exists()
    assert not (made() / "trace").exists()


def test_a_directory_without_modules_is_named(tmp_path: Path) -> None:
    with pytest.raises(VmError, match=r"modules\.dep"):
        modules.slim_tree(tmp_path / "vmlinuz", tmp_path, "7.3.4", tmp_path / "derived")
