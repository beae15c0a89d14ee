"""Devices for the objects of Debian's package udev-hid-bpf: each is what one of them asks for."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pyloader import ObjectSpec
from pyloader.hid import matches
from pyloader.hid.matches import Match
from tests.guest.hid import Plugged
from tests.hid_descriptors import MOUSE, of_size, touchpad
from vm import fixups
from vm.guest_tests import FIXUPS_VARIABLE

ROOT = Path(os.environ.get(FIXUPS_VARIABLE) or "/absent")
MULTITOUCH_WIN_8 = 4

#: A part of a descriptor that a program replaces: 38 bytes that the object itself holds.
_ELITE_PART = "rdesc_assign_selection"


@dataclass(frozen=True)
class Wanted:
    """By what the ``probe`` of an object knows its device: the length of the descriptor, bytes of
    it by offset, the device's name."""

    size: int = len(MOUSE)
    held: Mapping[int, int] = field(default_factory=dict[int, int])
    name: str = "A device"


#: By the object's name without its number; read off the probes' code.
WANTED = {
    "FR-TEC__Raptor-Mach-2": Wanted(232, {177: 239}),
    "HP__Elite-Presenter": Wanted(264),
    "Huion__Dial-2": Wanted(148),
    "Huion__Inspiroy-2-M": Wanted(133),
    "Huion__Inspiroy-2-S": Wanted(93),
    "Huion__Kamvas13Gen3": Wanted(368),
    "Huion__Kamvas16Gen3": Wanted(328),
    "Huion__Kamvas-Pro-19": Wanted(438, {17: 67}, "HUION Huion Tablet_GT1902"),
    "Huion__KeydialK20-Bluetooth": Wanted(160),
    "Huion__KeydialK20": Wanted(135),
    "IOGEAR__Kaliber-MMOmentum": Wanted(213),
    "Logitech__SpaceNavigator": Wanted(228, {32: 0x81, 33: 6, 49: 0x81, 50: 6}),
    "Mistel__MD770": Wanted(203),
    "Rapoo__M50-Plus-Silent": Wanted(186),
    "TUXEDO__Sirius-16-Gen1-and-Gen2": Wanted(),
    "Thrustmaster__TCA-Yoke-Boeing": Wanted(200, {91: 2}),
    "Trust__Philips-SPK6327": Wanted(169),
    "WALTOP__Batteryless-Tablet": Wanted(335),
    "Wacom__ArtPen": Wanted(949),
    "XPPen__ACK05": Wanted(177),
    "XPPen__Artist24": Wanted(107, {17: 69}),
    "XPPen__ArtistPro16Gen2": Wanted(113, {17: 69}),
    "XPPen__Deco01V3": Wanted(109),
    "XPPen__Deco02": Wanted(188),
    "XPPen__DecoMini4": Wanted(177),
}


def objects() -> list[Path]:
    """All of the package, in the order of their names."""
    return sorted(fixups.objects(ROOT).glob("*.bpf.o"))


def path_of(name: str) -> Path:
    """One of them by its name."""
    return fixups.objects(ROOT) / f"{name}.bpf.o"


def tool() -> list[str]:
    """The words that start the package's own program."""
    return fixups.program(ROOT)


def plug(name: str) -> Plugged:
    """A device that the object ``name`` is for, and that its probe accepts."""
    spec = ObjectSpec.open(path_of(name))
    entry = (matches.read(spec) or ())[0]
    group = name.partition("-")[2]
    wanted = WANTED.get(group, Wanted())
    core = touchpad() if entry.group == MULTITOUCH_WIN_8 else MOUSE
    rdesc = of_size(max(wanted.size, len(core)), dict(wanted.held), core)
    if group == "Microsoft__Xbox-Elite-2":
        rdesc = _with_part(spec.variables[_ELITE_PART].raw)
    features = {2: bytes([2, 0x15])} if core != MOUSE else None
    return Plugged(wanted.name, rdesc, features, **ids(entry))


def ids(entry: Match) -> dict[str, int]:
    """Bus, vendor and product of a device that the entry is for."""
    bus = entry.bus or 3
    return {"bus": bus, "vendor": entry.vendor or 0x1209, "product": entry.product or 1}


def _with_part(part: bytes) -> bytes:
    """A descriptor of 464 bytes with ``part`` at 211, where the probe looks for it."""
    start = bytes.fromhex("050109a1a101")  # generic desktop, an application collection
    made = of_size(211 - len(start), core=b"") + start + part + bytes.fromhex("c0")
    return made + of_size(464 - len(made), core=b"")
