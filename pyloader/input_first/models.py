"""Which input devices there are, by what a device is known by when it is plugged in anew."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from pyloader import sysfs
from pyloader.errors import UnknownName, WrongUse
from pyloader.names import nearest

_SYSNAME = re.compile(r"([0-9a-f]{1,4}):([0-9a-f]{1,4}):([0-9a-f]{1,4})(?:\.[0-9a-f]{4,8})?")
_IDS = re.compile(r"([0-9a-f]{1,4}):([0-9a-f]{1,4})")


class Model(NamedTuple):
    """Bus, vendor and product, as in ``struct input_id`` (include/uapi/linux/input.h)."""

    bus: int
    vendor: int
    product: int

    def __str__(self) -> str:
        return f"{self.bus:04X}:{self.vendor:04X}:{self.product:04X}"

    @property
    def key(self) -> int:
        """``DEVICE()`` of devices.h."""
        return self.bus << 32 | self.vendor << 16 | self.product

    @classmethod
    def of_key(cls, key: int) -> Model:
        return cls(key >> 32, key >> 16 & 0xFFFF, key & 0xFFFF)


def named() -> dict[Model, str]:
    """Every model of which there is a device now, HID or not, and what the first one is called."""
    from pyloader.hid.device import devices

    found: dict[Model, str] = {}
    for hid in devices():
        found.setdefault(Model(hid.bus, hid.vendor & 0xFFFF, hid.product & 0xFFFF), hid.name)
    for node in sysfs.input_devices():
        found.setdefault(Model(node.bus, node.vendor, node.product), node.name)
    return found


def find(text: str) -> Model:
    """The model that a user means: a HID device's name in sysfs, BUS:VENDOR:PRODUCT,
    VENDOR:PRODUCT, or a part of its name that no other model has.

    A whole BUS:VENDOR:PRODUCT need not be there: it is meant for when it comes. Raises UnknownName,
    WrongUse.
    """
    wanted = text.strip().lower()
    if not wanted:
        raise WrongUse("the device needs a name: `scxhid input show` lists them")
    whole = _SYSNAME.fullmatch(wanted)
    if whole:
        return Model(*(int(digits, 16) for digits in whole.groups()))
    there = named()
    ids = _IDS.fullmatch(wanted)
    numbers = tuple(int(digits, 16) for digits in ids.groups()) if ids else None
    tests = (
        [model for model in there if (model.vendor, model.product) == numbers],
        [model for model, name in there.items() if name.lower() == wanted],
        [model for model, name in there.items() if wanted in name.lower()],
    )
    meant = tests[0] or tests[1] or tests[2]
    if len(meant) == 1:
        return meant[0]
    if meant:
        listed = ", ".join(f"{model} ({there[model]})" for model in meant)
        raise WrongUse(f"{text!r} may be {len(meant)} devices: {listed}; name one of them")
    close = nearest(text, [*there.values(), *map(str, there)])
    raise UnknownName("input device", text, close, "`scxhid input show` lists those that there are")


def find_all(texts: Iterable[str]) -> set[Model]:
    return {find(text) for text in texts}
