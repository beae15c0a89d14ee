"""What each object of udev-hid-bpf is for: reports, and what becomes of them with it and without.

``replays.toml`` says it for each; its head tells the form.
"""

from __future__ import annotations

import itertools
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from pyloader.hid.parser import parse
from tests.guest.evdev import EV_KEY, Event, Events, named
from tests.guest.hid import Plugged

_PATH = Path(__file__).with_name("replays.toml")
_AUTOREPEAT = 2


@dataclass(frozen=True)
class Step:
    """A report, and the events that it becomes without the object and when it is attached."""

    report: bytes
    without: str
    attached: str


@dataclass(frozen=True)
class Replay:
    """One object's. ``declared`` are the logical ranges of usages by their names, without it and
    when it is attached; ``also`` are those of other interfaces of the device; ``unseen`` is why
    there are no steps, if there are none. ``since`` is the number from which on objects do it."""

    descriptor: bytes
    steps: tuple[Step, ...]
    declared: dict[str, tuple[tuple[int, int], tuple[int, int]]]
    name: str
    has_driver: bool
    also: tuple[Replay, ...]
    since: str
    unseen: str

    @property
    def without(self) -> list[str]:
        return [step.without for step in self.steps]

    @property
    def attached(self) -> list[str]:
        return [step.attached for step in self.steps]


@cache
def replays() -> dict[str, Replay]:
    """All, by the object's name without its number."""
    return {name: _replay(said) for name, said in tomllib.loads(_PATH.read_text()).items()}


def of(name: str) -> Replay:
    """The one of an object, whose name has its number in front."""
    return replays()[name.partition("-")[2]]


def others(name: str) -> list[Replay]:
    """Those of other interfaces of its device."""
    return [other for other in of(name).also if name >= other.since]


def played(plugged: Plugged, replay: Replay) -> list[str]:
    """Let the device send each report; the events that came of each."""
    plugged.settle()
    became: list[str] = []
    with Events(plugged) as events:
        for step in replay.steps:
            plugged.uhid.send(step.report)
            became.append(_words(events.read_named(), replay.name))
    return became


def _words(came: Iterable[tuple[str, Event]], hid_name: str) -> str:
    """As in the file; a key that repeats by itself, on a slow machine, is left out."""
    parts: list[str] = []
    for device, group in itertools.groupby(came, key=lambda each: each[0]):
        events = [e for _, e in group if (e.type, e.value) != (EV_KEY, _AUTOREPEAT)]
        if events:
            rest = device.removeprefix(hid_name).strip()
            parts.append(f"{rest}: " * bool(rest) + ", ".join(map(named, events)))
    return "; ".join(parts)


def _replay(said: dict[str, Any]) -> Replay:
    descriptor = _bytes(said["descriptor"])
    return Replay(
        descriptor,
        tuple(
            Step(_whole(_bytes(report), descriptor), without, attached)
            for report, without, attached in said.get("steps", ())
        ),
        {
            usage: (tuple(without), tuple(attached))
            for usage, without, attached in said.get("declared", ())
        },
        said.get("name", "A device"),
        not said.get("no_driver", False),
        tuple(_replay(each) for each in said.get("also", ())),
        said.get("since", ""),
        said.get("unseen", ""),
    )


def _whole(report: bytes, descriptor: bytes) -> bytes:
    """The report, filled up with zeros to the length that the descriptor declares."""
    declared = parse(descriptor)
    return report.ljust(declared.size_bytes(declared.reports["input", report[0]]), b"\0")


def _bytes(text: str) -> bytes:
    """Of words in hexadecimal, each with ``*N`` behind it if it comes N times."""
    parts = (word.partition("*") for word in text.split())
    return b"".join(bytes.fromhex(digits) * int(times or 1) for digits, _, times in parts)
