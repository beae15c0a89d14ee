"""Which devices an object of udev-hid-bpf is for, as its BTF says.

The object has a variable ``_device_ids`` in the section ``.hid_bpf_config``: a union with one
struct for each device. Nothing of it is in bytes: a member such as ``vid`` is a pointer to an
array, and the array's length is the number that is meant. 0 means any.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from pyloader.btf import (
    KIND_ARRAY,
    KIND_DATASEC,
    KIND_PTR,
    KIND_STRUCT,
    KIND_UNION,
    KIND_VAR,
    MAX_DEPTH,
    MODIFIERS,
)
from pyloader.errors import BadObject
from pyloader.hid.device import BUSES, Device
from pyloader.libbpf import Btf, CallFailed, Object, RawType
from pyloader.spec import ObjectSpec

_SECTION = ".hid_bpf_config"
_VARIABLE = "_device_ids"
_MEMBERS = ("bus", "group", "vid", "pid")

#: include/linux/hid.h
GROUPS = {
    **{0x0001: "generic", 0x0002: "multitouch", 0x0003: "sensor hub"},
    **{0x0004: "Windows 8 multitouch", 0x0100: "RMI", 0x0101: "Wacom", 0x0102: "Logitech DJ"},
    **{0x0103: "Steam", 0x0104: "Logitech 27 MHz", 0x0105: "Vivaldi"},
}


@dataclass(frozen=True, order=True)
class Match:
    """Devices that an object is for: 0 in a member stands for any."""

    bus: int
    group: int
    vendor: int
    product: int

    def fits(self, device: Device) -> bool:
        is_ = (device.bus, device.group, device.vendor, device.product)
        wanted = (self.bus, self.group, self.vendor, self.product)
        return all(w in (0, i) for w, i in zip(wanted, is_, strict=True))

    def in_words(self) -> str:
        bus = BUSES.get(self.bus, f"bus 0x{self.bus:02x}") if self.bus else "any bus"
        ids = ":".join(f"{x:04x}" if x else "any" for x in (self.vendor, self.product))
        group = GROUPS.get(self.group, f"group 0x{self.group:04x}")
        return f"{bus} {ids}" + (f" ({group})" if self.group else "")


def read(spec: ObjectSpec) -> tuple[Match, ...] | None:
    """The devices that ``spec`` names; None if it is no object of that kind.

    Empty where it names none: somebody has to say which device it is for.

    Raises:
        BadObject: the type information is not what such objects have.
    """
    return _read(spec.data, spec.name)


@lru_cache(maxsize=64)
def _read(data: bytes, name: str) -> tuple[Match, ...] | None:
    try:
        opened = Object(data, name)
    except CallFailed as error:
        raise BadObject(f"{name} cannot be opened: {error}") from None
    try:
        btf = opened.btf()
        return None if btf is None else of_btf(btf)
    except ValueError as error:
        raise BadObject(
            f"{name} does not say which devices it is for in a way that can be read: {error}"
        ) from None
    finally:
        opened.close()


def of_btf(btf: Btf) -> tuple[Match, ...] | None:
    """The same of type information; ValueError if that is broken."""
    section = next(
        (
            found
            for type_id, kind in enumerate(btf.kinds())
            if kind == KIND_DATASEC and (found := btf.type(type_id)).name == _SECTION
        ),
        None,
    )
    if section is None:
        return None
    for var_id, *_ in section.extra:
        var = _type(btf, var_id)
        if var.kind == KIND_VAR and var.name == _VARIABLE:
            return tuple(_entries(btf, _bare(btf, var.size_or_type)))
    return ()


def _entries(btf: Btf, ids: RawType) -> Iterator[Match]:
    if ids.kind != KIND_UNION:
        raise ValueError(f"{_VARIABLE} is no union")
    for name, type_id, _ in ids.extra:
        entry = _bare(btf, type_id)
        if entry.kind != KIND_STRUCT:
            raise ValueError(f"{name} of {_VARIABLE} is no struct")
        members = {member: member_type for member, member_type, _ in entry.extra}
        if missing := [member for member in _MEMBERS if member not in members]:
            raise ValueError(f"{name} of {_VARIABLE} has no {missing[0]}")
        yield Match(*(_number(btf, member, members[member]) for member in _MEMBERS))


def _number(btf: Btf, member: str, type_id: int) -> int:
    pointer = _bare(btf, type_id)
    array = _bare(btf, pointer.size_or_type) if pointer.kind == KIND_PTR else None
    if array is None or array.kind != KIND_ARRAY:
        raise ValueError(f"{member} is no pointer to an array")
    return int(array.extra[0][1])


def _bare(btf: Btf, type_id: int) -> RawType:
    """The type without typedefs and qualifiers."""
    for _ in range(MAX_DEPTH):
        found = _type(btf, type_id)
        if found.kind not in MODIFIERS:
            return found
        type_id = found.size_or_type
    raise ValueError("BTF types nest too deep")


def _type(btf: Btf, type_id: int) -> RawType:
    if not 0 < type_id < len(btf):
        raise ValueError(f"no BTF type {type_id}")
    return btf.type(type_id)
