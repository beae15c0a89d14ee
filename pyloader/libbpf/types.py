"""Sections of an ELF file and the types of BTF, as they stand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from pyloader.libbpf.calls import NULL, check_pointer, ffi, lib, text

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


_MEMBERS = {4, 5}  # struct, union
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

    def __len__(self) -> int:
        return lib.btf__type_cnt(self.handle)

    def kinds(self) -> list[int]:
        """The kind of each type by id; that of id 0, void, is 0."""
        at = lib.btf__type_by_id
        return [(at(self.handle, i).info >> 24) & 0x1F if i else 0 for i in range(len(self))]

    def _name(self, offset: int) -> str:
        return text(lib.btf__name_by_offset(self.handle, offset))

    def type(self, type_id: int) -> RawType:
        """The type ``type_id`` (1 ≤ id < len); layout as in linux/btf.h."""
        t = lib.btf__type_by_id(self.handle, type_id)
        if t == NULL:
            raise ValueError(f"no BTF type {type_id}")
        kind, count, flag = (t.info >> 24) & 0x1F, t.info & 0xFFFF, bool(t.info >> 31)
        after: Any = t + 1
        extra = _EXTRA_NONE
        if kind in _MEMBERS:
            m = ffi.cast("struct btf_member *", after)
            extra = tuple((self._name(m[i].name_off), m[i].type, m[i].offset) for i in range(count))
        elif kind == 1:  # int: encoding and bits in one word
            extra = ((ffi.cast("__u32 *", after)[0],),)
        elif kind == 3:
            a = ffi.cast("struct btf_array *", after)
            extra = ((a.type, a.nelems),)
        elif kind == 6:
            e = ffi.cast("struct btf_enum *", after)
            extra = tuple((self._name(e[i].name_off), e[i].val) for i in range(count))
        elif kind == 13:
            p = ffi.cast("struct btf_param *", after)
            extra = tuple((self._name(p[i].name_off), p[i].type) for i in range(count))
        elif kind == 15:
            v = ffi.cast("struct btf_var_secinfo *", after)
            extra = tuple((v[i].type, v[i].offset, v[i].size) for i in range(count))
        elif kind == 17:  # decl tag: index of the component, -1 for the type itself
            extra = ((ffi.cast("__s32 *", after)[0],),)
        elif kind == 19:
            w = ffi.cast("struct btf_enum64 *", after)
            extra = tuple(
                (self._name(w[i].name_off), w[i].val_hi32 << 32 | w[i].val_lo32)
                for i in range(count)
            )
        return RawType(kind, self._name(t.name_off), flag, t.size, extra)
