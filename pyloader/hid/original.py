"""A device's report descriptor at each stage, read from the kernel by a small program."""

from __future__ import annotations

import struct
from typing import NamedTuple

from pyloader.catalog import find_hid_reader
from pyloader.errors import Gone
from pyloader.hid.device import Device

_ENODEV = 19


class Stages(NamedTuple):
    """Report descriptors: as the device gave it, after HID-BPF programs, after the kernel's driver.

    ``fixed`` is None where the kernel keeps no such stage.
    """

    device: bytes
    fixed: bytes | None
    driver: bytes


def read_stages(device: Device) -> Stages:
    """The three of ``device``.

    Raises:
        Gone: it has been unplugged.
        LoadError: the kernel has no HID-BPF; NotPermitted: needs root.
    """
    source = find_hid_reader()
    with source.blamed(), source.open().load() as reader:
        status = reader.run("original", bytearray(struct.pack("=I", device.number)))
        if status == -_ENODEV:
            raise Gone(f"{device.sysname} ({device.name}) has been unplugged")
        row = reader.maps["found"].read()[0]
    read = [bytes(row["bytes"][n][: row["size"][n]]) for n in range(3)]
    return Stages(read[0], read[1] or None, read[2])
