"""The history of schedulers: what it keeps, and that it never stands in the way."""

from __future__ import annotations

import json
import os
import resource
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pyloader import history
from pyloader.exitinfo import ExitInfo

pytestmark = pytest.mark.usefixtures("own_dirs")

STALL = ExitInfo(1026, 0, "runnable task stall", "x[1] failed to run for 5.1s", "the dump", 1234)


def _file() -> Path:
    return Path(os.environ["SCXHID_STATE_DIR"]) / "history.jsonl"


def test_there_is_no_history_at_first() -> None:
    assert history.read() == []


def test_events_come_back_oldest_first_with_what_belongs_to_them() -> None:
    history.add("attached", "simple")
    history.add("ejected", "simple", STALL, by="the watchdog")
    first, second = history.read()
    assert (first["event"], first["name"]) == ("attached", "simple")
    assert "exit" not in first
    assert second["by"] == "the watchdog"
    assert second["exit"]["message"] == "x[1] failed to run for 5.1s"
    assert second["exit"]["kind_name"] == "error_stall"


def test_event_has_the_time_of_the_exit_if_that_is_known() -> None:
    history.add("ejected", "simple", STALL)
    assert history.read()[0]["time_ns"] == 1234


def test_only_the_newest_are_kept() -> None:
    for number in range(210):
        history.add("attached", f"s{number}")
    names = [event["name"] for event in history.read()]
    assert names == [f"s{number}" for number in range(10, 210)]


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b'{"event": "attached"}',
        b'{"time_ns": "now", "event": "attached", "name": "x"}',
        b'{"time_ns": 1, "event": "ejected", "name": "x", "exit": 5}',
        b'{"time_ns": 1, "event": "ejected", "name": "x", "exit": {"kind": 1}}',
        b"\xff\xfe\x00\x80",
        b"[" * 100_000,
    ],
)
def test_line_that_is_no_event_is_passed_over_and_hurts_no_other(line: bytes) -> None:
    history.add("attached", "before")
    with _file().open("ab") as file:
        file.write(line + b"\n")
    history.add("attached", "after")
    assert [event["name"] for event in history.read()] == ["before", "after"]


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=200))
def test_any_rubbish_in_the_file_leaves_room_for_the_next_event(rubbish: bytes) -> None:
    _file().parent.mkdir(exist_ok=True)
    _file().write_bytes(rubbish)
    history.add("attached", "simple")
    assert history.read()[-1]["name"] == "simple"


def test_half_written_last_line_does_not_swallow_the_next_event() -> None:
    history.add("attached", "whole")
    with _file().open("a") as file:
        file.write('{"time_ns": 1, "event": "att')
    history.add("attached", "next")
    assert [event["name"] for event in history.read()] == ["whole", "next"]


@pytest.mark.parametrize("place", ["/proc/version/state", "/proc/nothing", "/dev/full/state"])
def test_history_that_cannot_be_written_is_no_error(
    place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SCXHID_STATE_DIR", place)
    history.add("attached", "simple")
    assert history.read() == []


@pytest.mark.parametrize("room", [0, 1, 20])
def test_full_disk_keeps_the_old_history(room: int) -> None:
    history.add("attached", "old")
    whole = _file().read_bytes()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(whole) + room, hard))
    try:
        history.add("attached", "new")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert _file().read_bytes() == whole


def test_large_history_is_cut_down_to_the_newest() -> None:
    dump = ExitInfo(1026, 0, "stall", "x", "d" * 30_000)
    for number in range(280):
        history.add("ejected", f"s{number}", dump)
    assert _file().stat().st_size < 201 * 31_000
    assert [e["name"] for e in history.read()] == [f"s{number}" for number in range(80, 280)]


def test_log_shows_the_reason_of_an_ejection_but_not_of_a_stop(
    scxhid: Callable[..., tuple[int, str, str]],
) -> None:
    history.add("stopped", "first", ExitInfo(64, 0, "unregistered from user space", ""))
    history.add("ejected", "second", STALL)
    status, out, _ = scxhid("sched", "log")
    assert status == 0
    first, second = out.splitlines()
    assert first.endswith("stopped   first")
    assert "ejected   second: a runnable task was not run in time" in second
    assert "the dump" not in out
    assert "    the dump" in scxhid("sched", "log", "--dump")[1].splitlines()


def test_log_counts_from_the_newest_and_is_json_on_request(
    scxhid: Callable[..., tuple[int, str, str]],
) -> None:
    for name in ("a", "b", "c"):
        history.add("attached", name)
    events = json.loads(scxhid("sched", "log", "-n", "2", "--json")[1])
    assert [event["name"] for event in events] == ["b", "c"]


def test_empty_log_says_that_it_is_empty(scxhid: Callable[..., tuple[int, str, str]]) -> None:
    assert scxhid("sched", "log")[:2] == (0, "nothing yet\n")
