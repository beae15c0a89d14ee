"""How commands print times, values and tables."""

from __future__ import annotations

import json
import time

import pytest

from pyloader.cli import output


@pytest.mark.parametrize(
    ("ns", "words"),
    [
        (0, "0 ns"),
        (999, "999 ns"),
        (1_000, "1.0 µs"),
        (1_340_000, "1.3 ms"),
        (999_900_000, "999.9 ms"),
        (12_000_000_000, "12.0 s"),
        (90_000_000_000, "90.0 s"),
    ],
)
def test_times_are_told_in_the_unit_that_reads_best(ns: int, words: str) -> None:
    assert output.duration(ns) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 s"),
        (119, "119 s"),
        (120, "2 min"),
        (7200, "2 h"),
        (3 * 86_400, "3 days"),
        (-9, "0 s"),
    ],
)
def test_how_long_ago_is_told_roughly(
    seconds: int, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 1_800_000_000_000_000_000
    monkeypatch.setattr(time, "time_ns", lambda: now)
    assert output.ago(now - seconds * 1_000_000_000) == words


def test_moment_is_told_in_local_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    assert output.clock(1_795_371_608_000_000_000) == "2026-11-22 18:20:08"
    monkeypatch.undo()
    time.tzset()


def test_values_are_shown_as_they_are_typed() -> None:
    assert [output.value(v) for v in (True, False, 1, 0, "x")] == ["on", "off", "1", "0", "x"]


def test_columns_are_aligned_and_nothing_is_cut_off(capsys: pytest.CaptureFixture[str]) -> None:
    long = "w" * 300
    output.table(("NAME", "COUNT", "WHAT"), [("a", "1", long), ("bcd", "1,000", "x")], right=(1,))
    lines = [line.rstrip() for line in capsys.readouterr().out.splitlines()]
    assert lines == ["NAME  COUNT  WHAT", f"a         1  {long}", "bcd   1,000  x"]


def test_cells_are_text_and_no_markup(capsys: pytest.CaptureFixture[str]) -> None:
    output.table(("A",), [("[bold]x[/bold] [1] :smile:",)])
    assert "[bold]x[/bold] [1] :smile:" in capsys.readouterr().out


def test_json_is_one_document(capsys: pytest.CaptureFixture[str]) -> None:
    output.emit_json({"a": [1, None, True], "b": "µ"})
    assert json.loads(capsys.readouterr().out) == {"a": [1, None, True], "b": "µ"}


def test_remarks_go_to_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    output.note("by the way")
    assert capsys.readouterr() == ("", "by the way\n")
