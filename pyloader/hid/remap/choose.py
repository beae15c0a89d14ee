"""Which devices that are there the rules of a file are for."""

from __future__ import annotations

import fnmatch
from collections.abc import Sequence
from typing import NamedTuple

from pyloader.errors import WrongUse
from pyloader.hid.device import Device, devices, find_devices, require_hid, several
from pyloader.hid.interfaces import grouped, interfaces_of
from pyloader.hid.items import BadDescriptor
from pyloader.hid.parser import parse
from pyloader.hid.remap.build import Places, places_of
from pyloader.hid.remap.compose import Composed
from pyloader.hid.remap.extra import without_extra
from pyloader.hid.remap.model import Match, Rules
from pyloader.hid.remap.plan import in_words, serves


class Chosen(NamedTuple):
    """The interfaces of one device, first that which stands for it; the rules of the file that are
    for it, and those of them that it has a use for."""

    section: Rules
    interfaces: list[Device]

    @property
    def rules(self) -> Rules:
        """Without those for all devices whose keys this one has not: for them no key is added."""
        found = [places for each in self.interfaces if (places := _own_places(each))]
        absent = [n for n in self.section.optional if not any(p.says(n) for p in found)]
        return self.section.without(absent)


def chosen(composed: Composed, text: str | None) -> list[Chosen]:
    """The devices that the file is for, one at least; of a plain file only one. With ``text`` the
    device that it names.

    Raises:
        UnknownName, WrongUse: there is none, there are several, or no rules are for it.
        Unsupported: this kernel has no HID.
    """
    all_ = devices()
    if not all_:
        require_hid()
    if text is not None:
        found = find_devices(text, all_ or None)
        groups = grouped(found)
        if len(groups) > 1:
            raise several(text, [group[0] for group in groups])
        interfaces = _whole(found, all_)
        return [Chosen(_rules_for(composed, interfaces), interfaces)]
    if composed.is_plain:
        return [_only_one(composed.sections[0], all_)]
    found_ = [
        each
        for group in grouped(all_)
        if (each := _first(composed, group)) and not each.section.leave_alone
    ]
    if not found_:
        raise _for_none(composed.path)
    return found_


def unused(composed: Composed, used: Sequence[Chosen]) -> list[str]:
    """The sections with rules that no device was found for, as file and line."""
    taken = [each.section for each in used]
    return [
        rules.path
        for rules in composed.sections
        if not rules.leave_alone and not any(rules is each for each in taken)
    ]


def left_alone(composed: Composed) -> list[Chosen]:
    """The devices that sections say are to be left alone."""
    found = [_first(composed, group) for group in grouped(devices())]
    return [each for each in found if each and each.section.leave_alone]


def _only_one(rules: Rules, all_: Sequence[Device]) -> Chosen:
    found = [device for device in all_ if _matches(rules.device, device)]
    if rules.device in (Match(), Match(name="*")):
        found = [device for device in found if _has_something(rules, device)]
    groups = grouped(found)
    if not groups:
        raise _for_none(rules.path)
    if len(groups) > 1:
        names = ", ".join(in_words(group[0]) for group in groups)
        raise WrongUse(
            f"{rules.path} is for {len(groups)} devices that are there: {names}; --device names one"
        )
    return Chosen(rules, _whole(found, all_))


def _for_none(path: str) -> WrongUse:
    return WrongUse(
        f"{path} is for no device that is there; `scxhid hid list` shows all, and --device names"
        " one"
    )


def _whole(found: list[Device], all_: Sequence[Device]) -> list[Device]:
    """All interfaces of the device that these are some of."""
    return found + [each for each in interfaces_of(found[0], all_) if each not in found]


def _rules_for(composed: Composed, interfaces: list[Device]) -> Rules:
    """Those for a device that was named: if it has none of their keys, the plan will say so."""
    if composed.is_plain:
        return composed.sections[0]
    if best := _first(composed, interfaces):
        if best.section.leave_alone:
            raise WrongUse(
                f"{best.section.path} says that {in_words(interfaces[0])} is to be left alone"
            )
        return best.section
    matching = [r for r in composed.sections if any(_matches(r.device, d) for d in interfaces)]
    rules = next(iter(matching), composed.default)
    if rules is None:
        raise WrongUse(
            f"{composed.path} has no section for {in_words(interfaces[0])}, and no [default]"
        )
    return rules


def _first(composed: Composed, group: list[Device]) -> Chosen | None:
    """The first rules that match a device and find a key or an axis of theirs there; or leave it
    alone."""
    default = () if composed.default is None else (composed.default,)
    for rules in (*composed.sections, *default):
        matching = [device for device in group if _matches(rules.device, device)]
        if not matching:
            continue
        if rules.leave_alone or any(_has_something(rules, device) for device in group):
            return Chosen(rules, _whole(matching, group))
    return None


def _matches(match: Match, device: Device) -> bool:
    return (
        (match.name is None or fnmatch.fnmatchcase(device.name.lower(), match.name.lower()))
        and match.vendor in (None, device.vendor)
        and match.product in (None, device.product)
        and match.bus in (None, device.bus)
    )


def _has_something(rules: Rules, device: Device) -> bool:
    places = _own_places(device)
    return places is not None and serves(rules, places)


def _own_places(device: Device) -> Places | None:
    """By itself: what was added for other rules is no reason to take these."""
    try:
        return places_of(parse(without_extra(device.rdesc)))
    except BadDescriptor:
        return None
