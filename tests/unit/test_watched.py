"""Commands that are repeated when a file is saved."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from pyloader import sysfs
from pyloader.cli import watched
from pyloader.errors import ScxhidError


class Clock:
    """Time passes by sleeping; at each look the next of ``acts`` is done, at last Ctrl-C."""

    def __init__(self, acts: list[Callable[[], object] | None]) -> None:
        self.now, self.acts = 0.0, acts

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        if not self.acts:
            os.kill(os.getpid(), signal.SIGINT)
        elif act := self.acts.pop(0):
            act()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "mine"
    path.write_text("1")
    return path


def run(
    monkeypatch: pytest.MonkeyPatch,
    file: Path,
    acts: list[Callable[[], object] | None],
    first: bytes = b"1",
) -> list[str]:
    """What was read at each change, and errors that were told; before, ``first`` had been read."""
    clock, seen = Clock(acts), list[str]()
    monkeypatch.setattr(watched.time, "monotonic", lambda: clock.now)

    def again() -> dict[str, bytes]:
        text = file.read_text() if file.exists() else ""
        if not text:
            raise ScxhidError("empty")
        seen.append(text)
        return {str(file): text.encode()}

    def failed(error: ScxhidError) -> None:
        seen.append(str(error))

    watched.repeat({str(file): first}, sysfs.hid_devices(), again, failed, clock.sleep)
    return seen


def save(file: Path, text: str) -> Callable[[], None]:
    def act() -> None:
        new = file.with_suffix(".new")
        new.write_text(text)
        new.rename(file)

    return act


def test_each_save_counts_once(monkeypatch: pytest.MonkeyPatch, file: Path) -> None:
    acts = [None, save(file, "2"), None, None, save(file, "3"), save(file, "4"), None]
    assert run(monkeypatch, file, list(acts)) == ["2", "3", "4"]


def test_a_save_while_the_one_before_is_applied_counts(
    monkeypatch: pytest.MonkeyPatch, file: Path
) -> None:
    assert run(monkeypatch, file, [None], first=b"0") == ["1"]


def test_a_device_that_came_meanwhile_counts(monkeypatch: pytest.MonkeyPatch, file: Path) -> None:
    looks = [["a"], *[["a", "b"]] * 9]
    monkeypatch.setattr(sysfs, "hid_devices", lambda: looks.pop(0))
    assert run(monkeypatch, file, [None] * 60) == ["1"]


def test_a_file_that_is_saved_in_steps_is_no_error(
    monkeypatch: pytest.MonkeyPatch, file: Path
) -> None:
    acts = [file.unlink, None, lambda: file.write_text(""), None, lambda: file.write_text("2")]
    assert run(monkeypatch, file, [*acts, *[None] * 20]) == ["2"]


def test_an_error_that_stays_is_told_once(monkeypatch: pytest.MonkeyPatch, file: Path) -> None:
    acts = [save(file, ""), *[None] * 40, save(file, "2"), None]
    assert run(monkeypatch, file, list(acts)) == ["empty", "2"]


def test_a_device_that_comes_counts_as_well(monkeypatch: pytest.MonkeyPatch, file: Path) -> None:
    present = ["0003:0001:0001.0001"]
    monkeypatch.setattr(sysfs, "hid_devices", lambda: list(present))
    acts = [None, lambda: present.append("0003:0001:0001.0002"), *[None] * 120]
    assert run(monkeypatch, file, list(acts)) == ["1"]
