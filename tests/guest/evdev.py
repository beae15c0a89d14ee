"""What the kernel makes of a device's reports: the events that a desktop would read.

Of include/uapi/linux/input.h and input-event-codes.h only what the tests name.
"""

from __future__ import annotations

import fcntl
import os
import select
import struct
from typing import NamedTuple

from pyloader.closing import Closing
from tests.guest.hid import Plugged

EV_SYN, EV_KEY, EV_REL, EV_ABS = range(4)
REL_HWHEEL, REL_WHEEL, REL_WHEEL_HI_RES, REL_HWHEEL_HI_RES = 0x06, 0x08, 0x0B, 0x0C

_EVENT = struct.Struct("@llHHi")
_NR_KEYS = 0x300
_READ = 2 << 30


class Event(NamedTuple):
    type: int
    code: int
    value: int


class Events(Closing):
    """The events of the input devices that a HID device has become, from now on."""

    def __init__(self, plugged: Plugged) -> None:
        nodes = [node for _, _, node in plugged.device.node.inputs if node]
        self._fds = [os.open(f"/dev/{node}", os.O_RDONLY | os.O_NONBLOCK) for node in nodes]

    def read(self, within_s: float = 0.0) -> list[Event]:
        """Keys and movements that came meanwhile."""
        found: list[Event] = []
        while ready := select.select(self._fds, [], [], 0.0 if found else within_s)[0]:
            for fd in ready:
                for row in _EVENT.iter_unpack(os.read(fd, _EVENT.size * 64)):
                    event = Event(*row[2:])
                    if event.type in (EV_KEY, EV_REL, EV_ABS):
                        found.append(event)
        return found

    def held(self) -> set[int]:
        """Codes of the keys that are down now."""
        down: set[int] = set()
        for fd in self._fds:
            bits = bytearray(_NR_KEYS // 8)
            fcntl.ioctl(fd, _READ | len(bits) << 16 | ord("E") << 8 | 0x18, bits)  # EVIOCGKEY
            down |= {n for n in range(_NR_KEYS) if bits[n // 8] >> n % 8 & 1}
        return down

    def close(self) -> None:
        for fd in self._fds:
            os.close(fd)
        self._fds = []
