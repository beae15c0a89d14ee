"""HID programs on devices: attach, detach, and what of ours is attached.

An attach, in order, each a step that a killed process may leave behind:

1. the program is loaded for the device and asked whether it fits (nothing has changed);
2. it is pinned beside its place; one of the same name that is attached already is detached;
3. it is attached: it works for as long as this process lives;
4. its link is pinned, and what was pinned takes the program's name.

All of it under the writers' lock. Whoever comes next finishes or drops what an interrupted command
left. Objects of udev-hid-bpf go the same way in ``pyloader.hid.udev``, with other pins.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from pyloader import bpffs, keep, libbpf, lock
from pyloader.attached import Attached
from pyloader.bpffs import Place
from pyloader.errors import AttachError, ScxhidError, UnknownName, WrongUse
from pyloader.hid import places, steps
from pyloader.hid.attachments import FIXUP
from pyloader.hid.device import Device
from pyloader.hid.items import BadDescriptor
from pyloader.hid.tidy import tidied
from pyloader.names import nearest
from pyloader.object import BpfObject, explain_attach
from pyloader.pinning import pins
from pyloader.spec import ObjectSpec

OPS = "hid_bpf_ops"
Prepare = Callable[[BpfObject], None]
_STOP = "_stop"


@dataclass(frozen=True)
class AttachResult:
    """``replaced``: one of the same name was attached before; ``properties``: what an object of
    udev-hid-bpf found out for udev, by name."""

    program: str
    device: str
    load_ns: int
    attach_ns: int
    replaced: bool
    properties: Mapping[str, str] = field(default_factory=dict[str, str])


def attach(
    spec: ObjectSpec,
    device: Device,
    globals_: Mapping[str, Any] | None = None,
    prepare: Prepare | None = None,
    shared: Mapping[str, int] | None = None,
) -> AttachResult:
    """Attach the program to the device, in place of one of the same name.

    ``prepare`` is called with what has been loaded, before it is attached. ``shared`` are maps
    that are used in place of new ones, see ``ObjectSpec.load``. A program ``NAME_stop``
    of the object runs each time before NAME is taken off.

    Raises:
        WrongUse: the device has nothing that the program works on.
        Gone: it has been unplugged.
        Busy: another program rewrites the report descriptor already.
        AttachError: the program or the kernel refuses the device.
        BadObject, VerifierError, LoadError, NotPermitted: as for any object.
    """
    ops = spec.sole_ops(OPS)
    given = {**_places(spec, device), **(globals_ or {})}
    fixes = FIXUP in ops.callbacks
    with lock.writer(), tidied(device):
        place = bpffs.hid_place(device.sysname, spec.name)
        if fixes:
            steps.refuse_second_fixup(device, place.path)
        started = time.monotonic_ns()
        fields = {ops.name: {"hid_id": device.number}}
        with spec.load(given, fields, shared=shared) as loaded:
            steps.probe(loaded, device, steps.descriptor_without(device, place.path))
            if prepare is not None:
                prepare(loaded)
            load_ns = time.monotonic_ns() - started
            upcoming = bpffs.hid_upcoming(device.sysname, spec.name)
            bpffs.make_hid_folder(device.sysname)
            folders = pins(loaded, ops, with_programs=False)
            folders["ops"] = {spec.name: next(iter(folders["ops"].values()))}
            stop = f"{spec.name}{_STOP}"
            folders["stop"] = {k: fd for k, fd in loaded.program_fds().items() if k == stop}
            upcoming.fill(folders)
            keep.keep(upcoming.ops_id(), spec)
            replaced = place.is_attached()
            began = time.monotonic_ns()
            try:
                if replaced:
                    steps.take_off_place(place)
                link = loaded.attach(ops.name)
                if fixes:
                    steps.wait_bound(device)
                upcoming.pin_link(link.fd)
            except BaseException as error:
                upcoming.clear()
                loaded.detach()
                if replaced:
                    _put_back(place, spec.name, error)
                raise
            upcoming.move_to(place)
        return AttachResult(
            spec.name, device.sysname, load_ns, time.monotonic_ns() - began, replaced
        )


def attached(device: Device) -> dict[str, Attached]:
    """What of ours is attached to a device, by name."""
    return {
        name: Attached(place)
        for name, place in bpffs.hid_places(device.sysname).items()
        if place.is_attached() and place.ops_name()
    }


def find_attached(device: Device, program: str) -> Attached:
    """One of them; UnknownName if it is not attached."""
    all_ = attached(device)
    if program not in all_:
        hint = f"on {device.sysname} are {', '.join(all_) or 'none of ours'}"
        raise UnknownName("attached program", program, nearest(program, all_), hint)
    return all_[program]


def set_knobs(device: Device, program: str, texts: Mapping[str, str]) -> dict[str, tuple[Any, Any]]:
    """Turn knobs of a program on a device; returns their values before and after, by name.

    All are checked before any is touched. Live ones change at once; load-time ones together, by
    attaching a fresh copy of the same object, which keeps the others.
    """
    on = find_attached(device, program)
    wanted = on.parse_values(texts)
    changed = {name: (on.variables[name].value, value) for name, value in wanted.items()}
    if all(on.variables[name].section.writable for name in wanted):
        with lock.writer():
            for name, value in wanted.items():
                on.variables[name].value = value
    else:
        spec = keep.get(on.place.ops_id(), program)
        attach(spec, device, {**on.constants(), **on.knob_values(), **wanted})
    return changed


def _places(spec: ObjectSpec, device: Device) -> dict[str, list[int]]:
    if not spec.places:
        return {}
    try:
        filled = places.fill(spec.places, device.descriptor)
    except BadDescriptor as error:
        raise AttachError(
            f"{device.sysname} ({device.name}) has a report descriptor that the kernel refuses"
            f" {error}, so nothing can be attached to it"
        ) from None
    reports = {name for name, place in spec.places.items() if place.is_report}
    lacks = ""
    if not any(any(words) for name, words in filled.items() if name not in reports):
        lacks = "nothing"
    elif not all(any(filled[name]) for name in reports):
        lacks = "no report of up to 64 bytes with anything"
    if lacks:
        names = ", ".join(name for name in spec.places if name not in reports)
        raise WrongUse(
            f"{device.sysname} ({device.name}) has {lacks} that {spec.name} works on ({names});"
            f" `scxhid hid info {device.sysname}` shows what it has"
        )
    return filled


def _put_back(place: Place, name: str, error: BaseException) -> None:
    """Attach again what was taken off for one that failed, and say so in the error."""
    fd = place.open_ops()
    try:
        link = libbpf.link_struct_ops(fd)
        try:
            place.pin_link(link)
        finally:
            os.close(link)
    except libbpf.CallFailed as failed:
        why = explain_attach(name, failed)
        raise ScxhidError(f"{error}; {name} from before could not be put back: {why}") from None
    finally:
        os.close(fd)
    if isinstance(error, ScxhidError):
        with suppress(TypeError):
            raise type(error)(f"{error}; {name} from before was put back") from None
