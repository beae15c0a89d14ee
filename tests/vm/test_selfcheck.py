"""The selfcheck in real machines. Slow: 600 runs, and 16 exact ones; three minutes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.vm.started import REPOSITORY
from vm.kernels import Kernel
from vm.matrix import lock
from vm.results.file import read


def selfcheck(tmp_path: Path, *words: str) -> dict[str, object]:
    """What it tells as JSON; it has to be met."""
    done = subprocess.run(
        [Path(sys.executable).parent / "scxhid", "bench", "selfcheck", "--json", *words],
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
        cwd=REPOSITORY,
        env={**os.environ, lock.VARIABLE: str(tmp_path / "lock")},
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.slow
def test_equals_are_alike_and_more_work_is_found(kernel: Kernel, tmp_path: Path) -> None:
    path = tmp_path / "check.json"
    asked = ("--kernel", kernel.version, "--comparisons", "20", "--runs", "10", "-o", str(path))
    told = selfcheck(tmp_path, *asked)
    robust = told["metrics"]["slice_min_ns"]  # pyright: ignore
    assert robust["slowdown"] == pytest.approx(1.05, abs=0.01)
    assert all(run.status == "done" for run in read(path).runs)


@pytest.mark.slow
def test_exact_runs_are_the_same_twice(kernel: Kernel, tmp_path: Path) -> None:
    told = selfcheck(tmp_path, "--exact", "--seeds", "4", "--kernel", kernel.version)
    assert told["differing"] == []
    assert told["slowdown"] == pytest.approx(1.05, abs=0.002)
