"""What interrupted commands left below the BPF file system, finished or dropped."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

from pyloader import bpffs, sysfs
from pyloader.errors import Gone, ScxhidError
from pyloader.hid import renamed, udev_pins
from pyloader.hid.device import Device


def tidy() -> None:
    """Drop what an interrupted command left, and the pins of devices that are gone."""
    present = sysfs.hid_devices()
    for folder in bpffs.hid_folders():
        owner = next((name for name in present if bpffs.is_folder_of(folder, name)), None)
        if owner is None:
            bpffs.clear_hid_folder(folder)
            continue
        for name, place in bpffs.hid_left_behind(owner).items():
            if place.is_attached():
                place.move_to(bpffs.hid_place(owner, name))
            else:
                place.clear()
        for place in bpffs.hid_places(owner).values():
            if not place.is_attached():
                place.clear()
        if not bpffs.hid_places(owner):
            bpffs.clear_hid_folder(folder)
    udev_pins.tidy(present)
    renamed.tidy(present)


@contextmanager
def tidied(device: Device) -> Generator[None]:
    """Tidy before a change of what is attached to a device, and after one that it was unplugged in.

    Raises:
        Gone: that is why the change failed, whatever the kernel made of it.
    """
    tidy()
    try:
        yield
    except (ScxhidError, OSError):
        try:
            device.require_plugged()
        except Gone as gone:
            tidy()
            raise gone from None
        raise
