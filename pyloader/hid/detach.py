"""Programs off devices again: ours, and objects of udev-hid-bpf whoever attached them."""

from __future__ import annotations

import os
from collections.abc import Mapping

from pyloader import bpffs, lock
from pyloader.bpffs import Place
from pyloader.errors import UnknownName
from pyloader.hid import renamed, steps, udev_pins
from pyloader.hid.device import Device
from pyloader.hid.tidy import tidied, tidy
from pyloader.hid.udev_pins import UdevPlace
from pyloader.names import nearest


def detach(device: Device, program: str | None = None) -> list[str]:
    """Take the program off, or all that either tool pinned; returns the names of those.

    A name that a program gave to the device is undone, as far as it is known what it was.

    Raises:
        UnknownName: that one is not attached.
        Gone: the device has been unplugged.
    """
    with lock.writer(), tidied(device):
        there: dict[str, Place | UdevPlace] = {
            **udev_pins.places(device.sysname),
            **bpffs.hid_places(device.sysname),
        }
        wanted = list(there) if program is None else [_meant(device, program, there)]
        for name in wanted:
            place = there[name]
            fixes = any(
                each.fixes_descriptor and steps.is_below(each, place.path)
                for each in steps.on(device)
            )
            # Before the descriptor changes: then the kernel makes the input devices anew, by name.
            renamed.undo(device, udev_pins.group_of(name))
            _take_off(place)
            if fixes:
                steps.wait_bound(device)
        tidy()
    return wanted


def _meant(device: Device, program: str, there: Mapping[str, object]) -> str:
    """An object of udev-hid-bpf may be named without the number in front."""
    meant = [name for name in there if name == program.removesuffix(".bpf.o")]
    meant = meant or [name for name in there if udev_pins.group_of(name) == program]
    if len(meant) == 1:
        return meant[0]
    hint = f"on {device.sysname} are {', '.join(there) or 'none that is pinned'}"
    raise UnknownName("attached program", program, nearest(program, there), hint)


def _take_off(place: Place | UdevPlace) -> None:
    if isinstance(place, Place):
        steps.take_off_place(place)
    else:
        for name, fd in place.links().items():
            os.close(fd)
            steps.take_off(place.pins()[name])
    place.clear()
