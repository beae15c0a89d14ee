"""Report descriptors that no device should have: no harm done, and taken as the kernel takes them.

Of a fixed seed, so that a failure can be had again. ``test_hid_devices.py`` compares field by
field what is made of descriptors that are nearly right.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any
from unittest import mock

import pytest

from pyloader.errors import LoadError
from pyloader.hid.items import BadDescriptor
from pyloader.hid.parser import parse
from tests.guest.command import done
from tests.guest.hid import Plugged
from tests.hid_descriptors import (
    COLLECTION,
    END,
    FEATURE,
    INPUT,
    KEYBOARD,
    LOGICAL_MAX,
    LOGICAL_MIN,
    MOUSE,
    OUTPUT,
    REPORT_COUNT,
    REPORT_ID,
    REPORT_SIZE,
    USAGE,
    USAGE_MAX,
    USAGE_MIN,
    USAGE_PAGE,
    item,
    nkro,
    stick,
    touchpad,
)

SEED = 4
MOST = 4096  # bytes over uhid
REAL = (KEYBOARD, MOUSE, touchpad(), nkro(3), stick(10, 0, 1023, 3))
HEAD = item(USAGE_PAGE, 1) + item(USAGE, 6) + item(COLLECTION, 1)
VALUES = item(LOGICAL_MIN, 0) + item(LOGICAL_MAX, 1)


def noise() -> Iterator[bytes]:
    chance = random.Random(SEED)
    for size in (1, 2, 3, 64, *[MOST] * 3):
        yield chance.randbytes(size)
    for size in (64, MOST):
        yield bytes(size)  # padding, to the kernel
        yield b"\xff" * size
        yield b"\xfe" * size  # long items


def truncated() -> Iterator[bytes]:
    chance = random.Random(SEED)
    for real in REAL:
        for cut in sorted(chance.sample(range(1, len(real)), 5)):
            yield real[:cut]


def damaged() -> Iterator[bytes]:
    chance = random.Random(SEED)
    for real in REAL:
        for _ in range(4):
            data = bytearray(real)
            for _ in range(chance.randint(1, 3)):
                data[chance.randrange(len(data))] = chance.randrange(256)
            yield bytes(data)


def overflowing() -> Iterator[bytes]:
    """Sizes and counts whose product, or sum, is more than 32 bits hold, or than a report has."""
    for size, count in (
        *((1, 0xFFFFFFFF), (8, 0x20000001), (32, 0x08000001), (256, 0x01000001)),
        *((0xFFFFFFFF, 1), (0xFFFFFFFF, 0xFFFFFFFF), (257, 1), (256, 128), (1, 0x80000000)),
        *((8, 4095), (8, 4096), (1, 12288), (1, 12289), (32, 1024)),
    ):
        sized = item(REPORT_SIZE, size, 4) + item(REPORT_COUNT, count, 4)
        for kind in (INPUT, FEATURE):
            yield HEAD + VALUES + sized + item(USAGE, 4) + item(kind, 2) + item(END)
    many = item(REPORT_SIZE, 255) + item(REPORT_COUNT, 60) + (item(USAGE, 4) + item(OUTPUT, 2)) * 40
    yield HEAD + VALUES + many + item(END)
    wide = item(USAGE_MIN, 0, 4) + item(USAGE_MAX, 0xFFFFFFFF, 4)
    yield (
        HEAD
        + VALUES
        + item(REPORT_SIZE, 1)
        + item(REPORT_COUNT, 8)
        + wide
        + item(INPUT, 2)
        + item(END)
    )
    yield HEAD + (item(USAGE, 4) * 300 + item(INPUT, 2)) + item(END)


def empty() -> Iterator[bytes]:
    """Fields of no bits, reports of none, and none at all."""
    for size, count in ((0, 8), (8, 0), (0, 0)):
        sized = item(REPORT_SIZE, size) + item(REPORT_COUNT, count)
        for usages in (b"", item(USAGE, 4), item(USAGE_MIN, 4) + item(USAGE_MAX, 9)):
            for flags in (0, 2, 3):
                yield HEAD + VALUES + sized + usages + item(INPUT, flags) + item(END)
    yield HEAD + item(END)
    yield HEAD + item(REPORT_ID, 1) + item(END)
    yield HEAD + item(REPORT_ID, 0) + item(END)
    yield HEAD + item(REPORT_ID, 256, 2) + item(END)


def nested() -> Iterator[bytes]:
    inside = VALUES + item(REPORT_SIZE, 1) + item(REPORT_COUNT, 8) + item(USAGE, 4) + item(INPUT, 2)
    deep = item(COLLECTION, 0) * 1000
    for closed in (1001, 1000):
        yield HEAD + deep + inside + item(END) * closed
    yield item(COLLECTION, 1) * 1365 + item(END) * 1365
    yield (item(COLLECTION, 1) + item(END)) * 1365
    yield item(COLLECTION, 1) * 2048


def unreadable(*_: object) -> Any:
    """In place of loading a program each time, which is most of what `hid info` takes."""
    raise LoadError("not asked")


@pytest.mark.parametrize(
    "made",
    [
        pytest.param(noise, marks=pytest.mark.slow),
        pytest.param(truncated, marks=pytest.mark.slow),
        damaged,
        overflowing,
        pytest.param(empty, marks=pytest.mark.slow),
        nested,
    ],
)
def test_none_does_harm_and_the_kernel_takes_the_same(made: Any) -> None:
    differs: list[str] = []
    for number, data in enumerate(made()):
        try:
            parse(data, max_buffer=MOST)
            ours = True
        except BadDescriptor:
            ours = False
        with Plugged(f"{made.__name__} {number}", data) as plugged:
            bound = plugged.is_bound(0.3 if ours else 0.02)
            if bound != ours:
                differs.append(f"{number} ({'taken' if bound else 'refused'}): {data.hex()[:300]}")
            looked_at(plugged, in_all_ways=number % 8 == 0)
    assert not differs


def looked_at(plugged: Plugged, in_all_ways: bool) -> None:
    with mock.patch("pyloader.hid.original.read_stages", unreadable):
        assert done("hid", "info", plugged.sysname).out.startswith(plugged.sysname)
    if in_all_ways:
        done("hid", "info", plugged.sysname, "--items")
        assert done("hid", "info", plugged.sysname, "--json").json["device"] == plugged.sysname
        rows = done("hid", "list", "--json").json["devices"]
        assert plugged.sysname in [row["device"] for row in rows]
