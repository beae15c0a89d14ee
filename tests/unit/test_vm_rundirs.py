"""A run's own directory: gone afterwards, also after a run whose process was killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from vm.rundirs import run_directory

KILLED = """\
import os, signal
from vm.rundirs import run_directory
with run_directory(None) as (directory, _):
    print(directory, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture(autouse=True)
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "scxhid" / "runs"


def test_the_kernel_log_outlives_the_directory(tmp_path: Path) -> None:
    wanted = tmp_path / "deep" / "my.log"
    with run_directory(wanted) as (directory, kept):
        (directory / "kernel.log").write_text("said\n")
    assert kept == wanted
    assert wanted.read_text() == "said\n"
    assert not directory.exists()


def test_logs_do_not_pile_up(tmp_path: Path) -> None:
    for _ in range(40):
        with run_directory(None) as (directory, _kept):
            (directory / "kernel.log").touch()
    assert len(list((tmp_path / "scxhid" / "logs").iterdir())) <= 31


def test_a_killed_runs_directory_is_removed_by_the_next_and_a_living_ones_is_not(
    runs: Path,
) -> None:
    killed = subprocess.run(
        [sys.executable, "-c", KILLED], capture_output=True, text=True, check=False, env=os.environ
    )
    assert killed.returncode == -signal.SIGKILL
    assert Path(killed.stdout.strip()).is_dir()
    with run_directory(None) as (living, _), run_directory(None) as (other, _):
        assert set(runs.glob("run-*")) == {living, other}


def test_a_directory_that_was_never_finished_is_removed(runs: Path) -> None:
    (runs / "run-half").mkdir(parents=True)
    with run_directory(None) as (directory, _):
        assert set(runs.glob("run-*")) == {directory}
