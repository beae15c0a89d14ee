"""What rules come to on a device: which of its interfaces they are for, and what these lack."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from pyloader.errors import Busy, WrongUse
from pyloader.hid.attachments import attachments
from pyloader.hid.device import Device
from pyloader.hid.items import BadDescriptor
from pyloader.hid.parser import parse
from pyloader.hid.remap.actions import NR_INTERFACES, missing
from pyloader.hid.remap.build import Places, places_of
from pyloader.hid.remap.extra import extra_keys
from pyloader.hid.remap.model import Rules
from pyloader.hid.remap.read import AXES

_PANIC = ("backspace", "esc", "enter")


@dataclass(frozen=True)
class Part:
    """One interface. ``extra`` is appended to its report descriptor, empty where that need not be;
    ``own`` is what it has without that, ``places`` with it."""

    device: Device
    own: Places
    places: Places
    extra: bytes = b""


@dataclass(frozen=True)
class Plan:
    """``parts`` are the interfaces that the rules need, one at least; ``added`` are names of keys
    that none of them can say by itself, ``warnings`` are sentences."""

    rules: Rules
    parts: tuple[Part, ...]
    added: tuple[str, ...]
    warnings: tuple[str, ...]

    @property
    def device(self) -> Device:
        """The interface that stands for the device."""
        return self.parts[0].device


def part_of(device: Device) -> Part:
    """The interface as it is."""
    places = places_of(device.descriptor)
    return Part(device, places, places)


def plan(rules: Rules, interfaces: Sequence[Device]) -> Plan:
    """What is to be done on a device, of which these are interfaces; nothing is touched.

    Raises:
        WrongUse: it has none of the keys, or what the rules press cannot be added.
        Busy: another program rewrites the report descriptor, and keys have to be added.
    """
    all_ = [part for device in interfaces if (part := _readable(device, interfaces[0]))]
    parts = [part for part in all_ if serves(rules, part.own)]
    if not parts:
        raise WrongUse(
            f"{in_words(interfaces[0])} has none of the keys and axes that {rules.path} is about;"
            f" `scxhid hid info {interfaces[0].sysname}` shows what it has"
        )
    for name in missing(rules, [part.own for part in parts]):
        if not any(part.own.says(name) for part in parts):
            parts += [part for part in all_ if part.own.says(name)][:1]
    if len(parts) > NR_INTERFACES:
        raise WrongUse(
            f"{in_words(interfaces[0])} has {len(parts)} interfaces that the rules are about;"
            f" {NR_INTERFACES} is the most"
        )
    warnings = _warnings(rules, parts)
    lacking = missing(rules, [part.own for part in parts])
    if lacking:
        parts = _extended(parts, rules, lacking)
    return Plan(rules, tuple(parts), tuple(lacking), tuple(warnings))


def _readable(device: Device, first: Device) -> Part | None:
    try:
        return part_of(device)
    except BadDescriptor as error:
        if device != first:
            return None
        raise WrongUse(
            f"{in_words(device)} has a report descriptor that the kernel refuses {error}"
        ) from None


def _warnings(rules: Rules, parts: Sequence[Part]) -> list[str]:
    first = in_words(parts[0].device)
    said = [f"{in_words(part.device)}: {why}" for part in parts for why in part.own.left_out]
    said += [
        f"{first} has no {name}: that rule does nothing"
        for name in sorted(rules.sources())
        if not any(part.own.says(name) for part in parts)
    ]
    if not any(all(part.own.says(name) for name in _PANIC) for part in parts):
        said.append(
            f"{first} cannot type the panic chord (backspace, escape and enter): to be rid of the"
            " rules, run `scxhid hid detach`"
        )
    return said


def _extended(parts: Sequence[Part], rules: Rules, lacking: Sequence[str]) -> list[Part]:
    """Of one part more keys: of the first that can be given them."""
    refused: WrongUse | Busy | None = None
    for n, part in enumerate(parts):
        try:
            extra = _addition(part.device, lacking)
        except (WrongUse, Busy) as error:
            refused = refused or error
            continue
        places = places_of(parse(part.device.rdesc + extra))
        found = [*parts[:n], replace(part, places=places, extra=extra), *parts[n + 1 :]]
        still = missing(rules, [each.places for each in found])
        if still:
            raise WrongUse(f"{in_words(part.device)} cannot be given {', '.join(still)}")
        return found
    assert refused is not None
    raise refused


def _addition(device: Device, lacking: Sequence[str]) -> bytes:
    """What is appended to the device's descriptor for keys that it cannot say."""
    for each in attachments():
        if each.number == device.number and each.fixes_descriptor:
            raise Busy(
                f"{in_words(device)} cannot say {', '.join(lacking)}, and cannot be given it,"
                f" since {each.name}, held by {each.holder.in_words()}, rewrites its report"
                " descriptor, and the kernel takes one that does"
            )
    try:
        return extra_keys(device.descriptor)
    except WrongUse as error:
        raise WrongUse(
            f"{in_words(device)} cannot say {', '.join(lacking)}, and cannot be given it: {error}"
        ) from None


def serves(rules: Rules, places: Places) -> bool:
    """Whether there is anything on an interface that the rules are about."""
    usages = {usage for _, each in places.axes for usage in each.usages}
    return any(map(places.says, rules.sources())) or any(
        AXES[name] in usages for name in rules.scales
    )


def in_words(device: Device) -> str:
    """What it is called in sentences."""
    return f"{device.sysname} ({device.name})"
