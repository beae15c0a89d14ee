"""Report descriptors for tests: of common devices, and of items at random."""

from __future__ import annotations

import random

MOUSE = bytes.fromhex(
    "05010902a1010901a100050919012903150025019503750181029501750581030501"
    "0930093109381581257f750895038106c0c0"
)
KEYBOARD = bytes.fromhex(
    "05010906a101050719e029e7150025017501950881029501750881039505750105081901290591029501"
    "7503910395067508150025650507190029658100c0"
)

INPUT, OUTPUT, COLLECTION, FEATURE, END = 0x80, 0x90, 0xA0, 0xB0, 0xC0
USAGE_PAGE, LOGICAL_MIN, LOGICAL_MAX, PHYSICAL_MIN, PHYSICAL_MAX = 0x04, 0x14, 0x24, 0x34, 0x44
UNIT_EXPONENT, UNIT, REPORT_SIZE, REPORT_ID, REPORT_COUNT = 0x54, 0x64, 0x74, 0x84, 0x94
PUSH, POP = 0xA4, 0xB4
USAGE, USAGE_MIN, USAGE_MAX, DELIMITER = 0x08, 0x18, 0x28, 0xA8

PREFIXES = (
    *(INPUT, OUTPUT, COLLECTION, FEATURE, END, USAGE_PAGE, LOGICAL_MIN, LOGICAL_MAX),
    *(PHYSICAL_MIN, PHYSICAL_MAX, UNIT_EXPONENT, UNIT, REPORT_SIZE, REPORT_ID, REPORT_COUNT),
    *(PUSH, POP, USAGE, USAGE_MIN, USAGE_MAX, DELIMITER),
)

_SIZES = {0: 0, 1: 1, 2: 2, 4: 3}


def item(prefix: int, value: int | None = None, size: int | None = None) -> bytes:
    """A short item; ``prefix`` without its size, which is the least that holds the value."""
    if value is None:
        return bytes([prefix])
    if size is None:
        size = next(n for n in (1, 2, 4) if -(1 << 8 * n - 1) <= value < 1 << 8 * n - (value < 0))
    raw = (value & (1 << 8 * size) - 1).to_bytes(size, "little")
    return bytes([prefix | _SIZES[size]]) + raw


def at_random(seed: int) -> bytes:
    """Something that is nearly a descriptor: about a third of them the kernel takes."""
    chance = random.Random(seed)
    if chance.random() < 0.1:
        return chance.randbytes(chance.choice([1, 7, 64, 4096]))
    out, depth = bytearray(), 0
    for _ in range(chance.randint(1, 40)):
        prefix = chance.choice(PREFIXES)
        if prefix == END:
            if not depth and chance.random() < 0.95:
                continue
            depth -= 1
        if prefix == COLLECTION:
            depth += 1
        out += _one(prefix, chance)
    closes = depth if chance.random() < 0.9 else 0
    return bytes(out + item(END) * max(0, closes)) or item(USAGE, 1)


def _one(prefix: int, chance: random.Random) -> bytes:
    if prefix in (PUSH, POP, END):
        return item(prefix)
    if chance.random() < 0.05:  # anything, however wide
        size = chance.choice([0, 1, 2, 4])
        return item(prefix, chance.getrandbits(8 * size) if size else None, size)
    ranges = {
        USAGE_PAGE: (1, 13),
        LOGICAL_MIN: (-4, 1),
        LOGICAL_MAX: (2, 127),
        REPORT_SIZE: (0, 40),
        REPORT_COUNT: (0, 20),
        REPORT_ID: (1, 4),
        COLLECTION: (0, 3),
        DELIMITER: (0, 1),
        USAGE_MIN: (1, 40),
        USAGE_MAX: (20, 120),
    }
    low, high = ranges.get(prefix, (0, 255))
    return item(prefix, chance.randint(low, high), 4 if prefix == LOGICAL_MAX else None)


