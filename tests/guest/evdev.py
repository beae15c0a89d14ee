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

_KEYS = {
    **{0x0C: "MINUS", 0x0D: "EQUAL", 0x10: "Q", 0x12: "E", 0x17: "I", 0x18: "O", 0x1E: "A"},
    **{0x1F: "S", 0x25: "K", 0x2C: "Z", 0x30: "B", 0x31: "N", 0xA4: "PLAYPAUSE", 0xB7: "F13"},
    **{0x1D: "LEFTCTRL", 0x2A: "LEFTSHIFT", 0x38: "LEFTALT", 0x7D: "LEFTMETA", 0xF0: "UNKNOWN"},
}
_BUTTONS = {
    **{0x100 + n: str(n) for n in range(10)},
    **{0x113: "SIDE", 0x114: "EXTRA", 0x130: "A", 0x132: "C", 0x137: "TR", 0x138: "TL2"},
    **{0x140: "TOOL_PEN", 0x141: "TOOL_RUBBER", 0x14A: "TOUCH"},
    **{0x14B: "STYLUS", 0x14C: "STYLUS2", 0x149: "STYLUS3"},
    **{0x2C0 + n: f"TRIGGER_HAPPY{n + 1}" for n in range(8)},
}
_RELATIVE = {
    **{0x00: "X", 0x02: "Z", 0x03: "RX", 0x07: "DIAL", REL_HWHEEL: "HWHEEL", REL_WHEEL: "WHEEL"},
    **{REL_WHEEL_HI_RES: "WHEEL_HI_RES", REL_HWHEEL_HI_RES: "HWHEEL_HI_RES"},
}
_ABSOLUTE = {
    **{0x00: "X", 0x01: "Y", 0x02: "Z", 0x03: "RX", 0x10: "HAT0X", 0x11: "HAT0Y"},
    **{0x18: "PRESSURE", 0x1A: "TILT_X", 0x1B: "TILT_Y"},
}
_NAMES = {
    **{(EV_KEY, code): f"KEY_{name}" for code, name in _KEYS.items()},
    **{(EV_KEY, code): f"BTN_{name}" for code, name in _BUTTONS.items()},
    **{(EV_REL, code): f"REL_{name}" for code, name in _RELATIVE.items()},
    **{(EV_ABS, code): f"ABS_{name}" for code, name in _ABSOLUTE.items()},
}

_EVENT = struct.Struct("@llHHi")
_NR_KEYS = 0x300
_READ = 2 << 30


class Event(NamedTuple):
    type: int
    code: int
    value: int


def named(event: Event) -> str:
    """``KEY_A 1``; a code that has no name here as ``1/0x1e``."""
    code = _NAMES.get(event[:2], f"{event.type}/{event.code:#x}")
    return f"{code} {event.value}"


class Events(Closing):
    """The events of the input devices that a HID device has become, from now on."""

    def __init__(self, plugged: Plugged) -> None:
        self._fds = {
            os.open(f"/dev/{node}", os.O_RDONLY | os.O_NONBLOCK): name
            for _, name, node in plugged.device.node.inputs
            if node
        }

    def read(self, within_s: float = 0.0) -> list[Event]:
        """Keys and movements that came meanwhile."""
        return [event for _, event in self.read_named(within_s)]

    def read_named(self, within_s: float = 0.0) -> list[tuple[str, Event]]:
        """The same, each with the name of the input device that it came from."""
        found: list[tuple[str, Event]] = []
        while ready := select.select(self._fds, [], [], 0.0 if found else within_s)[0]:
            for fd in ready:
                for row in _EVENT.iter_unpack(os.read(fd, _EVENT.size * 64)):
                    event = Event(*row[2:])
                    if event.type in (EV_KEY, EV_REL, EV_ABS):
                        found.append((self._fds[fd], event))
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
        self._fds = {}
