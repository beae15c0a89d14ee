"""Objects compiled once, directories of a test's own, and the command line run in this process."""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

from pyloader import sysfs
from pyloader.cli import main
from pyloader.compile import compile_object
from pyloader.spec import ObjectSpec
from tests.unit.remapped import compile_library

ROOT = Path(__file__).resolve().parents[2]


class Outcome(NamedTuple):
    """What a command did: its exit status and its words."""

    status: int
    out: str
    err: str


@cache
def _object(name: str) -> Path:
    folders = (ROOT / "schedulers", ROOT / "tests" / "programs")
    return compile_object(next(p for f in folders if (p := f / f"{name}.bpf.c").is_file()))


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    """The remap program as a library, see ``tests.unit.remapped``."""
    return ctypes.CDLL(str(compile_library(tmp_path_factory.mktemp("native"))))


@pytest.fixture(scope="session")
def object_of() -> Callable[[str], Path]:
    """The compiled object of a scheduler or of a test program, by name."""
    return _object


@pytest.fixture(scope="session")
def spec_of() -> Callable[[str], ObjectSpec]:
    """The spec of a scheduler or of a test program, by name."""
    return cache(lambda name: ObjectSpec.open(_object(name)))


@pytest.fixture
def own_dirs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Directories for the lock and the history that no real command uses."""
    monkeypatch.setenv("SCXHID_RUN_DIR", str(tmp_path / "run"))
    monkeypatch.setenv("SCXHID_STATE_DIR", str(tmp_path / "state"))
    return tmp_path


@pytest.fixture
def scxhid(
    own_dirs: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Callable[..., Outcome]:
    """Run the command line as on a kernel without sched_ext, whatever this machine has."""
    monkeypatch.setattr(sysfs, "_ROOT", own_dirs / "no_sched_ext")

    def run(*words: str | Path) -> Outcome:
        monkeypatch.setattr(sys, "argv", ["scxhid", *map(str, words)])
        capfd.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        said = capfd.readouterr()
        code = ended.value.code
        return Outcome(code if isinstance(code, int) else 0, said.out, said.err)

    return run


@pytest.fixture
def launcher() -> Path:
    """The installed command, for what only a process of its own can show."""
    return Path(sys.executable).parent / "scxhid"