def stick(size: int, low: int, high: int, report_id: int = 0) -> bytes:
    """A joystick with X, Y, Rx and Ry of so many bits, after three buttons and their padding."""
    out = item(USAGE_PAGE, 1) + item(USAGE, 4) + item(COLLECTION, 1)
    if report_id:
        out += item(REPORT_ID, report_id)
    out += item(USAGE_PAGE, 9) + item(USAGE_MIN, 1) + item(USAGE_MAX, 3) + item(LOGICAL_MIN, 0)
    out += item(LOGICAL_MAX, 1) + item(REPORT_SIZE, 1) + item(REPORT_COUNT, 3) + item(INPUT, 2)
    out += item(REPORT_COUNT, 5) + item(INPUT, 3) + item(USAGE_PAGE, 1)
    for usage in (0x30, 0x31, 0x33, 0x34):
        out += item(USAGE, usage)
    out += item(LOGICAL_MIN, low) + item(LOGICAL_MAX, high, 4)
    out += item(REPORT_SIZE, size) + item(REPORT_COUNT, 4)
    padding = item(REPORT_SIZE, 1) + item(REPORT_COUNT, -4 * size % 8) + item(INPUT, 3)
    return out + item(INPUT, 2) + (padding if 4 * size % 8 else b"") + item(END)


def touchpad(pad_type: bool = True) -> bytes:
    """What Windows 8 calls a precision touchpad, as far as the kernel looks for to call it so."""
    finger = (
        item(USAGE_PAGE, 0x0D) + item(USAGE, 0x22) + item(COLLECTION, 2)
        + item(LOGICAL_MIN, 0) + item(LOGICAL_MAX, 1) + item(REPORT_SIZE, 1) + item(REPORT_COUNT, 1)
        + item(USAGE, 0x42) + item(INPUT, 2)
        + item(REPORT_SIZE, 7) + item(LOGICAL_MAX, 127) + item(USAGE, 0x51) + item(INPUT, 2)
        + item(USAGE_PAGE, 1) + item(REPORT_SIZE, 16) + item(LOGICAL_MAX, 4000)
        + item(USAGE, 0x30) + item(INPUT, 2) + item(USAGE, 0x31) + item(INPUT, 2)
        + item(END)
    )  # fmt: skip
    kinds = (
        item(REPORT_ID, 2) + item(USAGE_PAGE, 0x0D) + item(LOGICAL_MAX, 15)
        + item(REPORT_SIZE, 4) + item(REPORT_COUNT, 1) + item(USAGE, 0x55) + item(FEATURE, 2)
        + (item(USAGE, 0x59) if pad_type else item(USAGE, 0x60)) + item(FEATURE, 2)
    )  # fmt: skip
    certificate = (
        item(REPORT_ID, 3) + item(USAGE_PAGE, 0xFF00, 2) + item(USAGE, 0xC5)
        + item(LOGICAL_MAX, 255, 2) + item(REPORT_SIZE, 8) + item(REPORT_COUNT, 256)
        + item(FEATURE, 2)
    )  # fmt: skip
    return (
        item(USAGE_PAGE, 0x0D) + item(USAGE, 5) + item(COLLECTION, 1) + item(REPORT_ID, 1)
        + finger + finger + kinds + certificate + item(END)
    )  # fmt: skip


def nkro(report_id: int) -> bytes:
    """A keyboard that says every key as a bit."""
    identified = item(REPORT_ID, report_id) if report_id else b""
    return b"".join(
        (
            *(item(USAGE_PAGE, 1), item(USAGE, 6), item(COLLECTION, 1), identified),
            *(item(USAGE_PAGE, 7), item(LOGICAL_MIN, 0), item(LOGICAL_MAX, 1)),
            *(item(REPORT_SIZE, 1), item(REPORT_COUNT, 8)),
            *(item(USAGE_MIN, 0xE0, 2), item(USAGE_MAX, 0xE7, 2), item(INPUT, 2)),
            *(item(REPORT_COUNT, 160), item(USAGE_MIN, 4), item(USAGE_MAX, 0xA3, 2)),
            *(item(INPUT, 2), item(END)),
        )
    )


def media() -> bytes:
    """The interface of a keyboard that has its media keys, an array of one usage."""
    return b"".join(
        (
            *(item(USAGE_PAGE, 0x0C), item(USAGE, 1), item(COLLECTION, 1), item(REPORT_ID, 2)),
            *(item(LOGICAL_MIN, 1), item(LOGICAL_MAX, 0xFF, 2), item(USAGE_MIN, 1)),
            *(item(USAGE_MAX, 0xFF, 2), item(REPORT_SIZE, 16), item(REPORT_COUNT, 3)),
            *(item(INPUT, 0), item(END)),
        )
    )
