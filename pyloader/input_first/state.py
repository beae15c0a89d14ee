"""Whether input first is on, and what it was told and has counted. Reads only."""

from __future__ import annotations

from dataclasses import dataclass

from pyloader import bpffs
from pyloader.attached import Attached
from pyloader.errors import Gone
from pyloader.input_first.models import Model, named

NAME = "input first"
_CHOICES = (None, True, False)  # enum choice of devices.h


@dataclass(frozen=True)
class SeenDevice:
    """A device that has sent something, or of which the user has said something. ``choice``: True
    or False if the user said whether it counts. ``events`` are reports that woke somebody."""

    model: Model
    name: str
    choice: bool | None
    counts: bool
    reports: int
    events: int


def is_on() -> bool:
    """Whether it is. NotPermitted where only root may look."""
    return bpffs.input_mark().exists()


def since_ns() -> int | None:
    """Since when, ns since the epoch; None if it is off."""
    return bpffs.input_mark().made_ns()


def opened() -> Attached | None:
    """Its knobs, counters and maps; None if it is off."""
    return Attached(bpffs.input_mark(), NAME) if is_on() else None


def require_on() -> Attached:
    """The same; Gone if it is off."""
    running = opened()
    if running is None:
        raise Gone("input first is off; `scxhid input on` switches it on")
    return running


def seen_devices(running: Attached) -> list[SeenDevice]:
    """Those with the most reports first."""
    names = named()
    others = bool(running.policy_variable("others_count").value)
    devices = running.maps["devices"]
    records = devices.read()
    found: list[SeenDevice] = []
    for key, record in zip(devices.keys().tolist(), records, strict=True):
        model, choice = Model.of_key(key), _CHOICES[int(record["choice"])]
        counts = others if choice is None else choice
        sums = int(record["reports"]), int(record["events"])
        found.append(SeenDevice(model, names.get(model, "unplugged"), choice, counts, *sums))
    return sorted(found, key=lambda each: (-each.reports, each.model))
