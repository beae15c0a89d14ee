"""``hid remap --trial`` on a terminal: rules stay only if somebody says so, however it ends."""

from __future__ import annotations

import os
import pty
import select
import signal
import sys
import time
from collections.abc import Generator
from contextlib import suppress
from pathlib import Path
from unittest import mock

import pytest

from pyloader.cli import main
from pyloader.closing import Closing
from tests.guest.command import done, scxhid
from tests.guest.hid import Plugged
from tests.guest.hid_reports import reader, through
from tests.hid_descriptors import KEYBOARD

PINS = Path("/sys/fs/bpf/scxhid/hid")
LONG = "60"

# Of KEYBOARD: modifiers, nothing, six keys; what CAPSLOCK comes out as.
CAPSLOCK = bytes([0, 0, 0x39, *bytes(5)])
LEFTCTRL, A = bytes([1, *bytes(7)]), bytes([0, 0, 4, *bytes(5)])


class Terminal(Closing):
    """``scxhid WORDS…`` on a terminal of its own, forked from this warm process."""

    def __init__(self, *words: str) -> None:
        self.said = ""
        self.pid, self._master = pty.fork()
        if self.pid == 0:
            _run(words)

    def hear(self, text: str, within_s: float = 20) -> None:
        """Wait until it has said that."""
        deadline = time.monotonic() + within_s
        while text not in self.said:
            assert time.monotonic() < deadline, f"it did not say {text!r}: {self.said}"
            if select.select([self._master], [], [], 0.1)[0]:
                with suppress(OSError):
                    self.said += os.read(self._master, 4096).decode()

    def type(self, keys: bytes) -> None:
        os.write(self._master, keys)

    def end(self) -> int:
        """Its exit status, negative for a signal, once it has ended by itself."""
        with suppress(OSError):
            while more := os.read(self._master, 4096):
                self.said += more.decode()
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])

    def close(self) -> None:
        """Hang up."""
        if self._master >= 0:
            os.close(self._master)
            self._master = -1


def _run(words: tuple[str, ...]) -> None:
    status: object = 125
    try:
        for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
            fd = ("stdin", "stdout", "stderr").index(name)
            setattr(sys, name, open(fd, mode, closefd=False))  # noqa: SIM115
        with mock.patch.object(sys, "argv", ["scxhid", *words]):
            main()
    except SystemExit as end:
        status = end.code or 0
    finally:
        with suppress(OSError):
            sys.stdout.flush()
        os._exit(int(str(status)))


@pytest.fixture
def keyboard() -> Generator[Plugged]:
    with Plugged("A keyboard on trial", KEYBOARD) as plugged:
        assert plugged.is_bound()
        yield plugged


@pytest.fixture
def new(tmp_path: Path, keyboard: Plugged) -> tuple[str, ...]:
    """The command that tries other rules, on a keyboard that has some."""
    before, after = tmp_path / "before.toml", tmp_path / "after.toml"
    before.write_text('[keys]\ncapslock = "leftctrl"\n')
    after.write_text('[keys]\ncapslock = "a"\n')
    done("hid", "remap", str(before), "--device", keyboard.sysname)
    return ("hid", "remap", str(after), "--device", keyboard.sysname, "--trial")


def capslock_is(keyboard: Plugged) -> bytes:
    with reader(keyboard) as fd:
        down = through(keyboard, fd, CAPSLOCK)
        assert through(keyboard, fd, bytes(8)) == bytes(8)
    return down


def test_they_stay_if_one_says_so(keyboard: Plugged, new: tuple[str, ...]) -> None:
    for word in (b"y\n", b"maybe\nYES\n"):
        with Terminal(*new, LONG) as terminal:
            terminal.hear("keep them?")
            assert capslock_is(keyboard) == A
            terminal.type(word)
            assert terminal.end() == 0
        assert capslock_is(keyboard) == A


@pytest.mark.parametrize(
    ("seconds", "typed", "status"),
    [
        pytest.param(LONG, b"n\n", 1, id="no", marks=pytest.mark.slow),
        pytest.param(LONG, b"\x04", 1, id="end of file", marks=pytest.mark.slow),
        pytest.param("0.3", b"", 1, id="silence"),
        pytest.param(LONG, b"\x03", 130, id="Ctrl-C"),
    ],
)
def test_else_those_from_before_count_again(
    keyboard: Plugged, new: tuple[str, ...], seconds: str, typed: bytes, status: int
) -> None:
    with Terminal(*new, seconds) as terminal:
        terminal.hear("keep them?")
        terminal.type(typed)
        assert terminal.end() == status
    assert "the rules from before count again" in terminal.said
    assert "Traceback" not in terminal.said
    assert capslock_is(keyboard) == LEFTCTRL
    assert [p["name"] for p in programs(keyboard)] == ["remap"]


@pytest.mark.parametrize(("number", "status"), [(signal.SIGHUP, 129), (signal.SIGTERM, 143)])
def test_also_if_it_is_ended(
    keyboard: Plugged, new: tuple[str, ...], number: int, status: int
) -> None:
    with Terminal(*new, LONG) as terminal:
        terminal.hear("keep them?")
        os.kill(terminal.pid, number)
        assert terminal.end() == status
    assert capslock_is(keyboard) == LEFTCTRL


def test_hung_up_where_nothing_was_before_nothing_is_left(
    keyboard: Plugged, tmp_path: Path
) -> None:
    path, was = tmp_path / "first.toml", keyboard.device.rdesc
    path.write_text('[keys]\ncapslock = "playpause"\n')
    with Terminal("hid", "remap", str(path), "--device", keyboard.sysname, "--trial", LONG) as it:
        it.hear("keep them?")
        assert {p["name"] for p in programs(keyboard)} == {"extra_keys", "remap"}
        it.close()
        assert it.end() == 129
    assert programs(keyboard) == []
    assert list(PINS.iterdir()) == []
    assert keyboard.device.rdesc == was


def test_it_needs_somebody_to_ask(keyboard: Plugged, new: tuple[str, ...]) -> None:
    refused = scxhid(*new, LONG)
    assert refused.status == 2
    assert "needs a terminal" in refused.errors[0]
    assert capslock_is(keyboard) == LEFTCTRL


def programs(keyboard: Plugged) -> list[dict[str, str]]:
    return done("hid", "info", keyboard.sysname, "--json").json["programs"]
