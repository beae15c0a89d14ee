"""The lock of the commands that change something: one at a time, and no killed holder blocks it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from pyloader import lock
from pyloader.errors import Busy, NotPermitted, ScxhidError

pytestmark = pytest.mark.usefixtures("own_dirs")

HOLD = """
import sys, time
from pyloader import lock
with lock.writer():
    print("held", flush=True)
    sys.stdin.readline()
"""


@pytest.fixture
def holder() -> Iterator[Callable[[], subprocess.Popen[str]]]:
    """Start a process that holds the lock until it is told to end."""
    with ExitStack() as stack:

        def start() -> subprocess.Popen[str]:
            process = subprocess.Popen(
                [sys.executable, "-c", HOLD],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            stack.enter_context(process)
            stack.callback(process.kill)
            assert process.stdout
            assert process.stdout.readline() == "held\n"
            return process

        yield start


def test_second_command_waits_for_the_first(holder: Callable[[], subprocess.Popen[str]]) -> None:
    first = holder()
    told: list[str] = []

    def on_wait(words: str) -> None:
        told.append(words)
        assert first.stdin
        first.stdin.write("\n")
        first.stdin.flush()

    with lock.writer(wait_s=10, on_wait=on_wait):
        assert first.wait(10) == 0
    assert told == [f"waiting for another scxhid command (process {first.pid})"]


def test_command_that_waited_too_long_names_the_holder(
    holder: Callable[[], subprocess.Popen[str]],
) -> None:
    first = holder()
    refused = pytest.raises(Busy, match=rf"process {first.pid}\).*nothing was changed")
    with refused as caught, lock.writer(wait_s=0.1):
        pytest.fail("two commands held the lock at once")
    assert caught.value.exit_status == 1


def test_killed_holder_leaves_no_lock_behind(holder: Callable[[], subprocess.Popen[str]]) -> None:
    first = holder()
    first.send_signal(signal.SIGKILL)
    first.wait()
    started = time.monotonic()
    with lock.writer(wait_s=5):
        assert time.monotonic() - started < 1


def test_lock_is_free_again_after_an_error_inside() -> None:
    with pytest.raises(RuntimeError), lock.writer():
        raise RuntimeError
    with lock.writer(wait_s=0):
        pass


def test_lock_names_its_holder_and_is_for_root_only() -> None:
    with lock.writer():
        path = Path(os.environ["SCXHID_RUN_DIR"]) / "lock"
        assert path.read_text() == str(os.getpid())
        assert path.stat().st_mode & 0o777 == 0o600


def test_child_of_a_command_does_not_inherit_the_lock() -> None:
    with lock.writer():
        child = subprocess.Popen(["sleep", "60"])
    try:
        with lock.writer(wait_s=0):
            pass
    finally:
        child.kill()
        child.wait()


def test_lock_that_cannot_be_made_is_an_error_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCXHID_RUN_DIR", "/proc/version/run")
    with pytest.raises(ScxhidError, match="nothing was changed"), lock.writer():
        pytest.fail("there is no such directory")


def test_lock_that_is_not_ours_to_take_asks_for_root(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def refuse(*_: object) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(NotPermitted, match="run scxhid as root") as caught, lock.writer():
        pytest.fail("it was not permitted")
    assert caught.value.exit_status == 4
