"""What runs: read from the kernel and the host's pins by hand, beside what ``status`` says."""

from __future__ import annotations

import mmap
import os
import struct
from contextlib import contextmanager
from functools import cache
from typing import Any

from pyloader import ObjectSpec, libbpf
from tests.guest import kernel
from tests.guest.command import sched_status
from tests.guest.conftest import OBJECTS

HOST_OPS = "scxhid_host"
HOST = kernel.PINS / "sched" / "host"
NO_SLOT = 4

_SLOT = struct.Struct("=IIII128s")


@cache
def _offset(variable: str) -> int:
    return ObjectSpec.open(OBJECTS / "host.bpf.o").variables[variable].offset


@contextmanager
def _opened(pin: Any) -> Any:
    fd = libbpf.open_pin(str(pin))
    try:
        yield fd
    finally:
        os.close(fd)


def host_variable(name: str) -> int:
    """A 32-bit variable of the pinned host."""
    with (
        _opened(HOST / "sections" / "data") as fd,
        mmap.mmap(fd, mmap.PAGESIZE, prot=mmap.PROT_READ) as data,
    ):
        return struct.unpack_from("=I", data, _offset(name))[0]


def slots() -> list[tuple[int, int, int, int, str]]:
    """(generation, state, queues, id, name) of each of the host's slots."""
    found: list[tuple[int, int, int, int, str]] = []
    with _opened(HOST / "maps" / "slots") as fd:
        for index in range(NO_SLOT):
            raw = bytearray(_SLOT.size)
            assert libbpf.lookup(fd, struct.pack("=I", index), raw)
            *numbers, name = _SLOT.unpack(raw)
            found.append((*numbers, name.split(b"\0")[0].decode()))
    return found


def policy() -> str:
    """The policy that is current in the host, or the scheduler that is attached by itself."""
    ops = kernel.ops()
    if ops != HOST_OPS:
        return ops
    current = host_variable("current_slot")
    return slots()[current][4] if current < NO_SLOT else ""


def assert_runs(name: str, mode: str) -> None:
    """``name`` runs in that mode, and ``status`` says so."""
    found = sched_status()
    if mode == "none":
        assert kernel.ops() == ""
        assert (found["mode"], found["ops"], found["policy"]) == ("none", None, None)
        return
    ops = HOST_OPS if mode == "hosted" else name
    assert (kernel.ops(), policy()) == (ops, name), done_log()
    assert (found["mode"], found["ops"], found["policy"]) == (mode, ops, name)


def done_log() -> str:
    """What happened so far, for a failed test."""
    from tests.guest.command import scxhid

    return scxhid("sched", "log").out
