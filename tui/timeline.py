"""The last minutes: snapshots in order, what was changed between them, and where one looks."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from pyloader.probes.histogram import edges, percentile_of_each
from pyloader.view.snapshot import Snapshot

KEPT_S = 600.0
_MOST = 3000  # of 64 CPUs one takes some 25 kB

#: Rows of the heat map: octaves from a microsecond to a second.
OCTAVES = 20
#: Per cent of the waits on a CPU that are shorter than what is told of it.
WAITED = 90.0
_STARTS = 1e3 * 2.0 ** np.arange(1, OCTAVES)


@dataclass(frozen=True)
class Mark:
    """Something that was changed: another scheduler (``swap``), a knob of it, or whether input goes
    first (``input``)."""

    text: str
    kind: Literal["swap", "knob", "input"]


@dataclass(frozen=True, eq=False)
class Entry:
    """A snapshot, what had been changed since the one before, and what the maps over time draw:
    samples in each octave, shape ``(OCTAVES,)``, and the load of all CPUs, 0 to 1; and how long
    woken tasks waited on each CPU, but for one in ten, ns, shape ``(cpus,)``, NaN if not known."""

    snapshot: Snapshot
    marks: tuple[Mark, ...]
    octaves: NDArray[np.float64]
    load: float
    waited: NDArray[np.float64]


def changes(before: Snapshot, after: Snapshot) -> tuple[Mark, ...]:
    """What was changed between two snapshots: another scheduler, or knobs of the same one; and
    whether input goes first, where both tell."""
    marks: list[Mark] = []
    old, new = before.scheduler, after.scheduler
    if (old.name, old.since) != (new.name, new.since):
        marks.append(Mark(new.title, "swap"))
    else:
        values = {knob.name: knob.value for knob in old.knobs}
        marks += [
            Mark(f"{knob.name}={knob.value}", "knob")
            for knob in new.knobs
            if knob.name in values and values[knob.name] != knob.value
        ]
    was, now = before.input_first, after.input_first
    if was and now and was.is_on != now.is_on:
        marks.append(Mark("input first" if now.is_on else "input first off", "input"))
    return tuple(marks)


class Timeline:
    """Keeps ``KEPT_S`` seconds, and the moment that is shown: the newest one, or one gone by."""

    def __init__(self) -> None:
        self._entries: deque[Entry] = deque()
        self._back: int | None = None
        """How many entries lie after the one that is shown; None: it is the newest, always."""
        self._switches: deque[Entry] = deque()
        """Those at which input first was switched on or off."""

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[Entry]:
        return iter(self._entries)

    @property
    def is_live(self) -> bool:
        return self._back is None

    @property
    def shown(self) -> Entry | None:
        if not self._entries:
            return None
        return self._entries[-1 - (self._back or 0)]

    @property
    def newest(self) -> Entry | None:
        return self._entries[-1] if self._entries else None

    @property
    def switched(self) -> Entry | None:
        """The last moment, up to the one shown, at which input first was switched on or off."""
        shown = self.shown
        until = shown.snapshot.at if shown else 0.0
        return next((each for each in reversed(self._switches) if each.snapshot.at <= until), None)

    @property
    def behind_s(self) -> float:
        """How far the moment shown lies behind the newest one."""
        shown = self.shown
        return self._entries[-1].snapshot.at - shown.snapshot.at if shown else 0.0

    def add(self, snapshot: Snapshot) -> None:
        """Append it, and drop what is older than is kept."""
        last = self._entries[-1].snapshot if self._entries else None
        marks = changes(last, snapshot) if last else ()
        entry = Entry(
            _thin(snapshot), marks, _octaves(snapshot), _load(snapshot), _waited(snapshot)
        )
        self._entries.append(entry)
        if any(mark.kind == "input" for mark in marks):
            self._switches.append(entry)
        if self._back is not None:
            self._back = min(self._back + 1, len(self._entries) - 1)
        while len(self._entries) > _MOST or (
            snapshot.at - self._entries[0].snapshot.at > KEPT_S and len(self._entries) > 1
        ):
            gone = self._entries.popleft()
            if self._switches and self._switches[0] is gone:
                self._switches.popleft()
            if self._back is not None:
                self._back = min(self._back, len(self._entries) - 1)

    def refill(self, snapshots: Iterable[Snapshot]) -> None:
        """Begin anew with these."""
        self._entries.clear()
        self._switches.clear()
        self._back = None
        for each in snapshots:
            self.add(each)

    def jump(self, seconds: float) -> bool:
        """Go back (below 0) or forward by so much time; False if it is not kept that far."""
        shown = self.shown
        if shown is None:
            return False
        wanted = shown.snapshot.at + seconds
        if not self._entries[0].snapshot.at <= wanted <= self._entries[-1].snapshot.at:
            return False
        nearest = min(
            range(len(self._entries)), key=lambda n: abs(self._entries[n].snapshot.at - wanted)
        )
        self._back = len(self._entries) - 1 - nearest
        return True

    def up_to_shown(self, most: int) -> list[Entry]:
        """The entry that is shown and those before it, at most so many, oldest first."""
        end = len(self._entries) - (self._back or 0)
        return [self._entries[n] for n in range(max(0, end - most), end)]

    def before(self, entry: Entry, seconds: float) -> list[Entry]:
        """Those of so many seconds before one that is kept, oldest first."""
        until = entry.snapshot.at
        return [each for each in self._entries if until - seconds <= each.snapshot.at < until]

    def pause(self) -> None:
        """Stay with the moment that is shown."""
        if self._back is None:
            self._back = 0

    def resume(self) -> None:
        """Follow the newest one again."""
        self._back = None

    def step(self, entries: int) -> None:
        """Go back (below 0) or forward by so many; it stays within what is kept."""
        self._back = max(0, min((self._back or 0) - entries, len(self._entries) - 1))

    def to_mark(self, forward: bool) -> bool:
        """Go to the next moment at which something was changed; whether there is one."""
        here = len(self._entries) - 1 - (self._back or 0)
        order = range(here + 1, len(self._entries)) if forward else range(here - 1, -1, -1)
        for n in order:
            if self._entries[n].marks:
                self._back = len(self._entries) - 1 - n
                return True
        return False


def _thin(snapshot: Snapshot) -> Snapshot:
    """Without what nobody is shown of moments gone by: the waits of each CPU by itself."""
    if snapshot.latency is None:
        return snapshot
    return replace(snapshot, waits=snapshot.latency[None, :].astype(np.uint32))


def _octaves(snapshot: Snapshot) -> NDArray[np.float64]:
    if snapshot.latency is None:
        return np.zeros(OCTAVES)
    sums = np.concatenate([[0.0], np.cumsum(snapshot.latency, dtype=np.float64)])
    at = np.interp(_STARTS, edges(), sums)
    return np.diff(np.concatenate([[0.0], at, sums[-1:]]))


def _waited(snapshot: Snapshot) -> NDArray[np.float64]:
    if snapshot.waits is None:
        return np.full(len(snapshot.cpus), np.nan)
    return percentile_of_each(snapshot.waits, WAITED)


def _load(snapshot: Snapshot) -> float:
    busy = snapshot.cpus["busy"]
    told = busy[~np.isnan(busy)]
    return float(told.mean()) if len(told) else float("nan")
