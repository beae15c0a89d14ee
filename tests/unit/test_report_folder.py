"""Where a report is written: whole or not at all, and nobody's file is lost."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from pyloader.errors import ScxhidError
from tests.unit import made_results as made
from tests.unit.conftest import Outcome
from vm.report.page.folder import MANIFEST, write
from vm.results.file import read
from vm.results.file import write as write_result

Command = Callable[..., Outcome]
FIRST = {"index.html": b"one", "a.json": b"data"}


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_a_directory_is_made_with_its_parents(tmp_path: Path) -> None:
    write(tmp_path / "a" / "b", FIRST)
    assert names(tmp_path / "a" / "b") == {"index.html", "a.json", MANIFEST}
    assert names(tmp_path / "a") == {"b"}


def test_an_earlier_report_is_replaced_and_what_it_no_longer_has_removed(tmp_path: Path) -> None:
    write(tmp_path, FIRST)
    (tmp_path / "notes.txt").write_text("mine")
    write(tmp_path, {"index.html": b"two", "b.json": b"more"})
    assert names(tmp_path) == {"index.html", "b.json", "notes.txt", MANIFEST}
    assert (tmp_path / "index.html").read_bytes() == b"two"


@pytest.mark.parametrize("name", ["index.html", "a.json"])
def test_a_foreign_file_stays_unless_forced(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("mine")
    with pytest.raises(ScxhidError, match=f"{name} that no report wrote"):
        write(tmp_path, FIRST)
    assert names(tmp_path) == {name}
    assert (tmp_path / name).read_text() == "mine"
    write(tmp_path, FIRST, force=True)
    assert (tmp_path / name).read_bytes() == FIRST[name]


def test_a_file_that_was_changed_since_is_foreign(tmp_path: Path) -> None:
    write(tmp_path, FIRST)
    (tmp_path / "index.html").write_text("edited")
    with pytest.raises(ScxhidError, match="changed since"):
        write(tmp_path, {"index.html": b"two"})
    (tmp_path / "a.json").write_text("edited")
    write(tmp_path, {"index.html": b"two"}, force=True)
    assert (tmp_path / "a.json").read_text() == "edited"


def test_a_disk_that_is_full_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, FIRST)

    def full(self: Path, data: bytes) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(ScxhidError, match="the disk is full"):
        write(tmp_path, {"index.html": b"two"})
    assert names(tmp_path) == {"index.html", "a.json", MANIFEST}
    assert (tmp_path / "index.html").read_bytes() == b"one"


def test_a_manifest_cannot_remove_what_lies_elsewhere(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("mine")
    folder = tmp_path / "report"
    folder.mkdir()
    digest = hashlib.sha256(b"mine").hexdigest()
    (folder / MANIFEST).write_text(json.dumps({"../victim": digest, str(victim): digest}))
    write(folder, FIRST)
    assert victim.read_text() == "mine"


def test_a_file_where_the_directory_should_be_is_told(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("mine")
    with pytest.raises(ScxhidError, match="is a file; name a directory"):
        write(tmp_path / "out", FIRST)
    (tmp_path / "index.html").mkdir()
    with pytest.raises(ScxhidError, match="is a directory, where a file"):
        write(tmp_path, FIRST)


def test_no_write_leaves_what_it_prepared(tmp_path: Path) -> None:
    write(tmp_path / "out", FIRST)
    (tmp_path / "out" / "index.html").write_text("edited")
    with pytest.raises(ScxhidError):
        write(tmp_path / "out", FIRST)
    assert not list(tmp_path.rglob(".scxhid-report-*"))


@pytest.fixture
def result(tmp_path: Path) -> Path:
    write_result(tmp_path / "night.json", made.document(made.runs_of(repetitions=3)))
    return tmp_path / "night.json"


def test_the_command_writes_page_summary_and_data(scxhid: Command, result: Path) -> None:
    out = result.parent / "out"
    said = scxhid("bench", "report", result, "-o", out)
    assert (said.status, said.out) == (0, f"{out}/index.html\n")
    assert names(out) == {"index.html", "summary.md", "night.json", "night.npz", MANIFEST}
    assert len(read(out / "night.json").runs) == 9
    assert "scxhid bench run" in (out / "summary.md").read_text()


def test_a_report_beside_its_own_result_leaves_it_alone(scxhid: Command, result: Path) -> None:
    before = result.read_bytes()
    assert scxhid("bench", "report", result, "-o", result.parent).status == 0
    assert result.read_bytes() == before


def test_results_of_one_name_are_both_copied(scxhid: Command, result: Path) -> None:
    other = result.parent / "other"
    other.mkdir()
    write_result(other / "night.json", made.document(made.runs_of(cpus=(4,), repetitions=3)))
    write_result(other / "index.json", made.document(made.runs_of(cpus=(1,), repetitions=3)))
    out = result.parent / "out"
    words = (result, other / "night.json", other / "index.json")
    assert scxhid("bench", "report", *words, "-o", out).status == 0
    assert {"night.json", "night.npz", "night-2.json", "night-2.npz"} <= names(out)
    assert {run.cell.cpus for run in read(out / "night-2.json").runs} == {4}


def test_without_matplotlib_it_names_the_extra(
    scxhid: Command, result: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    said = scxhid("bench", "report", result, "-o", result.parent / "out")
    assert said.status == 3
    assert "the extra 'report'" in said.err
    assert not (result.parent / "out").exists()


def test_comparing_needs_no_matplotlib(launcher: Path, result: Path) -> None:
    code = "import sys; from pyloader.cli import main\ntry: main()\nexcept SystemExit: pass\n"
    code += "print([m for m in sys.modules if m.split('.')[0] == 'matplotlib'])"
    done = subprocess.run(
        [sys.executable, "-c", code, "bench", "compare", str(result), "--markdown"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines()[-1] == "[]"
