"""Rules in force on a device: attached, or replaced while they work."""

from __future__ import annotations

import fnmatch
import time
from collections.abc import Sequence
from dataclasses import dataclass

from pyloader import lock
from pyloader.attached import Attached
from pyloader.catalog import find_hid_extra_keys, find_hid_remapper
from pyloader.errors import Busy, WrongUse
from pyloader.hid import attach as programs
from pyloader.hid.attachments import attachments
from pyloader.hid.detach import detach
from pyloader.hid.device import Device, devices, find_device
from pyloader.hid.items import BadDescriptor
from pyloader.hid.parser import parse
from pyloader.hid.remap import build
from pyloader.hid.remap.extra import MOST_BYTES, extra_keys
from pyloader.hid.remap.model import Match, Rules
from pyloader.hid.remap.read import AXES
from pyloader.object import BpfObject

NAME, EXTRA = "remap", "extra_keys"
_TABLES, _CURRENT, _BYPASSED = "tables", "current_tables", "is_bypassed"


@dataclass(frozen=True)
class Plan:
    """What rules come to on a device. ``extra`` is appended to its report descriptor, empty where
    that need not be; ``own`` is without it, ``places`` with it. ``warnings`` are sentences."""

    rules: Rules
    device: Device
    own: build.Places
    places: build.Places
    extra: bytes
    added: tuple[str, ...]
    warnings: tuple[str, ...]


@dataclass(frozen=True)
class Applied:
    """``replaced``: other rules were in force before, and nobody noticed; ``ns`` how long it took
    from reading the device to the rules being in force."""

    device: str
    replaced: bool
    added_keys: bool
    ns: int


def meant(rules: Rules, text: str | None) -> Device:
    """The device: the one that ``text`` names, or the only one that the file is for.

    Raises:
        UnknownName, WrongUse: there is none, or there are several.
    """
    if text is not None:
        return find_device(text)
    found = [device for device in devices() if _matches(rules.device, device)]
    if rules.device == Match() or rules.device == Match(name="*"):
        found = [device for device in found if _has_something(rules, device)]
    if len(found) == 1:
        return found[0]
    if not found:
        raise WrongUse(
            f"{rules.path} is for no device that is there; `scxhid hid list` shows all, and"
            " --device names one"
        )
    several = ", ".join(f"{device.sysname} ({device.name})" for device in found)
    raise WrongUse(
        f"{rules.path} is for {len(found)} devices that are there: {several}; --device names one"
    )


def plan(rules: Rules, device: Device) -> Plan:
    """What is to be done; nothing is touched.

    Raises:
        WrongUse: the device has none of the keys, or what the rules press cannot be added.
    """
    try:
        descriptor = device.descriptor
    except BadDescriptor as error:
        raise WrongUse(
            f"{_in_words(device)} has a report descriptor that the kernel refuses {error}"
        ) from None
    places = own = build.places_of(descriptor)
    if not _serves(rules, places):
        raise WrongUse(
            f"{_in_words(device)} has none of the keys and axes that {rules.path} is about;"
            f" `scxhid hid info {device.sysname}` shows what it has"
        )
    warnings = [f"{_in_words(device)}: {said}" for said in places.left_out]
    warnings += [
        f"{_in_words(device)} has no {name}: that rule does nothing"
        for name in sorted(rules.sources())
        if not places.says(name)
    ]
    if not all(places.says(name) for name in ("backspace", "esc", "enter")):
        warnings.append(
            f"{_in_words(device)} cannot type the panic chord (backspace, escape and enter): to be"
            " rid of the rules, run `scxhid hid detach`"
        )
    lacking = build.missing(rules, places)
    extra = b""
    if lacking:
        extra = _addition(device, lacking)
        places = build.places_of(parse(device.rdesc + extra))
        still = build.missing(rules, places)
        if still:
            raise WrongUse(f"{_in_words(device)} cannot be given {', '.join(still)}")
    return Plan(rules, device, own, places, extra, tuple(lacking), tuple(warnings))


def apply(planned: Plan) -> Applied:
    """Let the rules count, in place of others that may be in force.

    Raises:
        Busy: another program rewrites the report descriptor, and keys have to be added.
        AttachError, LoadError, NotPermitted: as for any program.
    """
    device = planned.device
    begun = time.monotonic_ns()
    if planned.extra:
        source = find_hid_extra_keys()
        padded = planned.extra.ljust(MOST_BYTES, b"\0")
        given = {"nr_appended": len(planned.extra), "appended": list(padded)}
        with source.blamed():
            programs.attach(source.open(), device, given)
    on = programs.attached(device).get(NAME)
    # After the panic chord what it remembers is not true any more: then a fresh copy is attached.
    if on is not None and not on.policy_variable(_BYPASSED).value:
        _replace(on, planned)
        return Applied(device.sysname, True, bool(planned.extra), time.monotonic_ns() - begun)
    source = find_hid_remapper()

    def fill(loaded: BpfObject) -> None:
        tables = loaded.maps[_TABLES]
        tables.update(0, build.build(planned.rules, planned.places, tables.value_dtype)[0])

    with source.blamed():
        programs.attach(source.open(), device, {"hid_id": device.number}, prepare=fill)
    return Applied(device.sysname, False, bool(planned.extra), time.monotonic_ns() - begun)


def undo(applied: Applied, device: Device) -> None:
    """What was in force before is again: the other table, or nothing."""
    if not applied.replaced:
        detach(device, NAME)
        if applied.added_keys:
            detach(device, EXTRA)
        return
    on = programs.find_attached(device, NAME)
    with lock.writer():
        current = on.policy_variable(_CURRENT)
        current.value = 1 - int(current.value)


def _replace(on: Attached, planned: Plan) -> None:
    tables = on.maps[_TABLES]
    made = build.build(planned.rules, planned.places, tables.value_dtype)
    with lock.writer():
        current = on.policy_variable(_CURRENT)
        other = 1 - int(current.value)
        tables.update(other, made[0])
        current.value = other  # one store: a report is treated by the one or by the other


def _addition(device: Device, lacking: Sequence[str]) -> bytes:
    """What is appended to the device's descriptor for keys that it cannot say."""
    for each in attachments():
        if each.number == device.number and each.fixes_descriptor:
            raise Busy(
                f"{_in_words(device)} cannot say {', '.join(lacking)}, and cannot be given it,"
                f" since {each.name}, held by {each.holder.in_words()}, rewrites its report"
                " descriptor, and the kernel takes one that does"
            )
    try:
        return extra_keys(device.descriptor)
    except WrongUse as error:
        raise WrongUse(
            f"{_in_words(device)} cannot say {', '.join(lacking)}, and cannot be given it: {error}"
        ) from None


def _matches(match: Match, device: Device) -> bool:
    return (
        (match.name is None or fnmatch.fnmatchcase(device.name.lower(), match.name.lower()))
        and match.vendor in (None, device.vendor)
        and match.product in (None, device.product)
        and match.bus in (None, device.bus)
    )


def _serves(rules: Rules, places: build.Places) -> bool:
    usages = {usage for _, each in places.axes for usage in each.usages}
    return any(map(places.says, rules.sources())) or any(
        AXES[name] in usages for name in rules.scales
    )


def _has_something(rules: Rules, device: Device) -> bool:
    try:
        return _serves(rules, build.places_of(device.descriptor))
    except BadDescriptor:
        return False


def _in_words(device: Device) -> str:
    return f"{device.sysname} ({device.name})"
