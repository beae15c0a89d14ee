"""Objects of udev-hid-bpf as they are: which they are, attached the way that tool does it.

An attach goes as in ``pyloader.hid.attach``; the pins are that tool's (``udev_pins``), and all
``hid_bpf_ops`` of the object are attached, or none.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from pyloader import libbpf, lock, sysfs
from pyloader.btf import Array
from pyloader.errors import AttachError, BadObject, BadValue, ScxhidError, UnknownName, WrongUse
from pyloader.hid import described, matches, renamed, steps, udev_pins
from pyloader.hid.attach import OPS, AttachResult
from pyloader.hid.attachments import FIXUP
from pyloader.hid.device import Device
from pyloader.hid.items import BadDescriptor
from pyloader.hid.parser import parse
from pyloader.hid.tidy import tidied, tidy
from pyloader.hid.udev_pins import UdevPlace
from pyloader.names import nearest
from pyloader.object import BpfObject, explain_attach
from pyloader.spec import ObjectSpec, OpsSpec

PROPERTY = "UDEV_PROP_"
_BEFORE_STRUCT_OPS = "fmod_ret/hid_bpf_"


def is_one(spec: ObjectSpec) -> bool:
    """Whether it is an object of that kind: it names devices, or is of the form before them."""
    return matches.read(spec) is not None or is_of_old_form(spec)


def is_of_old_form(spec: ObjectSpec) -> bool:
    """Whether it is for kernels before 6.11, which had no ``hid_bpf_ops``."""
    return not spec.ops and any(
        program.section.startswith(_BEFORE_STRUCT_OPS) for program in spec.programs.values()
    )


def made_ops(spec: ObjectSpec) -> list[OpsSpec]:
    """Its ``hid_bpf_ops`` that are attached: those of ``?.struct_ops`` if there are no others."""
    return [
        ops
        for ops in spec.ops.values()
        if ops.kind == OPS and (not ops.is_optional or spec.is_wanted(ops.name))
    ]


def inputs(spec: ObjectSpec) -> list[str]:
    """Properties of the device that it reads, without ``UDEV_PROP_``."""
    return [
        name.removeprefix(PROPERTY)
        for name, variable in spec.variables.items()
        if name.startswith(PROPERTY) and isinstance(variable.type, Array) and variable.type.is_text
    ]


def outputs(spec: ObjectSpec) -> list[str]:
    """Properties that its ``probe`` finds out."""
    return [name.removeprefix(PROPERTY) for name in spec.maps if name.startswith(PROPERTY)]


def require_usable(spec: ObjectSpec) -> None:
    """BadObject if there is nothing in it that this kernel could attach."""
    if is_of_old_form(spec):
        raise BadObject(
            f"{spec.name} is of the form for Linux before 6.11 (fmod_ret programs), which no later"
            " kernel takes; udev-hid-bpf has the same with a higher number in front for those"
        )
    if others := sorted({ops.kind for ops in spec.ops.values()} - {OPS}):
        raise BadObject(f"{spec.name} names HID devices and has {', '.join(others)}")
    if not made_ops(spec) and not outputs(spec):
        raise BadObject(f"{spec.name} has no {OPS} and finds out nothing for udev")


def require_match(spec: ObjectSpec, device: Device) -> None:
    """WrongUse unless the device is one of those that it names."""
    entries = matches.read(spec) or ()
    if entries and not any(entry.fits(device) for entry in entries):
        words = " and ".join(entry.in_words() for entry in entries)
        own = matches.Match(device.bus, device.group, device.vendor, device.product)
        raise WrongUse(
            f"{spec.name} is for {words}, and {device.sysname} ({device.name}) is"
            f" {own.in_words()}; --force attaches it all the same"
        )


def attach(
    spec: ObjectSpec,
    device: Device,
    globals_: Mapping[str, Any] | None = None,
    properties: Mapping[str, str] | None = None,
    force: bool = False,
) -> AttachResult:
    """Attach all that is in the object, in place of the same object or another version of it.

    ``properties`` go before those that udev knows of the device. With ``force`` its list of devices
    does not count; what its ``probe`` says does.

    Raises:
        WrongUse: it is for other devices.
        ProbeRefused: the program itself refuses the device.
        Gone: it has been unplugged.
        Busy, AttachError, BadObject, VerifierError, LoadError, NotPermitted: as for our own.
    """
    require_usable(spec)
    if not force:
        require_match(spec, device)
    given = {**_properties(spec, device, properties or {}), **(globals_ or {})}
    ops = made_ops(spec)
    with lock.writer(), tidied(device):
        old = udev_pins.version_of(device.sysname, spec.name)
        replaced = udev_pins.place(device.sysname, old or spec.name)
        if any(FIXUP in each.callbacks for each in ops):
            steps.refuse_second_fixup(device, replaced.path)
        started = time.monotonic_ns()
        fields = {each.name: {"hid_id": device.number} for each in ops}
        with spec.load(given, fields) as loaded:
            rdesc = steps.descriptor_without(device, replaced.path)
            _describe(loaded, device, rdesc)
            steps.probe(loaded, device, rdesc)
            load_ns = time.monotonic_ns() - started
            found = _found_out(loaded)
            udev_pins.make_stage()
            udev_pins.upcoming().fill(_maps(loaded))
            group = udev_pins.group_of(spec.name)
            renamed.remember(device, group)
            began = time.monotonic_ns()
            _attach(loaded, ops, device, replaced)
            renamed.forget_if_same(device, group)
            done_ns = time.monotonic_ns() - began
        tidy()
    return AttachResult(spec.name, device.sysname, load_ns, done_ns, old is not None, found)


def _attach(loaded: BpfObject, ops: list[OpsSpec], device: Device, old: UdevPlace) -> None:
    """What cannot be looked at beforehand; on failure all is as it was."""
    upcoming, outgoing = udev_pins.upcoming(), udev_pins.outgoing()
    replaced = old.exists()
    before: dict[str, int] = {}
    try:
        if replaced:
            old.move_to(outgoing)
            _off(outgoing, before)
        for each in ops:
            upcoming.pin(each.name, loaded.attach(each.name).fd)
        steps.wait_bound(device)
        upcoming.move_to(udev_pins.place(device.sysname, loaded.spec.name))
    except BaseException as error:
        if not replaced:
            renamed.undo(device, udev_pins.group_of(loaded.spec.name))
        upcoming.clear()
        loaded.detach()
        if replaced:
            _put_back(outgoing, before, old, error)
        with suppress(ScxhidError):
            steps.wait_bound(device)
        raise
    finally:
        for fd in before.values():
            os.close(fd)
    outgoing.clear()


def _off(place: UdevPlace, maps: dict[str, int]) -> None:
    """Detach what a place holds; ``maps`` gets descriptors of the struct_ops maps, by link."""
    for name, fd in place.links().items():
        try:
            maps[name] = libbpf.map_by_id(libbpf.link_info(fd).map_id)
        finally:
            os.close(fd)
        steps.take_off(place.pins()[name])


def _put_back(
    outgoing: UdevPlace, maps: Mapping[str, int], old: UdevPlace, error: BaseException
) -> None:
    try:
        for ops, map_fd in maps.items():
            link = libbpf.link_struct_ops(map_fd)
            try:
                outgoing.pin(ops, link)
            finally:
                os.close(link)
    except libbpf.CallFailed as failed:
        why = explain_attach(old.name, failed)
        raise ScxhidError(f"{error}; {old.name} from before could not be put back: {why}") from None
    outgoing.move_to(old)


def _maps(loaded: BpfObject) -> dict[str, int]:
    """Those of the object's maps that are pinned: data sections and the ops themselves are not."""
    return {
        name: fd
        for name, fd in loaded.map_fds().items()
        if "." not in name and name not in loaded.spec.ops
    }


