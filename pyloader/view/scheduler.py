"""Which scheduler runs, with its knobs and what it counts, looked at again and again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyloader import bpffs, sysfs
from pyloader.attached import Attached
from pyloader.closing import Closing
from pyloader.errors import NotPermitted, ScxhidError
from pyloader.probes.events import rates
from pyloader.running import current, since_ns

#: Of ``SchedulerState.mode``, as users read it.
MODES = {
    "hosted": "hosted by scxhid",
    "direct": "attached by scxhid",
    "foreign": "not attached by scxhid",
    "hidden": "only root can see whose",
    "none": "",
    "unsupported": "this kernel has no sched_ext",
}


@dataclass(frozen=True)
class KnobState:
    """A knob and where it stands. ``live``: it changes without a swap."""

    name: str
    value: Any
    default: Any
    minimum: Any
    maximum: Any
    unit: str
    doc: str
    live: bool

    @property
    def is_changed(self) -> bool:
        return bool(self.value != self.default)


@dataclass(frozen=True)
class CounterState:
    """Something that the scheduler counts, over all CPUs; ``rate`` is a second's, None at first."""

    name: str
    doc: str
    total: int
    rate: float | None


@dataclass(frozen=True)
class SchedulerState:
    """``name`` is None while the kernel's own runs. ``since``: s since the epoch, 0 if not told."""

    name: str | None = None
    mode: str = "none"
    since: float = 0.0
    previous: str | None = None
    about: str = ""
    knobs: tuple[KnobState, ...] = ()
    counters: tuple[CounterState, ...] = ()
    events: Mapping[str, float] | None = None
    """The kernel's own counters of it, as rates."""

    @property
    def title(self) -> str:
        return self.name or "the kernel's own"

    def knob(self, name: str) -> KnobState | None:
        return next((knob for knob in self.knobs if knob.name == name), None)


class SchedulerReader(Closing):
    """Keeps what runs open between looks, for as long as it runs."""

    def __init__(self) -> None:
        self._attached: Attached | None = None
        self._id = 0
        self._since = 0.0
        self._before: tuple[NDArray[np.uint64], float] | None = None
        self._events: tuple[dict[str, int], float] | None = None

    def read(self, now: float) -> SchedulerState:
        """Of this moment; ``now`` in s, of any clock that only goes forward."""
        found = sysfs.read()
        if not found.is_supported:
            return SchedulerState(mode="unsupported")
        if found.state == "disabled" or not found.ops:
            self._forget()
            return SchedulerState(previous=_previous())
        events = self._event_rates(now)
        try:
            return self._ours(now, events) or SchedulerState(found.ops, "foreign", events=events)
        except NotPermitted:
            return SchedulerState(found.ops, "hidden", events=events)
        except (ScxhidError, FileNotFoundError):  # it is being swapped at this moment
            self._forget()
            return SchedulerState(found.ops, "hidden", events=events)

    @property
    def running(self) -> Attached | None:
        """The one of ours that ran at the last look: the same object for as long as it runs."""
        return self._attached

    def close(self) -> None:
        self._forget()

    def _forget(self) -> None:
        if self._attached:
            self._attached.close()
        self._attached, self._id, self._before, self._events = None, 0, None, None

    def _ours(self, now: float, events: Mapping[str, float] | None) -> SchedulerState | None:
        running = current()
        if running is None:
            self._forget()
            return None
        id_ = running.place.ops_id()
        if self._attached is None or id_ != self._id:
            self._forget()
            self._attached, self._id = running, id_
            self._since = since_ns(running) / 1e9
        kept = self._attached
        values = kept.knob_values()
        return SchedulerState(
            kept.name,
            "hosted" if kept.is_hosted else "direct",
            self._since,
            _previous(),
            kept.about.what,
            tuple(
                KnobState(
                    k.name,
                    values[k.name],
                    k.default,
                    k.minimum,
                    k.maximum,
                    k.unit,
                    k.doc,
                    not k.at_load,
                )
                for k in kept.knobs.values()
            ),
            self._counters(kept, now),
            events,
        )

    def _counters(self, kept: Attached, now: float) -> tuple[CounterState, ...]:
        if not kept.stats:
            return ()
        totals = kept.read_stats().sum(axis=1)
        before, self._before = self._before, (totals, now)
        rates: list[float | None] = [None] * len(totals)
        if before and now > before[1]:
            rates = [*((totals - before[0]).astype(np.float64) / (now - before[1])).tolist()]
        return tuple(
            CounterState(stat.name, stat.doc, int(total), rate)
            for stat, total, rate in zip(kept.stats.values(), totals, rates, strict=True)
        )

    def _event_rates(self, now: float) -> Mapping[str, float] | None:
        counts = sysfs.events()
        before, self._events = self._events, (counts, now)
        return rates(before[0], counts, now - before[1]) if before else None


def _previous() -> str | None:
    try:
        return bpffs.previous().ops_name()
    except (ScxhidError, OSError):
        return None
