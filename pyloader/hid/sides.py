"""The two sides of a device's programs: how a report reads before them, and how after them."""

from __future__ import annotations

from pyloader.errors import AttachError, WrongUse
from pyloader.hid.changes import differences, values
from pyloader.hid.descriptor import Descriptor
from pyloader.hid.device import Device
from pyloader.hid.items import BadDescriptor
from pyloader.hid.original import read_stages
from pyloader.hid.pairs import Passage
from pyloader.hid.parser import parse


class Sides:
    """The report descriptors of the two sides: as the device gave it, and as it was fixed.

    Raises:
        WrongUse: it declares no input report; AttachError: the kernel refuses a descriptor.
        Gone, LoadError, NotPermitted: as ``read_stages``.
    """

    def __init__(self, device: Device) -> None:
        self.raw = read_stages(device).device, device.rdesc
        self.before, self.after = (_understood(device, rdesc) for rdesc in self.raw)

    def changes(self, passage: Passage) -> dict[str, tuple[int, int]]:
        """Values that the programs changed, by name."""
        if passage.what != "changed" or passage.after is None:
            return {}
        return differences(values(self.before, passage.before), values(self.after, passage.after))

    @property
    def longest(self) -> int:
        """Bytes of the longest input report of either."""
        both = (self.before, self.after)
        return max(
            d.size_bytes(r) for d in both for (kind, _), r in d.reports.items() if kind == "input"
        )


def _understood(device: Device, rdesc: bytes) -> Descriptor:
    try:
        found = parse(rdesc)
    except BadDescriptor as error:
        raise AttachError(
            f"the kernel refuses a report descriptor of {device.sysname} ({device.name}) {error}"
        ) from None
    if not found.fields("input"):
        raise WrongUse(f"{device.sysname} ({device.name}) declares no input report")
    return found
