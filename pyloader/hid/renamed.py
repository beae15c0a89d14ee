"""Names that a fixup gave to a device, undone when it goes.

The kernel keeps a device's names (its own, ``phys``, ``uniq``) in its ``hid_device``, and what a
program writes there stays. So they are read before an attach, and where the attach changed them,
those from before are kept in a file until the detach, as long as the machine is up.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from pyloader.catalog import find_hid_names
from pyloader.errors import ScxhidError
from pyloader.hid.device import Device
from pyloader.hid.items import BadDescriptor
from pyloader.object import BpfObject
from pyloader.places import run_dir

_ARGS = struct.Struct("=III")  # hid, type of a report, its id
_TYPES = {"input": 0, "output": 1, "feature": 2}
_OPS = "names_ops"


def names(device: Device) -> bytes | None:
    """What it is called, as the kernel keeps it; None where that cannot be asked."""
    try:
        with find_hid_names().open().load() as program:
            return _read(program, device)
    except ScxhidError:
        return None


def remember(device: Device, program: str) -> None:
    """Keep the names from before an attach until ``undo``; what is kept already is older."""
    path = _path(device, program)
    before = None if path.exists() else names(device)
    if before is not None:
        with suppress(OSError):
            path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
            path.write_bytes(before)


def forget_if_same(device: Device, program: str) -> None:
    """After an attach: nothing is to be undone if it changed no name."""
    path = _path(device, program)
    with suppress(OSError):
        if path.read_bytes() == names(device):
            path.unlink()


def undo(device: Device, program: str) -> None:
    """Give the device the names from before ``program``, where they are known and it took them."""
    path = _path(device, program)
    try:
        before = path.read_bytes()
    except OSError:
        return
    with suppress(ScxhidError):
        _write(device, before)
    forget_if_same(device, program)


def tidy(present: Sequence[str]) -> None:
    """Drop what is kept of devices that are gone."""
    folder = run_dir() / "hid-names"
    with suppress(OSError):
        for path in folder.iterdir():
            if path.name.partition("+")[0] not in present:
                path.unlink()


def _write(device: Device, before: bytes) -> None:
    report = _any_report(device)
    if report is None:
        return
    fields = {_OPS: {"hid_id": device.number}}
    with find_hid_names().open().load(fields=fields) as program:
        variable = program.spec.variable("names")
        at = variable.offset
        program.sections[variable.section].memory[at : at + variable.type.size] = before
        program.attach(_OPS)
        program.run("write_names", bytearray(_ARGS.pack(device.number, *report)))


def _read(program: BpfObject, device: Device) -> bytes | None:
    if program.run("read_names", bytearray(_ARGS.pack(device.number, 0, 0))):
        return None
    variable = program.spec.variable("names")
    memory, at = program.sections[variable.section].memory, variable.offset
    return bytes(memory[at : at + variable.type.size])


def _any_report(device: Device) -> tuple[int, int] | None:
    """Type and id of a report that it has: the kernel lets only such be asked for."""
    try:
        reports = device.descriptor.reports
    except BadDescriptor:
        return None
    return next(((_TYPES[kind], id_) for kind, id_ in reports), None)


def _path(device: Device, program: str) -> Path:
    return run_dir() / "hid-names" / f"{device.sysname}+{os.path.basename(program)}"
