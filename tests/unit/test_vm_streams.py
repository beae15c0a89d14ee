"""The bytes between a caller and a guest: all of them, in order, without a machine."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from vm.streams import Pump

DATA = os.urandom(1_000_000)


class Guest:
    """What QEMU does with its ends of the pipes, in a thread: echo, report, end."""

    def __init__(self, pump: Pump, reports: bytes = b"", errors: bytes = b"") -> None:
        self._ends = [os.dup(end) for end in pump.guest_ends]
        pump.close_guest_ends()
        self._reports = reports
        self._errors = errors
        self.thread = threading.Thread(target=self._run)
        self.thread.start()

    def _run(self) -> None:
        stdin, stdout, stderr, control = self._ends
        os.write(control, self._reports)
        os.write(stderr, self._errors)
        try:
            while data := os.read(stdin, 65536):
                os.write(stdout, data)
        except BrokenPipeError:
            pass
        for end in self._ends:
            os.close(end)


def drive(pump: Pump, guest: Guest) -> None:
    while not pump.ended:
        pump.step(5)
    guest.thread.join()
    pump.close()


def ignore(_line: str, _at_ns: int) -> None: ...


def test_bytes_come_back_whole_and_apart() -> None:
    pump = Pump(DATA, None, None, ignore)
    drive(pump, Guest(pump, errors=b"\0\xff"))
    assert pump.output() == (DATA, b"\0\xff")


def test_nothing_to_read_is_an_end_of_file_at_once() -> None:
    pump = Pump(None, None, None, ignore)
    drive(pump, Guest(pump))
    assert pump.output() == (b"", b"")


def test_a_descriptor_is_read_to_its_end_and_left_blocking(tmp_path: Path) -> None:
    (tmp_path / "in").write_bytes(DATA)
    with (tmp_path / "in").open("rb") as source, (tmp_path / "out").open("wb") as sink:
        pump = Pump(source.fileno(), sink.fileno(), 2, ignore)
        drive(pump, Guest(pump))
        assert os.get_blocking(source.fileno())
    assert (tmp_path / "out").read_bytes() == DATA


def test_output_is_added_to_a_file_and_does_not_truncate_it(tmp_path: Path) -> None:
    with (tmp_path / "out").open("wb") as sink:
        sink.write(b"before;")
        sink.flush()
        pump = Pump(b"out;", sink.fileno(), sink.fileno(), ignore)
        drive(pump, Guest(pump, errors=b"err;"))
    written = (tmp_path / "out").read_bytes()
    assert written.startswith(b"before;")
    assert sorted(written.split(b";")) == [b"", b"before", b"err", b"out"]


def test_reports_are_told_by_the_line_with_their_time() -> None:
    told: list[tuple[str, int]] = []
    pump = Pump(None, None, None, lambda line, at_ns: told.append((line, at_ns)))
    drive(pump, Guest(pump, reports=b"init 1.5\nexit 0\nhalf"))
    assert [line for line, _ in told] == ["init 1.5", "exit 0"]
    assert all(at_ns > 0 for _, at_ns in told)


def test_a_reader_that_has_gone_is_noticed() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    pump = Pump(b"data", writer, None, ignore)
    drive(pump, Guest(pump))
    os.close(writer)
    assert pump.broken


@pytest.mark.parametrize("source", ["write-only", "directory"])
def test_a_descriptor_that_cannot_be_read_is_an_empty_one(tmp_path: Path, source: str) -> None:
    flags = os.O_WRONLY | os.O_CREAT if source == "write-only" else os.O_RDONLY
    path = tmp_path / "file" if source == "write-only" else tmp_path
    descriptor = os.open(path, flags)
    pump = Pump(descriptor, None, None, ignore)
    drive(pump, Guest(pump))
    os.close(descriptor)
    assert pump.output() == (b"", b"")
