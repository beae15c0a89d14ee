"""What is attached to HID devices, by anybody: every link in the kernel is asked."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass, replace
from functools import cache

from pyloader import bpffs, foreign, libbpf
from pyloader.errors import NotPermitted
from pyloader.hid import udev_pins

_OPS = "hid_bpf_ops"
_VALUE_TYPE = f"bpf_struct_ops_{_OPS}"
_EVENT = "hid_device_event"
FIXUP = "hid_rdesc_fixup"
#: Of a recording that is under way (hid/tap): no program that changes anything, and never pinned.
TAPS = ("tap_before", "tap_after")
_RECORDING = "recording"


@dataclass(frozen=True)
class Attachment:
    """One ``hid_bpf_ops`` on a device. ``number`` is that of the device, ``ops`` the name of the
    struct_ops map (the kernel keeps 15 characters), ``name`` that of the program or object by which
    it is detached, where the pin tells it (``recording`` for the taps of one that is under way),
    ``callbacks`` what it has, ``holder`` whoever keeps it.
    ``tool`` is the one that pinned it, None if that is not known."""

    number: int
    name: str
    ops: str
    callbacks: tuple[str, ...]
    tool: str | None
    holder: foreign.Holder

    @property
    def fixes_descriptor(self) -> bool:
        """Whether it rewrites the report descriptor: a device takes one that does."""
        return FIXUP in self.callbacks

    @property
    def is_tap(self) -> bool:
        """Whether it only watches, for a recording of reports before and after the programs."""
        return self.ops in TAPS and not self.holder.pins


def attachments() -> list[Attachment]:
    """All of them, in the order in which they were attached.

    Raises:
        NotPermitted: only root may ask for links that others hold.
    """
    if os.geteuid():
        raise NotPermitted("only root may see which programs are attached to devices")
    layout = _layout()
    if not layout:
        return []
    found: list[Attachment] = []
    pins: dict[int, list[str]] | None = None
    for link in libbpf.links():
        if link.type != foreign.LINK_TYPE_STRUCT_OPS or not link.map_id:
            continue
        said = _said(link.map_id, layout)
        if not said:
            continue
        if pins is None:
            pins = {}
            for path, id_ in bpffs.pinned_links():
                pins.setdefault(id_, []).append(path)
        paths = tuple(pins.get(link.id, ()))
        tools = [tool for path in paths if (tool := bpffs.tool_of(path))]
        tool = tools[0] if tools else None
        number, ops, callbacks = said
        name = next(filter(None, map(_program_of, paths)), ops)
        holder = foreign.holder_of(link.id, paths)
        one = Attachment(number, name, ops, callbacks, tool, holder)
        found.append(replace(one, name=_RECORDING, tool="scxhid") if one.is_tap else one)
    return found


def attached_since(link_id: int, number: int) -> tuple[int, list[str]]:
    """Who has come to see the reports of a device since the link with that id, taps left out.

    The id of the newest link of all, to go on from, and the names of the ops.
    """
    found: list[str] = []
    layout = _layout()
    for link in libbpf.links(link_id):
        link_id = link.id
        if not layout or link.type != foreign.LINK_TYPE_STRUCT_OPS or not link.map_id:
            continue
        said = _said(link.map_id, layout)
        if said and said[0] == number and _EVENT in said[2] and said[1] not in TAPS:
            found.append(said[1])
    return link_id, found


def _program_of(pin: str) -> str | None:
    return bpffs.hid_program_of(pin) or udev_pins.program_of(pin)


@dataclass(frozen=True)
class _Layout:
    """Where things lie in the kernel's value of such a map, in bytes."""

    value_type: int
    hid_id: int
    callbacks: tuple[tuple[str, int], ...]


@cache
def _layout() -> _Layout | None:
    """From the kernel's BTF; None if it has no HID-BPF."""
    kernel = libbpf.Btf.of_kernel()
    value, ops = kernel.find(_VALUE_TYPE), kernel.find(_OPS)
    if value is None or ops is None:
        return None
    data = next(bits // 8 for name, _, bits in _members(kernel, value) if name == "data")
    members = {name: data + bits // 8 for name, _, bits in _members(kernel, ops)}
    callbacks = tuple((name, at) for name, at in members.items() if name.startswith("hid_"))
    return _Layout(value, members["hid_id"], tuple(c for c in callbacks if c[0] != "hid_id"))


def _members(kernel: libbpf.Btf, type_id: int) -> tuple[tuple[str, int, int], ...]:
    return kernel.type(type_id).extra  # name, type, offset in bits


def _said(map_id: int, layout: _Layout) -> tuple[int, str, tuple[str, ...]] | None:
    """Number of the device, name and callbacks of a struct_ops map, if it is one for HID."""
    try:
        fd = libbpf.map_by_id(map_id)
    except OSError:  # gone meanwhile
        return None
    try:
        info = libbpf.map_info(fd)
        if info.btf_vmlinux_value_type_id != layout.value_type:
            return None
        value = bytearray(info.value_size)
        libbpf.lookup(fd, bytes(4), value)
    finally:
        os.close(fd)

    def word(at: int, size: int) -> int:
        return int.from_bytes(value[at : at + size], sys.byteorder)

    # In place of the pointers stand the ids of the programs.
    present = tuple(name for name, at in layout.callbacks if word(at, 8))
    return word(layout.hid_id, 4), info.name, present
