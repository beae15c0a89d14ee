"""Keys for a device that cannot say them: what is appended to its report descriptor.

Every usual key, media keys and buttons, a bit each, so that later rules find theirs there. Report
ids are used only where the device uses them: else its one report becomes longer.
"""

from __future__ import annotations

from collections.abc import Iterable

from pyloader.errors import WrongUse
from pyloader.hid.descriptor import INPUT, Descriptor
from pyloader.hid.items import BadDescriptor
from pyloader.hid.parser import parse
from pyloader.hid.remap import codes
from pyloader.hid.remap.build import SEEN_BYTES
from pyloader.hid.usages import BUTTON, CONSUMER, GENERIC_DESKTOP, KEYBOARD

MOST_BYTES = 512  # as in hid/remap/extra_keys.bpf.c

_USAGE_PAGE, _LOGICAL_MIN, _LOGICAL_MAX, _PHYSICAL_MIN, _PHYSICAL_MAX = 4, 0x14, 0x24, 0x34, 0x44
_EXPONENT, _UNIT, _SIZE, _ID, _COUNT = 0x54, 0x64, 0x74, 0x84, 0x94
_USAGE, _USAGE_MIN, _USAGE_MAX = 0x08, 0x18, 0x28
_INPUT, _COLLECTION, _END = 0x80, 0xA0, 0xC0
_CONSTANT, _ABSOLUTE, _RELATIVE = 1, 2, 6

_MODIFIERS = range(0xE0, 0xE8)
_KEYS = range(0x04, 0xA4)
_BUTTONS = range(1, 9)
_MOUSE, _POINTER, _KEYBOARD, _CONSUMER_CONTROL = 2, 1, 6, 1


def extra_keys(descriptor: Descriptor) -> bytes:
    """What to append.

    Raises:
        WrongUse: the device leaves no room; the sentence says why.
    """
    inputs = [r for r in descriptor.reports.values() if r.kind == INPUT]
    if not inputs:
        raise WrongUse("the device sends no reports")
    parts = (_keyboard, _consumer, _mouse)
    if descriptor.is_numbered[INPUT]:
        used = {report.id for report in descriptor.reports.values()}
        free = [number for number in range(1, 256) if number not in used]
        if len(free) < len(parts):
            raise WrongUse("the device has no report ids left")
        made = b"".join(part(_item(_ID, number)) for part, number in zip(parts, free, strict=False))
    else:
        [report] = inputs
        padding = -report.bits % 8
        made = b"".join(part(b"") for part in parts)
        if padding:  # so that each begins with a byte
            made = _fresh() + _item(_COUNT, padding) + _item(_INPUT, _CONSTANT) + made
        bits = report.bits + padding + _bits()
        if bits > 8 * SEEN_BYTES:
            raise WrongUse(
                f"its report of {report.bits // 8} bytes would be one of {bits // 8}, and programs"
                f" see {SEEN_BYTES}"
            )
    return made


def without_extra(rdesc: bytes) -> bytes:
    """A report descriptor without the keys that were added to it, if any were."""
    at = rdesc.find(_fresh())
    while at > 0:
        try:
            if rdesc[at:] == extra_keys(parse(rdesc[:at])):
                return rdesc[:at]
        except (BadDescriptor, WrongUse):
            pass  # the items are the device's own
        at = rdesc.find(_fresh(), at + 1)
    return rdesc


def _bits() -> int:
    """How much longer an unnumbered report becomes."""
    consumer = len(codes.named_usages(CONSUMER))
    keys = len(_MODIFIERS) + len(_KEYS) + len(_BUTTONS) + 2 * 8
    return keys + consumer + -consumer % 8


def _fresh() -> bytes:
    """Nothing of the device's own global items counts any more; values are bits."""
    zero = (_LOGICAL_MIN, _PHYSICAL_MIN, _PHYSICAL_MAX, _EXPONENT, _UNIT)
    return b"".join(_item(each, 0) for each in zero) + _item(_LOGICAL_MAX, 1) + _item(_SIZE, 1)


def _keyboard(identified: bytes) -> bytes:
    # Modifiers first: the kernel takes the bits of a report in their order.
    inside = _item(_USAGE_PAGE, KEYBOARD) + _run(_MODIFIERS) + _run(_KEYS)
    return _application(_KEYBOARD, GENERIC_DESKTOP, identified + inside)


def _consumer(identified: bytes) -> bytes:
    usages = [usage & 0xFFFF for usage in codes.named_usages(CONSUMER)]
    inside = _item(_USAGE_PAGE, CONSUMER) + b"".join(_item(_USAGE, usage) for usage in usages)
    inside += _item(_COUNT, len(usages)) + _item(_INPUT, _ABSOLUTE)
    if -len(usages) % 8:
        inside += _item(_COUNT, -len(usages) % 8) + _item(_INPUT, _CONSTANT)
    return _application(_CONSUMER_CONTROL, CONSUMER, identified + inside)


def _mouse(identified: bytes) -> bytes:
    buttons = _item(_USAGE_PAGE, BUTTON) + _run(_BUTTONS)
    # It never moves, but without these two nobody takes it for a mouse.
    axes = _item(_USAGE_PAGE, GENERIC_DESKTOP) + _item(_USAGE, 0x30) + _item(_USAGE, 0x31)
    axes += _item(_LOGICAL_MIN, -127) + _item(_LOGICAL_MAX, 127) + _item(_SIZE, 8)
    axes += _item(_COUNT, 2) + _item(_INPUT, _RELATIVE)
    pointer = _item(_USAGE, _POINTER) + _item(_COLLECTION, 0) + buttons + axes + bytes([_END])
    return _application(_MOUSE, GENERIC_DESKTOP, identified + pointer)


def _application(usage: int, page: int, inside: bytes) -> bytes:
    head = _fresh() + _item(_USAGE_PAGE, page) + _item(_USAGE, usage) + _item(_COLLECTION, 1)
    return head + inside + bytes([_END])


def _run(usages: Iterable[int]) -> bytes:
    numbers = list(usages)
    first, last = numbers[0], numbers[-1]
    limits = _item(_USAGE_MIN, first, 2) + _item(_USAGE_MAX, last, 2)
    return limits + _item(_COUNT, len(numbers)) + _item(_INPUT, _ABSOLUTE)


def _item(tag: int, value: int, size: int = 0) -> bytes:
    """A short item (HID 1.11, 6.2.2.2) of the least size that holds the value with its sign."""
    size = size or next(n for n in (1, 2, 4) if -(1 << 8 * n - 1) <= value < 1 << 8 * n - 1)
    raw = (value & (1 << 8 * size) - 1).to_bytes(size, "little")
    return bytes([tag | {1: 1, 2: 2, 4: 3}[size]]) + raw
