"""The setup that a fresh machine runs: its package lists and its steps in the environment."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
from pathlib import Path
from types import ModuleType

import pytest

SETUP = Path(__file__).resolve().parents[2] / "pyloader" / "_setup"
LISTS = sorted((SETUP / "packages").iterdir())
PURPOSES = {"setup", "build", "vm", "lint"}


@pytest.fixture
def environment() -> ModuleType:
    spec = importlib.util.spec_from_file_location("environment", SETUP / "environment.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("path", LISTS, ids=lambda path: path.name)
def test_each_line_of_a_list_is_a_package_a_version_and_a_purpose(path: Path) -> None:
    lines = [line.split() for line in path.read_text().splitlines() if line[:1] != "#"]
    assert all(len(words) == 3 and words[2] in PURPOSES for words in lines)
    assert len({words[0] for words in lines}) == len(lines)


@pytest.mark.parametrize("name", ["dnf", "pacman"])
def test_a_list_that_was_never_run_says_so(name: str) -> None:
    assert "UNTESTED" in (SETUP / "packages" / name).read_text().splitlines()[0]


@pytest.mark.parametrize("script", ["setup.sh", "apt.sh"])
def test_scripts_are_posix_shell(script: str) -> None:
    dash = shutil.which("dash") or "sh"
    subprocess.run([dash, "-n", str(SETUP / script)], check=True)


def fake_machine(
    tmp_path: Path, dpkg: str, sudo: str | None = None
) -> subprocess.CompletedProcess[str]:
    """Run setup.sh where ``dpkg-query`` prints ``dpkg`` and the user is nobody in particular."""
    tools = tmp_path / "bin"
    tools.mkdir()
    scripts = {"apt-get": "exit 9", "dpkg-query": f"printf '%b' '{dpkg}'", "id": "echo 1000"}
    if sudo is not None:
        scripts["sudo"] = sudo
    for name, text in scripts.items():
        (tools / name).write_text(f"#!/bin/sh\n{text}\n")
        (tools / name).chmod(0o755)
    for name in ("sh", "sed", "cut", "sort", "head", "tr", "wc", "dirname", "cat"):
        found = shutil.which(name)
        assert found
        (tools / name).symlink_to(found)
    root = tmp_path / "checkout"
    shutil.copytree(SETUP, root / "pyloader" / "_setup")
    return subprocess.run(
        ["sh", str(root / "pyloader" / "_setup" / "setup.sh")],
        env={"PATH": str(tools), "PYTHON": "/nonexistent/python"},
        capture_output=True,
        text=True,
        check=False,
    )


def everything(**other: str) -> str:
    """What ``dpkg-query`` says when all is installed, but for ``other`` versions."""
    lines = (SETUP / "packages" / "apt").read_text().splitlines()
    names = [line.split()[0] for line in lines if line[:1] != "#"]
    versions = {name: other.get(name.replace("-", "_"), "99") for name in names}
    return "".join(f"installed {name} {v}\\n" for name, v in versions.items() if v)


def test_packages_that_are_all_there_need_no_root(tmp_path: Path) -> None:
    done = fake_machine(tmp_path, everything())
    assert "missing" not in done.stdout
    assert "no Python 3.11" in done.stderr
    assert done.returncode == 3


def test_without_root_and_sudo_the_command_for_root_is_named(tmp_path: Path) -> None:
    done = fake_machine(tmp_path, everything(libbpf_dev="1:1.1.2-0", zstd=""))
    assert done.returncode == 4
    assert done.stderr.rstrip().endswith("_setup/apt.sh libbpf-dev/1.4 zstd")


def test_an_epoch_does_not_make_an_old_package_new(tmp_path: Path) -> None:
    done = fake_machine(tmp_path, everything(qemu_system_x86="1:7.2+dfsg-7"))
    assert "qemu-system-x86" in done.stdout


def test_sudo_is_asked_once_with_what_is_missing(tmp_path: Path) -> None:
    done = fake_machine(tmp_path, everything(kmod="", file=""), sudo='echo "sudo: $*"; exit 7')
    assert done.returncode == 7
    assert done.stdout.count("sudo:") == 1
    assert "apt.sh file kmod" in done.stdout


def test_a_machine_without_a_known_package_manager_is_told_so(tmp_path: Path) -> None:
    dirname = shutil.which("dirname")
    assert dirname
    (tmp_path / "dirname").symlink_to(dirname)
    done = subprocess.run(
        [shutil.which("sh") or "/bin/sh", str(SETUP / "setup.sh")],
        env={"PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 3
    assert "no apt-get, dnf or pacman" in done.stderr


def test_a_file_is_rewritten_only_when_it_differs(environment: ModuleType, tmp_path: Path) -> None:
    path = tmp_path / "file"
    assert environment.write_if_other(path, "text", 0o755)
    before = path.stat().st_mtime_ns
    assert not environment.write_if_other(path, "text", 0o755)
    assert path.stat().st_mtime_ns == before
    assert environment.write_if_other(path, "text", 0o644)


def test_a_step_is_remembered_by_what_it_was_done_for(
    environment: ModuleType, tmp_path: Path
) -> None:
    record = environment.Record(tmp_path / "record.json")
    record.keep("packages", "a")
    assert environment.Record(record.path).holds("packages", "a")
    assert not environment.Record(record.path).holds("packages", "b")


def test_a_damaged_record_means_that_nothing_was_done(
    environment: ModuleType, tmp_path: Path
) -> None:
    (tmp_path / "record.json").write_text("{")
    assert not environment.Record(tmp_path / "record.json").holds("packages", "a")
