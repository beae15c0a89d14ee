"""Keys become others the way a script does it: ``python -m vm.bench.uinput_loop NODE FROM:TO …``.

What python-evdev's users write, with nothing but the system calls: take the device for oneself,
read its events, change their codes, write them to an input device of one's own. All that came
together goes on together. Codes are those of linux/input-event-codes.h.
"""

from __future__ import annotations

import fcntl
import os
import struct
import sys
from collections.abc import Mapping

#: The name of the input device that it writes to.
OUTPUT_NAME = "uinput loop in Python"

_EVENT = struct.Struct("qqHHi")  # struct input_event
_SETUP = struct.Struct("HHHH80sI")  # struct uinput_setup
_AT_ONCE = 64
_EV_SYN, _EV_KEY, _BUS_VIRTUAL = 0, 1, 6
_KEYS = range(1, 249)

# _IOW and _IO of linux/input.h and linux/uinput.h
_EVIOCGRAB = 0x40044590
_UI_SET_EVBIT, _UI_SET_KEYBIT = 0x40045564, 0x40045565
_UI_DEV_SETUP, _UI_DEV_CREATE = 0x405C5503, 0x5501


def main(node: str, *pairs: str) -> None:
    """Until it is ended."""
    codes: dict[int, int] = {}
    for pair in pairs:
        source, target = pair.split(":")
        codes[int(source)] = int(target)
    device = os.open(node, os.O_RDONLY)
    out = _output()
    fcntl.ioctl(device, _EVIOCGRAB, 1)
    while True:
        os.write(out, changed(os.read(device, _AT_ONCE * _EVENT.size), codes))


def changed(events: bytes, codes: Mapping[int, int]) -> bytes:
    """The events, those of keys with their new codes; what is of no key is left out."""
    made = bytearray()
    for seconds, micros, kind, code, value in _EVENT.iter_unpack(events):
        if kind == _EV_KEY:
            code = codes.get(code, code)
        elif kind != _EV_SYN:
            continue
        made += _EVENT.pack(seconds, micros, kind, code, value)
    return bytes(made)


def _output() -> int:
    out = os.open("/dev/uinput", os.O_WRONLY)
    fcntl.ioctl(out, _UI_SET_EVBIT, _EV_KEY)
    for code in _KEYS:
        fcntl.ioctl(out, _UI_SET_KEYBIT, code)
    fcntl.ioctl(out, _UI_DEV_SETUP, _SETUP.pack(_BUS_VIRTUAL, 0, 0, 1, OUTPUT_NAME.encode(), 0))
    fcntl.ioctl(out, _UI_DEV_CREATE)
    return out


if __name__ == "__main__":
    main(*sys.argv[1:])
