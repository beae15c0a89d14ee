"""Switching input first on and off, and turning its knobs.

It is on while the place ``input/mark`` is pinned: the programs are attached first, then all that
belongs to them is pinned under another name, which becomes that one by a single rename. Whoever is
killed before leaves nothing that is on, and what it left goes with the next change.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pyloader import bpffs, lock
from pyloader.attached import Attached
from pyloader.catalog import find_input_mark
from pyloader.errors import Unsupported, WrongUse
from pyloader.input_first import marks, state
from pyloader.input_first.models import Model, find_all
from pyloader.object import BpfObject
from pyloader.pinning import data_pins
from pyloader.probes.symbols import functions
from pyloader.running import require_sched_ext
from pyloader.spec import ObjectSpec

Tell = Callable[[str], None]

#: What each program watches, in the order in which they are attached: ends before beginnings.
ALWAYS = ("switches", "wakes")
WATCHED = {
    "evdev_ends": "evdev_events",
    "evdev_begins": "evdev_events",
    "hid_ends": "hid_report_raw_event",
    "hid_begins": "hid_report_raw_event",
}
_CHOSEN_IN, _CHOSEN_OUT = 1, 2  # enum choice of devices.h


def on(
    knobs: Mapping[str, str] | None = None,
    only: Sequence[str] = (),
    without: Sequence[str] = (),
    everything: bool = False,
    tell: Tell | None = None,
) -> bool:
    """Let whoever is woken by input go first, under schedulers that look. False if it was on
    already: then knobs and devices that are given are changed, and the others stay as they are.

    ``knobs`` is what the user typed, by name. ``only``: the devices that count, and no others;
    ``without``: those that do not; ``everything``: all do again.

    Raises:
        Unsupported: this kernel has not what it takes; the sentence names it.
        NotPermitted, VerifierError, LoadError, AttachError, CompileError.
        UnknownName, BadValue, WrongUse: nothing was changed.
    """
    if (only and without) or (everything and (only or without)):
        raise WrongUse(
            "devices are named either as the only ones that count or as those that do not"
        )
    chosen = dict.fromkeys(find_all(only), _CHOSEN_IN)
    chosen |= dict.fromkeys(find_all(without), _CHOSEN_OUT)
    source = find_input_mark()
    spec = source.open()
    values = spec.parse_values(knobs or {})
    require_sched_ext()
    with lock.writer(on_wait=tell):
        running = state.opened()
        if running is None:
            bpffs.make_input_folder()
            bpffs.clear_input_folder()
            bpffs.make_input_folder()
            with source.blamed():
                running = attach(spec, values, tell)
            is_new = True
        else:
            for name, value in values.items():
                running.variables[name].value = value
            is_new = False
        try:
            if chosen or everything:
                _choose(running, chosen, others_count=not only)
        finally:
            running.close()
    return is_new


def off(tell: Tell | None = None) -> bool:
    """Take it off; marks that are left are over at once. False if it was off."""
    with lock.writer(on_wait=tell):
        was_on = state.is_on()
        bpffs.clear_input_folder()
    return was_on


def set_knobs(texts: Mapping[str, str], tell: Tell | None = None) -> dict[str, tuple[Any, Any]]:
    """Turn knobs while it is on: old and new value by name. All are checked before any is touched.

    Raises Gone if it is off; UnknownName, BadValue.
    """
    with lock.writer(on_wait=tell):
        running = state.require_on()
        try:
            wanted = running.parse_values(texts)
            changed = {name: (running.variables[name].value, v) for name, v in wanted.items()}
            for name, value in wanted.items():
                running.variables[name].value = value
        finally:
            running.close()
    return changed


def attach(spec: ObjectSpec, values: Mapping[str, Any], tell: Tell | None) -> Attached:
    """Attach what this kernel has a place for, and pin it. The caller holds the writers' lock."""
    there = functions(set(WATCHED.values()))
    if "evdev_events" not in there:
        raise Unsupported(
            "this kernel has no function evdev_events, where input first sees who is woken by"
            " input; `modprobe evdev` loads it where it is a module"
        )
    if "hid_report_raw_event" not in there and tell:
        tell(
            "this kernel has no function hid_report_raw_event (`modprobe hid` loads it where it"
            " is a module): readers of evdev go first, readers of hidraw do not"
        )
    absent = [program for program, where in WATCHED.items() if where not in there]
    with marks.shared(spec) as maps, spec.load(values, shared=maps, without=absent) as loaded:
        links = _links(loaded, [*ALWAYS, *(p for p in WATCHED if p not in absent)])
        upcoming, place = bpffs.input_mark_upcoming(), bpffs.input_mark()
        upcoming.fill({**data_pins(loaded), "links": links})
        upcoming.move_to(place)
    return Attached(place, state.NAME)


def _links(loaded: BpfObject, programs: Sequence[str]) -> dict[str, int]:
    return {program: loaded.attach(program).fd for program in programs}


def _choose(running: Attached, chosen: Mapping[Model, int], others_count: bool) -> None:
    """Who counts from now on. What the user said of others before is forgotten."""
    devices = running.maps["devices"]
    records = devices.read().copy()
    before = {int(key): record for key, record in zip(devices.keys(), records, strict=True)}
    wanted = {model.key: choice for model, choice in chosen.items()}
    running.policy_variable("others_count").value = int(others_count)
    for key in before.keys() | wanted.keys():
        record = before.get(key)
        counts = (int(record["reports"]), int(record["events"])) if record is not None else (0, 0)
        devices.update(key, (wanted.get(key, 0), *counts))
