"""HID programs on devices: attach, detach, and what of ours is attached.

An attach, in order, each a step that a killed process may leave behind:

1. the program is loaded for the device and asked whether it fits (nothing has changed);
2. it is pinned beside its place; one of the same name that is attached already is detached;
3. it is attached: it works for as long as this process lives;
4. its link is pinned, and what was pinned takes the program's name.

All of it under the writers' lock. Whoever comes next finishes or drops what an interrupted command
left.
"""

from __future__ import annotations

import os
import struct
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from pyloader import bpffs, keep, libbpf, lock, sysfs, values
from pyloader.attached import Attached
from pyloader.bpffs import Place
from pyloader.errors import AttachError, Busy, Gone, ScxhidError, UnknownName, WrongUse
from pyloader.hid import places
from pyloader.hid.attachments import Attachment, attachments
from pyloader.hid.device import Device
from pyloader.hid.items import BadDescriptor
from pyloader.names import nearest
from pyloader.object import BpfObject, explain_attach
from pyloader.spec import ObjectSpec
from pyloader.swap.standby import pins

OPS = "hid_bpf_ops"
_FIXUP = "hid_rdesc_fixup"
_PROBE = "probe"
_PROBE_ARGS = struct.Struct("=II4096si")  # hid, rdesc_size, rdesc, retval
_BOUND_S = 5.0


@dataclass(frozen=True)
class AttachResult:
    """``replaced``: one of the same name was attached before."""

    program: str
    device: str
    load_ns: int
    attach_ns: int
    replaced: bool


def attach(
    spec: ObjectSpec, device: Device, globals_: Mapping[str, Any] | None = None
) -> AttachResult:
    """Attach the program to the device, in place of one of the same name.

    Raises:
        WrongUse: the device has nothing that the program works on.
        Busy: another program rewrites the report descriptor already.
        AttachError: the program or the kernel refuses the device.
        BadObject, VerifierError, LoadError, NotPermitted: as for any object.
    """
    ops = spec.sole_ops(OPS)
    given = {**_places(spec, device), **(globals_ or {})}
    with lock.writer():
        tidy()
        place = bpffs.hid_place(device.sysname, spec.name)
        if _FIXUP in ops.callbacks:
            _refuse_second_fixup(device, place)
        started = time.monotonic_ns()
        with spec.load(given, {ops.name: {"hid_id": device.number}}) as loaded:
            _probe(loaded, device)
            load_ns = time.monotonic_ns() - started
            upcoming = bpffs.hid_upcoming(device.sysname, spec.name)
            bpffs.make_hid_folder(device.sysname)
            folders = pins(loaded, ops, with_programs=False)
            folders["ops"] = {spec.name: next(iter(folders["ops"].values()))}
            upcoming.fill(folders)
            keep.keep(upcoming.ops_id(), spec)
            replaced = place.is_attached()
            began = time.monotonic_ns()
            try:
                if replaced:
                    _take_off(place)
                link = loaded.attach(ops.name)
                if _FIXUP in ops.callbacks:
                    wait_bound(device)
                upcoming.pin_link(link.fd)
            except BaseException as error:
                upcoming.clear()
                if replaced:
                    _put_back(place, spec.name, error)
                raise
            upcoming.move_to(place)
        return AttachResult(
            spec.name, device.sysname, load_ns, time.monotonic_ns() - began, replaced
        )


