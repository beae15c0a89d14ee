"""The examples of docs/howto/workloads.md, as they stand there."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from vm.workloads.find import find, names, prepare
from vm.workloads.model import Case, Outcome

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "howto" / "workloads.md").read_text()


def block(language: str, having: str) -> str:
    """The one block of the page in that language with those words in it."""
    blocks = re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
    (found,) = (text for text in blocks if having in text)
    return found


def measured(path: Path, into: Path, load: str) -> Outcome:
    workload = find(str(path))
    case = Case(os.cpu_count() or 1, load, seconds=0.2, programs=prepare(workload, into))
    assert workload.command
    assert workload.read
    done = subprocess.run(workload.command(case), capture_output=True, text=True, timeout=60)
    assert not done.returncode, done.stderr
    return workload.read(done.stdout, case)


@pytest.mark.parametrize("load", ["idle", "full"])
def test_one_new_file_is_a_new_workload(tmp_path: Path, load: str) -> None:
    (tmp_path / "copies.py").write_text(block("python", 'name="copies"'))
    outcome = measured(tmp_path / "copies.py", tmp_path / "built", load)
    assert outcome.metrics["copies_per_s"] > 1000


def test_a_program_in_c_lies_beside_it(tmp_path: Path) -> None:
    (tmp_path / "late.py").write_text(block("python", 'name="late"'))
    (tmp_path / "late.c").write_text(block("c", "print_samples"))
    outcome = measured(tmp_path / "late.py", tmp_path / "built", "light")
    assert 0 < outcome.metrics["p50_ns"] <= outcome.metrics["max_ns"]
    assert len(outcome.samples["late"]) > 10


def test_the_page_tells_of_all_workloads_and_which_are_exact() -> None:
    rows = re.findall(r"^\| `([a-z-]+)` \| [^|]+ \| (yes|no) \|", PAGE, re.MULTILINE)
    assert dict(rows) == {name: "yes" if find(name).exact else "no" for name in names()}
