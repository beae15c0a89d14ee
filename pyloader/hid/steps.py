"""The steps that an attach to a HID device and a detach are made of, whoever pins what."""

from __future__ import annotations

import os
import struct
import time

from pyloader import bpffs, libbpf, sysfs
from pyloader.bpffs import Place
from pyloader.errors import AttachError, Busy, ProbeRefused
from pyloader.hid.attachments import Attachment, attachments
from pyloader.hid.device import Device
from pyloader.hid.original import read_stages
from pyloader.object import BpfObject

_PROBE = "probe"
_PROBE_ARGS = struct.Struct("=II4096si")  # hid, rdesc_size, rdesc, retval
_BOUND_S = 5.0


def on(device: Device) -> list[Attachment]:
    """What is attached to the device, by anybody."""
    return [each for each in attachments() if each.number == device.number]


def is_below(attachment: Attachment, path: str) -> bool:
    """Whether it is pinned at a place, whose directory is ``path``."""
    return any(pin.startswith(f"{path}/") for pin in attachment.holder.pins)


def refuse_second_fixup(device: Device, own: str) -> None:
    """Busy if a program rewrites the descriptor, unless it is pinned below ``own``, and so goes."""
    for each in on(device):
        if each.fixes_descriptor and not is_below(each, own):
            raise Busy(
                f"{device.sysname} ({device.name}) has a program that rewrites its report"
                f" descriptor, {each.name}, held by {each.holder.in_words()}, and the kernel takes"
                " one: detach that first"
            )


def descriptor_without(device: Device, own: str) -> bytes:
    """The report descriptor as it will be when what is pinned below ``own`` has gone.

    sysfs has none of a device that no driver has taken yet.
    """
    if not device.rdesc or any(
        each.fixes_descriptor and is_below(each, own) for each in on(device)
    ):
        return read_stages(device).device
    return device.rdesc


def probe(loaded: BpfObject, device: Device, rdesc: bytes) -> None:
    """Ask the program itself, where it has the ``probe`` of udev-hid-bpf.

    Raises:
        ProbeRefused: it says no.
    """
    if _PROBE not in loaded.spec.programs:
        return
    args = bytearray(_PROBE_ARGS.pack(device.number, len(rdesc), rdesc, -1))
    loaded.run(_PROBE, args)
    refused = _PROBE_ARGS.unpack(args)[3]
    if refused:
        raise ProbeRefused(
            f"{loaded.spec.name} itself refuses {device.sysname} ({device.name}): its probe"
            f" returned {refused}"
        )


def wait_bound(device: Device) -> None:
    """Until a driver has the device again: a descriptor that changes makes the kernel ask anew.

    Of a device that no driver had before, nothing is waited for.

    Raises:
        Gone: it has been unplugged.
        AttachError: no driver took it.
    """
    if not device.node.is_bound:
        return
    deadline = time.monotonic() + _BOUND_S
    while time.monotonic() < deadline:
        node = sysfs.hid_device(device.sysname)
        if node is not None and node.is_bound:
            return
        device.require_plugged()
        time.sleep(0.005)
    raise AttachError(
        f"no driver took {device.sysname} ({device.name}) with its new report descriptor"
    )


def take_off_place(place: Place) -> None:
    """The same for one of our places; a program that is pinned to be run before that is run."""
    for pin in place.pins("stop").values():
        fd = place.open(pin)
        try:
            libbpf.run(fd)
        finally:
            os.close(fd)
    take_off(place.link)


def take_off(pin: str) -> None:
    """Unpin a link and detach it; when it returns, no report passes through it."""
    try:
        fd = bpffs.open_pin(pin)
    except FileNotFoundError:
        return
    try:
        os.unlink(pin)  # first: a pin of a link that is dead would look like one that is not
        libbpf.detach_link(fd)
    except libbpf.CallFailed as error:
        raise AttachError(f"{pin} could not be taken off: {error}") from None
    finally:
        os.close(fd)
