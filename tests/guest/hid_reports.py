"""What a HID device of the tests sends, and what comes out behind the programs."""

from __future__ import annotations

import os
import select
from collections.abc import Generator
from contextlib import contextmanager

from tests.guest.hid import Plugged


@contextmanager
def reader(plugged: Plugged) -> Generator[int]:
    """A descriptor of the hidraw node: what comes out of it has passed through the programs."""
    fd = os.open(f"/dev/{plugged.device.node.hidraw}", os.O_RDONLY | os.O_NONBLOCK)
    try:
        yield fd
    finally:
        os.close(fd)


def through(plugged: Plugged, fd: int, report: bytes) -> bytes:
    """What becomes of a report."""
    plugged.uhid.send(report)
    out = after(fd, 5)
    assert out, "the report was lost"
    return out


def after(fd: int, within_s: float) -> bytes:
    """The next report; empty if none comes."""
    return os.read(fd, 4096) if select.select([fd], [], [], within_s)[0] else b""


def mouse_report(buttons: int = 0, x: int = 0, y: int = 0, wheel: int = 0) -> bytes:
    """Of ``hid_descriptors.MOUSE``."""
    return bytes([buttons, x & 0xFF, y & 0xFF, wheel & 0xFF])


def signed(byte: int) -> int:
    return byte - 256 if byte > 127 else byte
