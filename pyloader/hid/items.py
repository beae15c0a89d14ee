"""The items of a report descriptor: bytes to tags and values, nothing understood yet.

Source: Device Class Definition for HID 1.11, 6.2.2 (short items: one byte of prefix and 0, 1, 2 or
4 of data; long items: a prefix, a size, a tag). A long item has the prefix 0xFE there; the kernel
takes every prefix with the tag 15 for one (``fetch_item`` in drivers/hid/hid-core.c).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

MAIN, GLOBAL, LOCAL, RESERVED = range(4)

_LONG_TAG = 15
_SIZES = (0, 1, 2, 4)

NAMES = {
    (MAIN, 8): "Input",
    (MAIN, 9): "Output",
    (MAIN, 10): "Collection",
    (MAIN, 11): "Feature",
    (MAIN, 12): "End Collection",
    (GLOBAL, 0): "Usage Page",
    (GLOBAL, 1): "Logical Minimum",
    (GLOBAL, 2): "Logical Maximum",
    (GLOBAL, 3): "Physical Minimum",
    (GLOBAL, 4): "Physical Maximum",
    (GLOBAL, 5): "Unit Exponent",
    (GLOBAL, 6): "Unit",
    (GLOBAL, 7): "Report Size",
    (GLOBAL, 8): "Report ID",
    (GLOBAL, 9): "Report Count",
    (GLOBAL, 10): "Push",
    (GLOBAL, 11): "Pop",
    (LOCAL, 0): "Usage",
    (LOCAL, 1): "Usage Minimum",
    (LOCAL, 2): "Usage Maximum",
    (LOCAL, 3): "Designator Index",
    (LOCAL, 4): "Designator Minimum",
    (LOCAL, 5): "Designator Maximum",
    (LOCAL, 7): "String Index",
    (LOCAL, 8): "String Minimum",
    (LOCAL, 9): "String Maximum",
    (LOCAL, 10): "Delimiter",
}


class BadDescriptor(ValueError):
    """The kernel would refuse it: ``offset`` is the byte of the item, ``reason`` a clause."""

    def __init__(self, offset: int, reason: str) -> None:
        super().__init__(f"at byte {offset}: {reason}")
        self.offset, self.reason = offset, reason


class Item(NamedTuple):
    """One item. ``type`` is MAIN, GLOBAL, LOCAL or RESERVED; of a long item, ``is_long``, the
    kernel understands nothing."""

    offset: int
    type: int
    tag: int
    data: bytes
    is_long: bool = False

    @property
    def name(self) -> str:
        if self.is_long:
            return f"Long item 0x{self.tag:02x}"
        kinds = ("Main", "Global", "Local", "Reserved")
        return NAMES.get((self.type, self.tag), f"{kinds[self.type]} item {self.tag}")

    @property
    def unsigned(self) -> int:
        return int.from_bytes(self.data, "little")

    @property
    def signed(self) -> int:
        return int.from_bytes(self.data, "little", signed=True)


def items(data: bytes) -> Iterator[Item]:
    """The items in order.

    Raises:
        BadDescriptor: when an item is reached that does not end inside ``data``.
    """
    at = 0
    while at < len(data):
        prefix = data[at]
        if prefix >> 4 == _LONG_TAG:
            end = at + 3 + data[at + 1] if at + 3 <= len(data) else len(data) + 1
            item = Item(at, RESERVED, data[min(at + 2, len(data) - 1)], data[at + 3 : end], True)
        else:
            end = at + 1 + _SIZES[prefix & 3]
            item = Item(at, prefix >> 2 & 3, prefix >> 4, data[at + 1 : end])
        if end > len(data):
            raise BadDescriptor(at, f"the {item.name} item is cut off by the descriptor's end")
        yield item
        at = end