def _properties(spec: ObjectSpec, device: Device, given: Mapping[str, str]) -> dict[str, str]:
    """Values of the globals that take properties."""
    taken = inputs(spec)
    for name in given:
        if name not in taken:
            hint = f"{spec.name} reads {', '.join(taken) or 'none'}"
            raise UnknownName("property", name, nearest(name, taken), hint)
    known = sysfs.udev_properties(device.sysname) if taken else {}
    values = {name: known[name] for name in taken if name in known}
    found: dict[str, str] = {}
    for name, value in {**values, **given}.items():
        room = spec.variables[PROPERTY + name].type.size - 1
        if len(value.encode()) <= room:
            found[PROPERTY + name] = value
        elif name in given:
            raise BadValue(f"{spec.name} has room for {room} bytes of {name}, not more")
    return found


def _describe(loaded: BpfObject, device: Device, rdesc: bytes) -> None:
    """Fill the global that takes the device's report descriptor, where there is one."""
    variable = loaded.spec.variables.get(described.NAME)
    if variable is None or not described.is_wanted(variable):
        return
    section = loaded.sections.get(variable.section)
    if section is None:
        raise AttachError(
            f"{loaded.spec.name} keeps {described.NAME} where the kernel lets nobody write"
        )
    memory = section.memory[variable.offset : variable.offset + variable.type.size]
    try:
        described.fill(memory, variable.type, parse(rdesc))
    except BadDescriptor as error:
        raise AttachError(
            f"{device.sysname} ({device.name}) has a report descriptor that the kernel refuses"
            f" {error}, and {loaded.spec.name} asks for it"
        ) from None


def _found_out(loaded: BpfObject) -> dict[str, str]:
    """What the probe wrote into maps for udev, by name of the property."""
    found: dict[str, str] = {}
    fds = loaded.map_fds()
    for name in outputs(loaded.spec):
        said = property_in(fds[PROPERTY + name])
        if said:
            found[name] = said
    return found


def published(device: Device) -> dict[str, str]:
    """What the objects on a device have found out for udev, whoever attached them."""
    found: dict[str, str] = {}
    for place in udev_pins.places(device.sysname).values():
        if not any(name.startswith(PROPERTY) for name in place.pins()):
            continue
        for name, fd in place.maps().items():
            if name.startswith(PROPERTY) and (said := property_in(fd)):
                found[name.removeprefix(PROPERTY)] = said
            os.close(fd)
    return found


def property_in(map_fd: int) -> str:
    """The text in such a map; empty if there is none, or it holds control characters."""
    info = libbpf.map_info(map_fd)
    value = bytearray(info.value_size)
    if info.key_size != 4 or not libbpf.lookup(map_fd, bytes(4), value):
        return ""
    text = bytes(value).split(b"\0", 1)[0].decode(errors="replace")
    return text if text.isprintable() else ""
