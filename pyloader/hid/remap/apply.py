"""Rules in force on a device: attached, replaced while they work, or taken off."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pyloader import libbpf, lock
from pyloader.attached import Attached
from pyloader.btf import Type
from pyloader.catalog import find_hid_extra_keys, find_hid_remapper
from pyloader.errors import Gone, LoadError
from pyloader.hid import attach as programs
from pyloader.hid.detach import detach
from pyloader.hid.device import Device, devices
from pyloader.hid.interfaces import interfaces_of
from pyloader.hid.remap import told
from pyloader.hid.remap.actions import NR_INTERFACES, build_rules
from pyloader.hid.remap.build import build_places
from pyloader.hid.remap.extra import MOST_BYTES
from pyloader.hid.remap.model import Rules
from pyloader.hid.remap.plan import Part, Plan, part_of
from pyloader.hid.tidy import tidy
from pyloader.object import BpfObject

NAME, EXTRA = "remap", "extra_keys"
_RULES, _PLACES, _SECTION = "all_rules", "all_places", ".data.shared"
_SHARED = (_RULES, _PLACES, "locks", _SECTION)
_CURRENT, _BYPASSED, _INTERFACE = "current_tables", "is_bypassed", "interface"
_NR_TABLES = 2
_START = "remap_start"


@dataclass(frozen=True)
class Applied:
    """``replaced``: other rules were in force before, and nobody noticed; ``joined`` are the
    interfaces that the program was attached to, ``extended`` those that keys were added to; ``ns``
    is how long it took from reading the device to the rules being in force."""

    device: Device
    joined: tuple[Device, ...]
    extended: tuple[Device, ...]
    replaced: bool
    ns: int


def apply(planned: Plan) -> Applied:
    """Let the rules count, in place of others that may be in force.

    Raises:
        Gone: the device, or an interface of it, has been unplugged.
        Busy, AttachError, LoadError, NotPermitted: as for any program.
    """
    begun = time.monotonic_ns()
    with lock.writer():
        members = _members(planned.device)
        extended: list[Device] = []
        joined: list[Device] = []
        try:
            for part in planned.parts:
                if part.extra:
                    _extend(part)
                    extended.append(part.device)
            if members:
                _replace(planned, members, joined)
            else:
                _end_others(planned)
                _begin(planned, dict(enumerate(planned.parts)), joined)
        except BaseException:
            _take_off(joined, extended)
            raise
        told.forget_all_but(_loaded())
    ns = time.monotonic_ns() - begun
    return Applied(planned.device, tuple(joined), tuple(extended), bool(members), ns)


def undo(applied: Applied) -> None:
    """What was in force before is again: the other tables, or nothing."""
    with lock.writer():
        if applied.replaced:
            for _, on in _members(applied.device).values():
                current = on.policy_variable(_CURRENT)
                current.value = 1 - int(current.value)
                break
        _take_off(applied.joined, applied.extended)


def end(device: Device) -> list[tuple[Device, str]]:
    """Take rules, and keys that were added for them, off all interfaces of a device; returns what
    was taken off where."""
    with lock.writer():
        all_ = interfaces_of(device)
        return [
            (each, name)
            for program in (NAME, EXTRA)
            for each in all_
            if program in programs.attached(each)
            for name in detach(each, program)
        ]


@dataclass(frozen=True)
class InForce:
    """``is_bypassed``: they do nothing since the panic chord was typed. ``told`` is what they say,
    None if that was not kept."""

    told: told.Told | None
    is_bypassed: bool


def in_force(on: Attached) -> InForce:
    """The rules by which a copy of the program goes that is attached."""
    table = int(on.policy_variable(_CURRENT).value)
    is_bypassed = bool(on.policy_variable(_BYPASSED).value)
    return InForce(told.get(on.map_id(_RULES), table), is_bypassed)


def _loaded() -> set[int]:
    """Ids of the maps of rules of all devices."""
    attached = (programs.attached(device).get(NAME) for device in devices())
    return {on.map_id(_RULES) for on in attached if on}


def _take_off(joined: Sequence[Device], extended: Sequence[Device]) -> None:
    for device in joined:
        detach(device, NAME)
    for device in extended:
        detach(device, EXTRA)


# ---- who is a member


def _members(device: Device) -> dict[int, tuple[Device, Attached]]:
    """The interfaces on which rules are in force, by number; none if they have to begin anew.

    After the panic chord what the program remembers is not true any more. Copies that do not share
    their maps are of different times, as after an interface alone was plugged in anew.
    """
    found: dict[int, tuple[Device, Attached]] = {}
    shared: set[int] = set()
    for each in interfaces_of(device):
        on = programs.attached(each).get(NAME)
        if on is None:
            continue
        if on.policy_variable(_BYPASSED).value:
            return {}
        shared.add(on.map_id(_RULES))
        found[int(on.policy_variable(_INTERFACE).value)] = each, on
    return found if len(shared) == 1 else {}


def _end_others(planned: Plan) -> None:
    """Copies on interfaces that the rules are not about, and whose rules have ended."""
    wanted = {part.device.sysname for part in planned.parts}
    for each in interfaces_of(planned.device):
        if each.sysname not in wanted and NAME in programs.attached(each):
            detach(each, NAME)


def _extend(part: Part) -> None:
    source = find_hid_extra_keys()
    padded = part.extra.ljust(MOST_BYTES, b"\0")
    given = {"nr_appended": len(part.extra), "appended": list(padded)}
    with source.blamed():
        programs.attach(source.open(), part.device, given)


# ---- what is written where


class _Tables:
    """The maps of rules and places. ``maps`` are descriptors, ``types`` those of the values."""

    def __init__(self, maps: Mapping[str, int], types: Mapping[str, Type]) -> None:
        self._maps, self._types = maps, types

    def write(self, table: int, rules: Rules, numbered: Mapping[int, Part]) -> None:
        places = {number: part.places for number, part in numbered.items()}
        self._store(_RULES, table, build_rules(rules, places, self._types[_RULES]))
        for number, part in numbered.items():
            self.write_places(table, rules, number, part)

    def write_places(self, table: int, rules: Rules, number: int, part: Part) -> None:
        made = build_places(rules, part.places, self._types[_PLACES])
        self._store(_PLACES, number * _NR_TABLES + table, made)

    def _store(self, map_: str, key: int, value: bytes) -> None:
        try:
            libbpf.update(self._maps[map_], key.to_bytes(4, sys.byteorder), value)
        except libbpf.CallFailed as error:
            raise LoadError(f"map {map_} of {NAME} cannot be written: {error}") from None


def _begin(planned: Plan, numbered: Mapping[int, Part], joined: list[Device]) -> None:
    """Attach a copy to each interface; all share the maps of the first."""
    rules = planned.rules
    first, *others = numbered

    def fill(loaded: BpfObject) -> None:
        types = {name: loaded.spec.maps[name].value_type for name in (_RULES, _PLACES)}
        _Tables(loaded.map_fds(), types).write(0, rules, numbered)
        told.keep(libbpf.map_info(loaded.map_fds()[_RULES]).id, 0, planned)

    _attach(first, numbered[first], joined, fill=fill)
    if others:
        on = programs.find_attached(numbered[first].device, NAME)
        with on.open_maps(_SHARED) as shared:
            for number in others:
                _attach(number, numbered[number], joined, shared)


def _attach(
    number: int,
    part: Part,
    joined: list[Device],
    shared: Mapping[str, int] | None = None,
    fill: programs.Prepare | None = None,
) -> None:
    source = find_hid_remapper()

    def prepare(loaded: BpfObject) -> None:
        if fill is not None:
            fill(loaded)
        loaded.run(_START)

    given = {"hid_id": part.device.number, _INTERFACE: number}
    with source.blamed():
        programs.attach(source.open(), part.device, given, prepare, shared)
    joined.append(part.device)


def _replace(
    planned: Plan, members: Mapping[int, tuple[Device, Attached]], joined: list[Device]
) -> None:
    """One store lets the others count: a report is treated by the ones or by the others."""
    wanted = {part.device.sysname: part for part in planned.parts}
    numbered = {
        number: wanted.pop(device.sysname, None) or part_of(device)
        for number, (device, _) in members.items()
    }
    free = (number for number in range(NR_INTERFACES) if number not in numbered)
    new = dict(zip(free, wanted.values(), strict=False))
    _, on = next(iter(members.values()))
    current = on.policy_variable(_CURRENT)
    other = 1 - int(current.value)
    types = {name: on.value_type(name) for name in (_RULES, _PLACES)}
    with on.open_maps(_SHARED) as shared:
        tables = _Tables(shared, types)
        tables.write(other, planned.rules, {**numbered, **new})
        for number, part in new.items():
            tables.write_places(1 - other, planned.rules, number, part)
            _attach(number, part, joined, shared)
    told.keep(on.map_id(_RULES), other, planned)
    current.value = other
    # Maps can be written, and the store made, also when nobody reads them any more.
    try:
        for part in planned.parts:
            part.device.require_plugged()
    except Gone:
        tidy()
        raise
