"""HID devices: which there are, what each is, and which one a user means."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from pyloader import sysfs
from pyloader.errors import Gone, ScxhidError, UnknownName, Unsupported, WrongUse
from pyloader.hid.descriptor import Descriptor
from pyloader.hid.parser import parse
from pyloader.names import nearest

#: include/uapi/linux/input.h
BUSES = {0x03: "USB", 0x05: "Bluetooth", 0x06: "virtual", 0x18: "I2C", 0x19: "host", 0x1C: "SPI"}

NO_HID = "this kernel has no HID: `modprobe hid` loads it where it is a module"

_SYSNAME = re.compile(r"([0-9A-F]{4}):([0-9A-F]{4}):([0-9A-F]{4})\.([0-9A-F]{4,8})", re.IGNORECASE)
_IDS = re.compile(r"([0-9A-F]{1,4}):([0-9A-F]{1,4})", re.IGNORECASE)


@dataclass(frozen=True)
class Device:
    """One HID device. ``number`` is the kernel's own of it, which ``hid_bpf_ops.hid_id`` takes."""

    node: sysfs.HidNode
    bus: int
    vendor: int
    product: int
    number: int

    @property
    def sysname(self) -> str:
        return self.node.sysname

    @property
    def name(self) -> str:
        return self.node.name

    @property
    def group(self) -> int:
        """The kernel's group of it (``HID_GROUP_*``), from what its reports hold."""
        return self.node.group

    @property
    def bus_name(self) -> str:
        return BUSES.get(self.bus, f"bus 0x{self.bus:02x}")

    @property
    def ids(self) -> str:
        return f"{self.vendor:04x}:{self.product:04x}"

    @cached_property
    def rdesc(self) -> bytes:
        """The report descriptor as drivers see it; empty if the device has gone meanwhile."""
        return sysfs.report_descriptor(self.sysname) or b""

    @cached_property
    def descriptor(self) -> Descriptor:
        """The same, understood.

        Raises:
            BadDescriptor: the kernel refuses it, and no driver is bound.
            Gone: it has been unplugged.
        """
        if not self.rdesc:
            self.require_plugged()
        return parse(self.rdesc)

    def require_plugged(self) -> None:
        """Gone if it has been unplugged since it was found."""
        if sysfs.hid_device(self.sysname) is None:
            raise Gone(f"{self.sysname} ({self.name}) has been unplugged")


def require_hid() -> None:
    """Unsupported, with the sentence that says so everywhere, where the kernel has no HID."""
    if not sysfs.has_hid():
        raise Unsupported(NO_HID)


def devices() -> list[Device]:
    """Every HID device, in the order in which they came."""
    found = [device for name in sysfs.hid_devices() if (device := _read(name))]
    return sorted(found, key=lambda device: device.number)


def find_device(text: str, among: Sequence[Device] | None = None) -> Device:
    """The device that a user means: by its name in sysfs, by VENDOR:PRODUCT, or by a part of its
    name that no other has.

    Raises:
        UnknownName: there is none; the nearest names are told.
        WrongUse: there are several.
        Unsupported: this kernel has no HID.
    """
    meant = find_devices(text, among)
    if len(meant) > 1:
        raise several(text, meant)
    return meant[0]


def several(text: str, meant: Sequence[Device]) -> WrongUse:
    """The error that says that ``text`` may be any of them."""
    listed = ", ".join(f"{device.sysname} ({device.name})" for device in meant)
    return WrongUse(f"{text!r} may be {len(meant)} devices: {listed}; name one of them")


def find_devices(text: str, among: Sequence[Device] | None = None) -> list[Device]:
    """The same where several may be meant: one at least.

    Raises UnknownName, Unsupported, as ``find_device``.
    """
    all_ = devices() if among is None else among
    if among is None and not all_:
        require_hid()
    wanted = text.strip().lower()
    if not wanted:
        raise WrongUse("the device needs a name: `scxhid hid list` shows all")
    for is_meant in (_is_sysname, _has_ids, _is_name, _has_in_name):
        meant = [device for device in all_ if is_meant(device, wanted)]
        if meant:
            return meant
    if not all_:
        raise ScxhidError(f"there is no HID device at all, and so no {text!r}")
    close = nearest(text, [device.name for device in all_] + [device.sysname for device in all_])
    raise UnknownName("HID device", text, close, "`scxhid hid list` shows all")


def _is_sysname(device: Device, wanted: str) -> bool:
    return device.sysname.lower() == wanted


def _has_ids(device: Device, wanted: str) -> bool:
    ids = _IDS.fullmatch(wanted)
    return bool(ids) and (device.vendor, device.product) == tuple(int(x, 16) for x in ids.groups())


def _is_name(device: Device, wanted: str) -> bool:
    return device.name.lower() == wanted


def _has_in_name(device: Device, wanted: str) -> bool:
    return wanted in device.name.lower()


def _read(sysname: str) -> Device | None:
    parts = _SYSNAME.fullmatch(sysname)
    node = sysfs.hid_device(sysname)
    if not parts or not node:
        return None
    bus, vendor, product, number = (int(part, 16) for part in parts.groups())
    return Device(node, bus, vendor, product, number)
