"""Who reads an input device in the tests, whom that wakes, and what input first tells of them."""

from __future__ import annotations

import ctypes
import os
import select
import socket
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from pyloader import bpffs, libbpf
from pyloader.input_first.chains import Chain, Chains, Hop
from tests.guest.hid import Plugged
from tests.guest.hid_reports import mouse_report
from tests.guest.processes import Child
from tests.hid_descriptors import MOUSE

MOVEMENTS = mouse_report(x=1, y=1), mouse_report(x=2, y=2)
PIDFD_OPEN = 434  # arch/x86/entry/syscalls/syscall_64.tbl


@contextmanager
def plugged(name: str, product: int) -> Generator[Plugged]:
    with Plugged(f"Mouse {name}", MOUSE, vendor=0x1234, product=product) as made:
        assert made.is_bound()
        made.settle()
        yield made


def node(mouse: Plugged) -> str:
    return next(f"/dev/{node}" for _, _, node in mouse.device.node.inputs if node)


@contextmanager
def waiting(work: Callable[[Callable[[Any], None]], Any], name: str) -> Generator[Child]:
    """A child that is called so, and has told that it is ready."""

    def named(tell: Callable[[Any], None]) -> Any:
        Path("/proc/self/comm").write_text(name)
        return work(tell)

    child = Child(named)
    try:
        child.hear()
        time.sleep(0.05)  # until it sleeps
        yield child
    finally:
        child.kill()


def reader(path: str, then: Callable[[], Any] = bool, way: str = "epoll") -> Any:
    """Waits for the device in that way, reads all there is, and does something."""

    def work(tell: Callable[[Any], None]) -> None:
        fd = os.open(path, os.O_RDONLY | (0 if way == "read" else os.O_NONBLOCK))
        inner, outer = select.epoll(), select.epoll()  # as a library's within a program's
        inner.register(fd, select.EPOLLIN)
        outer.register(inner.fileno(), select.EPOLLIN)
        wait = {
            "read": lambda: None,
            "poll": lambda: select.select([fd], [], []),
            "epoll": lambda: outer.poll(),
        }[way]
        tell("opened")
        while True:
            wait()
            if os.read(fd, 4096):
                then()

    return work


def relay(inlet: socket.socket, then: Callable[[], Any] = bool) -> Any:
    def work(tell: Callable[[Any], None]) -> None:
        tell("ready")
        while inlet.recv(1):
            then()

    return work


def move(mouse: Plugged, times: int = 1, gap_s: float = 0.005) -> None:
    for n in range(times):
        mouse.uhid.send(MOVEMENTS[n % 2])
        time.sleep(gap_s)


def chains() -> tuple[Chain, ...]:
    with Chains() as found:
        return found.read()


def counts() -> dict[str, int]:
    with Chains() as found:
        return found.counts()


def hops_of(pid: int) -> list[Hop]:
    return [hop for chain in chains() for hop in chain.hops if hop.pid == pid]


def mark_of(pid: int) -> tuple[int, int]:
    """Until when the task goes first, ns of the monotonic clock, and until which of its own CPU
    time, ns; zeros if it never had a mark."""
    path = bpffs.input_mark().pins("maps").get("input_marks")
    path = path or bpffs.current().pins("maps")["input_marks"]
    pidfd = ctypes.CDLL(None).syscall(PIDFD_OPEN, pid, 0)
    fd, value = bpffs.open_pin(path), np.zeros(3, "u8")
    try:
        libbpf.lookup(fd, np.array([pidfd], "i4").view("u1"), value.view("u1"))
    finally:
        os.close(fd)
        os.close(pidfd)
    return int(value[0]), int(value[1])
