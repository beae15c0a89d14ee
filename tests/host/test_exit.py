"""How a program set ended, read from the kernel: our record, and that of others."""

from __future__ import annotations

import os
import struct
import time
from collections.abc import Callable

import pytest

from pyloader.object import BpfObject

pytestmark = pytest.mark.host

Load = Callable[..., BpfObject]


def _leave(loaded: BpfObject, kind: int, complete: bool = True, exit_code: int = 0) -> None:
    assert loaded.run("leave", bytearray(struct.pack("=iIq", kind, complete, exit_code))) == 0


def test_nothing_is_recorded_while_it_runs(load: Load) -> None:
    record = load("host_exit").exit_record
    assert record is not None
    assert record.read() is None


def test_record_tells_kind_code_words_dump_and_time(load: Load) -> None:
    loaded = load("host_exit")
    assert loaded.exit_record is not None
    before = time.time_ns()
    _leave(loaded, 1025, exit_code=-3)
    info = loaded.exit_record.read()
    assert info is not None
    assert (info.kind_name, info.exit_code) == ("error_bpf", -3)
    assert (info.reason, info.message, info.dump) == ("a reason", "a message", "a dump")
    assert before - 10**9 < info.time_ns < time.time_ns() + 10**9


def test_record_that_is_being_written_is_none_yet(load: Load) -> None:
    loaded = load("host_exit")
    assert loaded.exit_record is not None
    _leave(loaded, 1025, complete=False)
    assert loaded.exit_record.read() is None
    _leave(loaded, 1025)
    assert loaded.exit_record.read() is not None


def test_cleared_record_takes_the_next_exit(load: Load) -> None:
    loaded = load("host_exit")
    record = loaded.exit_record
    assert record is not None
    _leave(loaded, 1025)
    record.clear()
    assert record.read() is None
    _leave(loaded, 64)
    info = record.read()
    assert info is not None
    assert info.was_asked_for


def test_record_can_be_read_when_the_object_is_closed(load: Load) -> None:
    loaded = load("host_exit")
    record = loaded.exit_record
    assert record is not None
    _leave(loaded, 1026)
    loaded.close()
    info = record.read()
    assert info is not None
    assert info.kind_name == "error_stall"


def test_record_holds_one_descriptor_and_lets_go_of_it(load: Load) -> None:
    loaded = load("host_exit")
    before = len(os.listdir("/proc/self/fd"))
    record = loaded.exit_record
    assert len(os.listdir("/proc/self/fd")) == before + 1
    loaded.close()
    del record, loaded.exit_record
    assert len(os.listdir("/proc/self/fd")) < before


def test_exit_of_a_program_made_elsewhere_is_read_from_its_variable(load: Load) -> None:
    loaded = load("host_exit_foreign")
    record = loaded.exit_record
    assert record is not None
    assert record.read() is None
    assert loaded.run("leave") == 0
    info = record.read()
    assert info is not None
    assert (info.kind, info.exit_code, info.reason, info.message) == (
        65,
        5,
        "a reason",
        "a message",
    )
    record.clear()
    assert record.read() is None


def test_program_that_records_nothing_has_no_record(load: Load) -> None:
    assert load("ringbuf").exit_record is None
