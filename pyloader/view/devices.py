"""The HID devices, with the programs and rules on each, looked at again and again."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any

from pyloader import sysfs
from pyloader.attached import Attached
from pyloader.closing import Closing
from pyloader.errors import NotPermitted, ScxhidError
from pyloader.hid import attach, udev_pins, usages
from pyloader.hid.attachments import Attachment, attachments
from pyloader.hid.descriptor import APPLICATION, INPUT
from pyloader.hid.device import Device
from pyloader.hid.device import devices as find_all
from pyloader.hid.items import BadDescriptor
from pyloader.hid.parser import parse
from pyloader.hid.remap.apply import NAME, in_force
from pyloader.hid.remap.explain import Line
from pyloader.libbpf import links

_NOT_ROOT = "only root may see which programs and rules are on devices"
_NOT_KEPT = "what the rules say was not kept: apply their file again"


@dataclass(frozen=True)
class ProgramState:
    """``tool`` pinned it, None if that is not known; ``since`` in s since the epoch, None for those
    of others. ``knobs_changed`` are those that differ from their defaults."""

    name: str
    tool: str | None
    since: float | None
    knobs_changed: Mapping[str, Any]


@dataclass(frozen=True)
class RulesState:
    """Remap rules in force: ``file`` that they came from (absolute), ``path`` as it was named, with
    the line where they are a section of it; ``lines`` in words as they were applied.
    ``is_edited``: the file says something else by now. ``is_bypassed``: the panic chord was typed.
    """

    file: str
    path: str
    lines: tuple[Line, ...]
    scales: tuple[tuple[str, float], ...]
    is_edited: bool
    is_bypassed: bool


@dataclass(frozen=True)
class DeviceState:
    """``kinds`` are the applications of the input reports in words (keyboard, mouse, …).
    ``programs`` is None where they may not be seen; ``missing`` are sentences on what is not told.
    """

    sysname: str
    ids: str
    name: str
    bus: str
    kinds: tuple[str, ...]
    programs: tuple[ProgramState, ...] | None
    rules: RulesState | None
    missing: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        made = asdict(self)
        if self.rules:
            made["rules"]["lines"] = [line._asdict() for line in self.rules.lines]
            made["rules"]["scales"] = dict(self.rules.scales)
        return made


class DevicesReader(Closing):
    """Keeps programs open between looks, for as long as they are attached."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[int, Attached]] = {}
        self._links: list[int] = []
        self._others: list[Attachment] = []

    def read(self) -> tuple[DeviceState, ...] | None:
        """All devices of this moment, in the order in which they came; None where the kernel has
        no HID. Nothing is raised."""
        found = find_all()
        if not found and not sysfs.has_hid():
            return None
        is_root = os.geteuid() == 0
        seen: dict[str, tuple[int, Attached]] = {}
        others = self._read_others() if is_root and found else []
        states = tuple(self._state(device, others, seen, is_root) for device in found)
        for path, (_, on) in self._kept.items():
            if path not in seen:
                on.close()
        self._kept = seen
        return states

    def close(self) -> None:
        """Let go of the programs. Again is no error."""
        for _, on in self._kept.values():
            on.close()
        self._kept = {}

    def _read_others(self) -> list[Attachment]:
        """Who else is attached; asked again only after links have come or gone, for it is dear."""
        now = [link.id for link in links()]
        if now != self._links:
            self._others = [each for each in attachments() if each.tool is None and not each.is_tap]
            self._links = now
        return self._others

    def _state(
        self,
        device: Device,
        others: list[Attachment],
        seen: dict[str, tuple[int, Attached]],
        is_root: bool,
    ) -> DeviceState:
        programs: list[ProgramState] | None = [] if is_root else None
        rules: RulesState | None = None
        missing: list[str] = [] if is_root else [_NOT_ROOT]
        if programs is not None:
            try:
                for name, on in self._ours(device, seen).items():
                    since = on.place.since_ns() / 1e9
                    programs.append(ProgramState(name, "scxhid", since, on.changed_knobs()))
                    if name == NAME:
                        rules = _rules(on, missing)
                pinned = udev_pins.places(device.sysname)
                programs += [ProgramState(name, "udev-hid-bpf", None, {}) for name in pinned]
            except NotPermitted:
                programs, missing = None, [_NOT_ROOT]
            except (ScxhidError, OSError) as error:  # it is being changed at this moment
                missing.append(f"a program on it could not be looked at: {error}")
        if programs is not None:
            programs += [
                ProgramState(each.name, each.tool, None, {})
                for each in others
                if each.number == device.number
            ]
        return DeviceState(
            *(device.sysname, device.ids, device.name, device.bus_name, kinds(device.rdesc)),
            None if programs is None else tuple(programs),
            rules,
            tuple(missing),
        )

    def _ours(self, device: Device, seen: dict[str, tuple[int, Attached]]) -> dict[str, Attached]:
        found: dict[str, Attached] = {}
        for name, on in attach.attached(device).items():
            path, id_ = on.place.path, on.place.ops_id()
            kept = self._kept.get(path)
            seen[path] = kept if kept and kept[0] == id_ else (id_, on)
            found[name] = seen[path][1]
        return found


def devices() -> tuple[DeviceState, ...]:
    """All devices once; who looks again and again keeps a ``DevicesReader``."""
    with DevicesReader() as reader:
        return reader.read() or ()


@lru_cache(maxsize=256)
def kinds(rdesc: bytes) -> tuple[str, ...]:
    """What a device is, by the applications of its input reports: ``keyboard``, ``mouse``, …"""
    try:
        descriptor = parse(rdesc)
    except BadDescriptor:
        return ()
    reports = [report for (kind, _), report in descriptor.reports.items() if kind == INPUT]
    named = [report.application for report in reports if report.application]
    named = named or [c.usage for c in descriptor.collections if c.type == APPLICATION]
    return tuple(dict.fromkeys(usages.in_words(usage).lower() for usage in named))


def _rules(on: Attached, missing: list[str]) -> RulesState | None:
    now = in_force(on)
    if now.told is None:
        missing.append(_NOT_KEPT)
        return None
    told = now.told
    return RulesState(
        *(told.file, told.path, told.lines, told.scales, told.is_edited, now.is_bypassed)
    )