def detach(device: Device, program: str | None = None) -> list[str]:
    """Take the program off, or all of ours; returns the names of those that were on.

    Raises:
        UnknownName: that one is not attached.
    """
    with lock.writer():
        tidy()
        ours = bpffs.hid_places(device.sysname)
        if program is not None and program not in ours:
            hint = f"on {device.sysname} are {', '.join(ours) or 'none of ours'}"
            raise UnknownName("attached program", program, nearest(program, ours), hint)
        names = list(ours) if program is None else [program]
        for name in names:
            fixes = any(a.fixes_descriptor for a in _of(device) if _is_at(a, ours[name]))
            _take_off(ours[name])
            ours[name].clear()
            if fixes:
                wait_bound(device)
        tidy()
    return names


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
    wanted: dict[str, Any] = {}
    for name, text in texts.items():
        var, knob = on.variable(name), on.knobs.get(name)
        wanted[name] = knob.parse(text) if knob else values.parse(var.type, text, name)
        values.encode(var.type, wanted[name], name)
    changed = {name: (on.variables[name].value, value) for name, value in wanted.items()}
    if all(on.variables[name].section.writable for name in wanted):
        with lock.writer():
            for name, value in wanted.items():
                on.variables[name].value = value
    else:
        spec = keep.get(on.place.ops_id(), program)
        attach(spec, device, {**on.constants(), **on.knob_values(), **wanted})
    return changed


def tidy() -> None:
    """Drop what an interrupted command left, and the pins of devices that are gone."""
    present = sysfs.hid_devices()
    for folder in bpffs.hid_folders():
        owner = next((name for name in present if bpffs.is_folder_of(folder, name)), None)
        if owner is None:
            bpffs.clear_hid_folder(folder)
            continue
        for name, place in bpffs.hid_left_behind(owner).items():
            if place.is_attached():
                place.move_to(bpffs.hid_place(owner, name))
            else:
                place.clear()
        for place in bpffs.hid_places(owner).values():
            if not place.is_attached():
                place.clear()
        if not bpffs.hid_places(owner):
            bpffs.clear_hid_folder(folder)


def wait_bound(device: Device) -> None:
    """Until a driver has the device again: a descriptor that changes makes the kernel ask anew.

    Raises:
        Gone: it has been unplugged.
        AttachError: no driver took it.
    """
    deadline = time.monotonic() + _BOUND_S
    while time.monotonic() < deadline:
        node = sysfs.hid_device(device.sysname)
        if node is None:
            raise Gone(f"{device.sysname} ({device.name}) has been unplugged")
        if node.is_bound:
            return
        time.sleep(0.005)
    raise AttachError(
        f"no driver took {device.sysname} ({device.name}) with its new report descriptor"
    )


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
    if not any(any(words) for words in filled.values()):
        raise WrongUse(
            f"{device.sysname} ({device.name}) has nothing that {spec.name} works on"
            f" ({', '.join(spec.places)}); `scxhid hid info {device.sysname}` shows what it has"
        )
    return filled


def _refuse_second_fixup(device: Device, place: Place) -> None:
    for each in _of(device):
        if each.fixes_descriptor and not _is_at(each, place):
            raise Busy(
                f"{device.sysname} ({device.name}) has a program that rewrites its report"
                f" descriptor, {each.name}, held by {each.holder.in_words()}, and the kernel takes"
                " one: detach that first"
            )


def _of(device: Device) -> list[Attachment]:
    return [each for each in attachments() if each.number == device.number]


def _is_at(attachment: Attachment, place: Place) -> bool:
    return place.link in attachment.holder.pins


def _probe(loaded: BpfObject, device: Device) -> None:
    """Ask the program itself, where it has the ``probe`` of udev-hid-bpf."""
    if _PROBE not in loaded.spec.programs:
        return
    rdesc = device.rdesc
    args = bytearray(_PROBE_ARGS.pack(device.number, len(rdesc), rdesc, -1))
    loaded.run(_PROBE, args)
    refused = _PROBE_ARGS.unpack(args)[3]
    if refused:
        raise AttachError(
            f"{loaded.spec.name} itself refuses {device.sysname} ({device.name}): its probe"
            f" returned {refused}"
        )


def _take_off(place: Place) -> None:
    """Detach; when it returns, no report passes through it."""
    try:
        fd = place.open(place.link)
    except FileNotFoundError:
        return
    try:
        place.unpin_link()  # first: a pin of a link that is dead would look like one that is not
        libbpf.detach_link(fd)
    except libbpf.CallFailed as error:
        raise AttachError(f"{place.path} could not be taken off: {error}") from None
    finally:
        os.close(fd)


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
