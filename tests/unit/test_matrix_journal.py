"""The journal: nothing that was measured is lost, and nothing is gone on with that is another."""

from __future__ import annotations

import errno
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pyloader.errors import ScxhidError
from vm.matrix import journal
from vm.matrix.journal import BadJournal, Journal

IDENTITY = {"request": {"reps": 2, "cpus": [1]}, "objects": {"simple hosted": "abc"}}


def entry(number: int, status: str = "done") -> dict[str, Any]:
    return {"number": number, "status": status, "reason": "", "metrics": {"p50_ns": 1.5}}


def begun(path: Path, said: list[str] | None = None) -> Journal:
    return Journal.begun(path, IDENTITY, "2026-01-01", (said if said is not None else []).append)


def resumed(path: Path, identity: dict[str, Any] | None = None) -> Journal:
    return Journal.resumed(path, identity or IDENTITY, lambda _: None)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return journal.place(tmp_path / "x.json")


def test_it_lies_beside_the_result(tmp_path: Path) -> None:
    assert journal.place(tmp_path / "x.json") == tmp_path / "x.json.journal"


def test_what_was_added_is_there_again(path: Path) -> None:
    made = begun(path)
    made.add(entry(0))
    made.add(entry(5, "lost"))
    made.close()
    again = resumed(path)
    assert again.entries == {0: entry(0), 5: entry(5, "lost")}
    assert again.created == "2026-01-01"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cut=st.integers(1, 200))
def test_a_line_that_was_torn_costs_that_line(path: Path, cut: int) -> None:
    made = begun(path)
    for number in range(3):
        made.add(entry(number))
    made.close()
    whole = path.read_bytes()
    lines = whole.splitlines(keepends=True)
    path.write_bytes(whole[: -min(cut, len(whole) - len(lines[0]))])
    again = resumed(path)
    kept = list(again.entries)
    assert kept == list(range(len(kept)))
    again.add(entry(7))
    again.close()
    last = resumed(path)
    last.close()
    assert list(last.entries) == [*kept, 7]


def test_what_is_damaged_in_the_middle_is_refused(path: Path) -> None:
    made = begun(path)
    made.add(entry(0))
    made.add(entry(1))
    made.close()
    lines = path.read_text().splitlines()
    path.write_text("\n".join([lines[0], lines[1][:-5], lines[2], ""]))
    with pytest.raises(BadJournal, match=r"damaged in line 2; --fresh begins anew"):
        resumed(path)


@pytest.mark.parametrize("content", ["", "{}\n", "[1]\n", "nonsense\n", '{"format": "other"}\n'])
def test_what_is_no_journal_is_refused(path: Path, content: str) -> None:
    path.write_text(content)
    with pytest.raises(BadJournal, match=r"is no journal|damaged"):
        resumed(path)


def test_nothing_that_is_not_there_can_be_gone_on_with(path: Path) -> None:
    with pytest.raises(BadJournal, match="nothing was left half-done"):
        resumed(path)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"request": {"reps": 3, "cpus": [1]}}, "reps was 2 there, and is 3 here"),
        ({"request": {"reps": 2, "cpus": [1, 2]}}, "cpus was [1] there, and is [1, 2] here"),
        (
            {"objects": {"simple hosted": "def"}},
            "simple hosted has been compiled from another source since",
        ),
    ],
)
def test_another_request_is_refused_with_what_differs(
    path: Path, changed: dict[str, Any], said: str
) -> None:
    begun(path).close()
    with pytest.raises(BadJournal) as raised:
        resumed(path, {**IDENTITY, **changed})
    assert said in str(raised.value)


def test_on_a_full_disk_runs_wait_in_memory_until_there_is_room(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    made = begun(path, said)
    made.add(entry(0))
    write = journal.os.write

    def full(fd: int, data: Any) -> int:
        write(fd, bytes(data)[:3])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(journal.os, "write", full)
    made.add(entry(1))
    made.add(entry(2))
    assert len(said) == 1
    assert "the disk is full; the runs that are done are kept in memory" in said[0]
    assert len(path.read_text().splitlines()) == 2
    monkeypatch.setattr(journal.os, "write", write)
    made.add(entry(3))
    made.close()
    assert [json.loads(line)["number"] for line in path.read_text().splitlines()[1:]] == [
        0,
        1,
        2,
        3,
    ]


def test_one_that_cannot_be_written_is_told_before_anything_is_measured(tmp_path: Path) -> None:
    with pytest.raises(ScxhidError, match="cannot be written"):
        begun(tmp_path / "no" / "x.json.journal")
