"""What a user gets: the wheel and the sdist."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SCHEDULERS = sorted(path.name for path in (ROOT / "schedulers").glob("*.bpf.c"))


def build(source: Path, target: str, into: Path) -> Path:
    done = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", target, "-d", str(into)],
        cwd=source,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (built,) = into.iterdir()
    return built


@pytest.fixture(scope="module")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(ROOT, "sdist", tmp_path_factory.mktemp("sdist"))


@pytest.fixture(scope="module")
def wheel(sdist: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel made from the sdist, as pip makes it: what the sdist forgot is missing here."""
    unpacked = tmp_path_factory.mktemp("source")
    with tarfile.open(sdist) as archive:
        archive.extractall(unpacked, filter="data")
    (source,) = unpacked.iterdir()
    return build(source, "wheel", tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel unpacked, which for a wheel of this shape is its installation."""
    site = tmp_path_factory.mktemp("site")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    return site


def in_installation(site: Path, code: str, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=site.parent,
        env=os.environ | {"PYTHONPATH": str(site)} | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_one_wheel_serves_every_python_from_3_11_on(wheel: Path) -> None:
    assert "-cp311-abi3-linux_" in wheel.name


def test_wheel_has_each_scheduler_as_source_and_as_object(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    assert SCHEDULERS
    for source in SCHEDULERS:
        assert f"pyloader/_data/schedulers/{source}" in names
        assert f"pyloader/_data/schedulers/{source.removesuffix('c')}o" in names


def test_wheel_has_the_headers_that_a_new_scheduler_includes(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    for header in (ROOT / "schedulers" / "include").glob("*.h"):
        assert f"pyloader/_data/schedulers/include/{header.name}" in names


def test_wheel_has_the_rules_that_can_be_named(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    assert "pyloader/_data/schedulers/rules/desktop.toml" in names
    keymaps = list((ROOT / "hid" / "keymaps").glob("*.toml"))
    assert keymaps
    assert {f"pyloader/_data/hid/keymaps/{path.name}" for path in keymaps} <= names


def test_installed_keymaps_are_found_by_name(installed: Path) -> None:
    code = (
        "from pyloader.hid.remap.compose import find_file, read_compose\n"
        "print(read_compose(find_file('vim-nav')).path)"
    )
    path = in_installation(installed, code).strip()
    assert path == str(installed / "pyloader" / "_data" / "hid" / "keymaps" / "vim-nav.toml")


def test_wheel_has_the_schedulers_with_faults_that_the_demo_shows(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    for name in ("refused", "stall"):
        assert {f"pyloader/_data/demo/{name}.bpf.{kind}" for kind in "co"} <= names


def test_wheel_has_what_it_takes_to_look_at_devices(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {f"pyloader/_data/hid/original/original.bpf.{kind}" for kind in "co"} <= names
    assert {"pyloader/_data/hid/include/hid_bpf.h", "pyloader/hid/usages.txt"} <= names


def test_wheel_has_no_tests_and_nothing_outside_its_packages(wheel: Path) -> None:
    tops = {name.split("/")[0] for name in zipfile.ZipFile(wheel).namelist()}
    (metadata,) = (top for top in tops if top.endswith(".dist-info"))
    assert tops == {"pyloader", "tui", "vm", metadata}


def test_installed_scheduler_opens_without_a_compiler(installed: Path, tmp_path: Path) -> None:
    code = (
        "import pyloader; from pyloader.catalog import find_scheduler;"
        "print(pyloader.__file__); print(*find_scheduler('simple').open().knobs)"
    )
    where, knobs = in_installation(installed, code, PATH=str(tmp_path)).splitlines()
    assert where.startswith(str(installed))
    assert "slice_us" in knobs.split()


def test_installed_command_answers(installed: Path) -> None:
    code = "import sys; sys.argv = ['scxhid', '--help']; from pyloader.cli import main; main()"
    assert "scxhid" in in_installation(installed, code)


def test_wheel_has_the_version_that_the_command_prints(wheel: Path) -> None:
    from pyloader import __version__

    assert wheel.name.startswith(f"scxhid-{__version__}-")
