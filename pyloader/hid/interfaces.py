"""Which HID devices are interfaces of one device: its keys, its media keys, its pointer.

The kernel has a HID device for each. What they have in common is their place on the bus, which
``phys`` names with the number of the interface at its end (``usb-0000:00:14.0-2/input1``).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

from pyloader.hid.device import Device, devices

_INTERFACE = re.compile(r"(.+)/input\d+")


def whole(device: Device) -> tuple[Any, ...]:
    """What all interfaces of a device have in common, and no other device has."""
    place = _INTERFACE.fullmatch(device.node.phys)
    if place is None:
        return (device.sysname,)
    return device.bus, device.vendor, device.product, place[1]


def interfaces_of(device: Device, among: Sequence[Device] | None = None) -> list[Device]:
    """All interfaces of the device that ``device`` is one of, in the order in which they came."""
    wanted = whole(device)
    return [each for each in (devices() if among is None else among) if whole(each) == wanted]


def grouped(found: Iterable[Device]) -> list[list[Device]]:
    """The devices, those of one device together."""
    groups: dict[tuple[Any, ...], list[Device]] = {}
    for each in found:
        groups.setdefault(whole(each), []).append(each)
    return list(groups.values())
