"""Sections of an ELF file and the types of BTF, as they stand."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from pyloader.libbpf.calls import check_pointer, ffi, lib, text

if TYPE_CHECKING:
    from pyloader.libbpf.objects import Object


class RawType(NamedTuple):
    """One BTF type as it stands: ``size_or_type`` and ``extra`` mean what ``kind`` says."""

    kind: int
    name: str
    kind_flag: bool
    size_or_type: int
    extra: tuple[tuple[Any, ...], ...]


def elf_section(data: bytes, name: str) -> bytes | None:
    """Content of a section of an ELF file held in memory; None if it has no such section.

    Raises ValueError if ``data`` is not an ELF file that libelf can read.
    """
    out, size = ffi.new("const void **"), ffi.new("size_t *")
    source = ffi.from_buffer(data)
    found = lib.shim_elf_section(source, len(data), name.encode(), out, size)
    if found < 0:
        raise ValueError("not an ELF file")
    return None if found else bytes(ffi.buffer(out[0], size[0]))


_HEAD = struct.Struct("=III")  # struct btf_type: name, info, size or type
# What follows it, by kind: one row for each member, value, parameter or variable. All of a type is
# unpacked at once, because to read a field through cffi costs as much as that.
_ROWS = {
    1: struct.Struct("=I"),  # int: encoding and bits in one word
    3: struct.Struct("=I4xI"),  # array: element type, count
    4: struct.Struct("=III"),  # struct: name, type, offset
    5: struct.Struct("=III"),  # union
    6: struct.Struct("=Ii"),  # enum: name, value
    13: struct.Struct("=II"),  # prototype: name, type
    15: struct.Struct("=III"),  # data section: type, offset, size
    17: struct.Struct("=i"),  # declaration tag: index of the component, -1 for the type itself
    19: struct.Struct("=III"),  # 64-bit enum: name, low and high half of the value
}
_ONE_ROW = {1, 3, 17}
_ENUM64 = 19
_NAMED = {4, 5, 6, 13, 19}
_EXTRA_NONE: tuple[tuple[Any, ...], ...] = ()


class Btf:
    """Type information: of an object (which keeps it), or of the kernel (closed here)."""

    def __init__(self, handle: Any, owner: Object | None = None) -> None:
        self._handle = handle if owner else ffi.gc(handle, lib.btf__free)
        self._owner = owner

    @property
    def handle(self) -> Any:
        """libbpf's pointer; Gone once the object that keeps it is closed."""
        if self._owner:
            self._owner.require_open()
        return self._handle

    @classmethod
    def from_kernel(cls, btf_id: int) -> Btf:
        """The BTF that the kernel holds under ``btf_id``."""
        return cls(check_pointer(lib.btf__load_from_kernel_by_id(btf_id), "btf_load"))

    @classmethod
    def of_kernel(cls) -> Btf:
        """The running kernel's own types."""
        return cls(check_pointer(lib.btf__load_vmlinux_btf(), "btf_load_vmlinux"))

    def find(self, name: str) -> int | None:
        """Id of the first type of that name."""
        found: int = lib.btf__find_by_name(self.handle, name.encode())
        return found if found > 0 else None

    def enum_ids(self, prefix: str) -> Iterator[int]:
        """Ids of all enums whose name starts with ``prefix``; fast also for the kernel's BTF."""
        found = lib.shim_next_enum(self.handle, 0, prefix.encode())
        while found:
            yield found
            found = lib.shim_next_enum(self.handle, found, prefix.encode())

    def __len__(self) -> int:
        return lib.btf__type_cnt(self.handle)

    def kinds(self) -> list[int]:
        """The kind of each type by id; that of id 0, void, is 0."""
        at, handle = lib.btf__type_by_id, self.handle
        return [(at(handle, i).info >> 24) & 0x1F if i else 0 for i in range(len(self))]

    def string(self, offset: int) -> str:
        """The text at ``offset`` of the string table."""
        return text(lib.btf__name_by_offset(self.handle, offset))

    def type(self, type_id: int) -> RawType:
        """The type ``type_id`` (1 ≤ id < len); layout as in linux/btf.h.

        libbpf has checked, when it opened the BTF, that what follows a type lies within it.
        """
        handle = self.handle
        t = lib.btf__type_by_id(handle, type_id)
        if not t:
            raise ValueError(f"no BTF type {type_id}")
        name_offset, info, size_or_type = _HEAD.unpack(ffi.buffer(t, _HEAD.size))
        kind = (info >> 24) & 0x1F
        extra = _EXTRA_NONE
        row = _ROWS.get(kind)
        if row:
            count = 1 if kind in _ONE_ROW else info & 0xFFFF
            rows = row.iter_unpack(ffi.buffer(t + 1, row.size * count))
            if kind in _NAMED:
                at = lib.btf__name_by_offset
                extra = tuple((text(at(handle, name)), *rest) for name, *rest in rows)
            else:
                extra = tuple(rows)
            if kind == _ENUM64:
                extra = tuple((name, high << 32 | low) for name, low, high in extra)
        name = text(lib.btf__name_by_offset(handle, name_offset))
        return RawType(kind, name, bool(info >> 31), size_or_type, extra)
