"""The objects of Debian's package udev-hid-bpf, and for each a device that it is for."""

from __future__ import annotations

import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pyloader import ObjectSpec
from pyloader.hid import matches
from tests.guest import replays
from tests.guest.command import done
from tests.guest.hid import Plugged
from tests.guest.replays import Replay
from vm import fixups
from vm.guest_tests import FIXUPS_VARIABLE

ROOT = Path(os.environ.get(FIXUPS_VARIABLE) or "/absent")

#: The kernel gives every tablet of Wacom a group of its own, and the object names another.
WRONG_GROUP = "0010-Wacom__ArtPen"

#: Where the tool pins, and where ``hid attach`` prepares what it will pin there.
PINS = Path("/sys/fs/bpf/hid")
STAGE = Path("/sys/fs/bpf/scxhid/hid-udev")

_IGNORE_DRIVERS = Path("/sys/module/hid/parameters/ignore_special_drivers")


def objects() -> list[Path]:
    """All of the package, in the order of their names."""
    return sorted(fixups.objects(ROOT).glob("*.bpf.o"))


def with_ops() -> list[str]:
    """The names of those that attach something."""
    if not ROOT.is_dir():
        return []
    specs = ((path, ObjectSpec.open(path)) for path in objects())
    return [path.name.removesuffix(".bpf.o") for path, spec in specs if spec.ops]


def path_of(name: str) -> Path:
    """One of them by its name."""
    return fixups.objects(ROOT) / f"{name}.bpf.o"


def tool() -> list[str]:
    """The words that start the package's own program."""
    return fixups.program(ROOT)


@contextmanager
def plug(name: str, replay: Replay | None = None) -> Generator[Plugged]:
    """A device that the object ``name`` is for, and that its probe accepts; or another of its
    interfaces."""
    entry = (matches.read(ObjectSpec.open(path_of(name))) or ())[0]
    replay = replay or replays.of(name)
    if not replay.has_driver:
        _IGNORE_DRIVERS.write_text("1")
    try:
        with Plugged(
            replay.name,
            replay.descriptor,
            bus=entry.bus or 3,
            vendor=entry.vendor or 0x1209,
            product=entry.product or 1,
        ) as plugged:
            yield plugged
    finally:
        if not replay.has_driver:
            _IGNORE_DRIVERS.write_text("0")


def attach(what: str, plugged: Plugged, *words: str) -> Any:
    """``hid attach``, which must succeed; what it says."""
    return done("hid", "attach", what, "--device", plugged.sysname, *words, "--json").json


def pins(plugged: Plugged) -> dict[str, set[str]]:
    """What is pinned for a device in the tool's form: names by directory."""
    folder = PINS / plugged.sysname.replace(":", "_").replace(".", "_")
    if not folder.exists():
        return {}
    return {each.name: {pin.name for pin in each.iterdir()} for each in folder.iterdir()}
