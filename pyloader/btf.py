"""The types of a BPF object, or of the kernel, as Python values.

BTF is the kernel's compact type format (Documentation/bpf/btf.rst). ``Types``
reads it through libbpf and resolves typedefs and qualifiers, so that what comes
out is one of the few classes below. They are named tuples, because a frozen
dataclass takes ten times as long to make, and `scxhid status` makes all of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import NamedTuple

from pyloader.libbpf import Btf, RawType

KIND_INT, KIND_PTR, KIND_ARRAY, KIND_STRUCT, KIND_UNION, KIND_ENUM = 1, 2, 3, 4, 5, 6
KIND_VAR, KIND_DATASEC, KIND_FLOAT, KIND_DECL_TAG, KIND_ENUM64 = 14, 15, 16, 17, 19
MODIFIERS = {8, 9, 10, 11, 18}  # typedef, volatile, const, restrict, type tag

MAX_DEPTH = 64
"""Nesting past which BTF is taken to be broken (the kernel's own limit is 32)."""


class Int(NamedTuple):
    name: str
    size: int
    signed: bool = False
    is_bool: bool = False
    is_char: bool = False


class Float(NamedTuple):
    name: str
    size: int


class Pointer(NamedTuple):
    size: int = 8


class Enum(NamedTuple):
    name: str
    size: int
    signed: bool
    values: tuple[tuple[str, int], ...]


class Array(NamedTuple):
    element: Type
    count: int  # pyright: ignore[reportIncompatibleMethodOverride]

    @property
    def size(self) -> int:
        return self.element.size * self.count

    @property
    def is_text(self) -> bool:
        """An array of plain ``char``, which holds a NUL-terminated string."""
        return isinstance(self.element, Int) and self.element.name == "char"


class Member(NamedTuple):
    """A member of a struct; ``bits`` is non-zero for a bit field."""

    name: str
    type: Type
    offset_bits: int
    bits: int = 0


class Struct(NamedTuple):
    name: str
    size: int
    members: tuple[Member, ...] = ()
    is_union: bool = False

    def fields(self, base_bits: int = 0) -> Iterator[Member]:
        """Named members, those of anonymous structs and unions among them."""
        for member in self.members:
            at = base_bits + member.offset_bits
            if member.name:
                yield Member(member.name, member.type, at, member.bits)
            elif isinstance(member.type, Struct):
                yield from member.type.fields(at)


class Opaque(NamedTuple):
    """A type without a value of its own: void, a function, a forward declaration."""

    name: str
    size: int = 0


Type = Int | Float | Pointer | Enum | Array | Struct | Opaque


class DataVar(NamedTuple):
    """A variable of a data section: where it lies (bytes), its type, its declaration tags."""

    name: str
    type: Type
    offset: int
    size: int
    tags: tuple[str, ...] = ()


def describe(t: Type) -> str:
    """A type as C would write it, roughly: ``u32``, ``char[16]``, ``struct event``."""
    if isinstance(t, Array):
        return f"{describe(t.element)}[{t.count}]"
    if isinstance(t, Pointer):
        return "pointer"
    if isinstance(t, Struct):
        return f"{'union' if t.is_union else 'struct'} {t.name or '(anonymous)'}"
    if isinstance(t, Enum):
        return f"enum {t.name}" if t.name else "enum"
    if isinstance(t, Int):
        if t.is_bool:
            return "bool"
        return "char" if t.name == "char" else f"{'s' if t.signed else 'u'}{t.size * 8}"
    return t.name or "void"


def _enum(raw: RawType) -> Enum:
    """Enumerators as the enum's own type has them.

    BTF holds them as 32 or 64 bits without a sign of their own; clang before 16 never
    marks an enum as signed, so there -3 is 4294967293, in the values as in the names.
    """
    if raw.size_or_type not in (1, 2, 4, 8):
        raise ValueError(f"enum {raw.name} has {raw.size_or_type} bytes")
    bits = raw.size_or_type * 8
    bias = 1 << bits - 1 if raw.kind_flag else 0
    named = ((name, (value + bias) % (1 << bits) - bias) for name, value in raw.extra)
    return Enum(raw.name, raw.size_or_type, raw.kind_flag, tuple(named))


class Types:
    """All types of one BTF, resolved on demand and kept."""

    def __init__(self, btf: Btf) -> None:
        self._btf = btf
        self._known: dict[int, Type] = {}

    @cached_property
    def _kinds(self) -> list[int]:
        return self._btf.kinds()

    def _of_kind(self, kind: int) -> Iterator[RawType]:
        # Only these are read whole: an object brings many types that nobody asks for.
        return (self._btf.type(i) for i, found in enumerate(self._kinds) if found == kind)

    @cached_property
    def _tags(self) -> dict[tuple[int, int], list[str]]:
        tags: dict[tuple[int, int], list[str]] = {}
        for raw in self._of_kind(KIND_DECL_TAG):
            tags.setdefault((raw.size_or_type, raw.extra[0][0]), []).append(raw.name)
        return tags

    @cached_property
    def _data_sections(self) -> dict[str, RawType]:
        sections: dict[str, RawType] = {}
        for raw in self._of_kind(KIND_DATASEC):
            sections.setdefault(raw.name, raw)
        return sections

    def resolve(self, type_id: int, depth: int = 0) -> Type:
        """The type ``type_id`` without typedefs and qualifiers.

        Pointers are not followed, so recursive types end. ValueError if BTF is broken.
        """
        known = self._known.get(type_id)
        if known is None:
            known = self._known[type_id] = self._resolve(type_id, depth)
        return known

    def _resolve(self, type_id: int, depth: int) -> Type:
        if depth > MAX_DEPTH:
            raise ValueError("BTF types nest too deep")
        if type_id == 0:
            return Opaque("void")
        raw = self._btf.type(type_id)
        if raw.kind in MODIFIERS:
            return self.resolve(raw.size_or_type, depth + 1)
        if raw.kind == KIND_INT:
            encoding = raw.extra[0][0] >> 24 & 0xF
            return Int(
                raw.name,
                raw.size_or_type,
                signed=bool(encoding & 1),
                is_char=bool(encoding & 2),
                is_bool=bool(encoding & 4),
            )
        if raw.kind == KIND_PTR:
            return Pointer()
        if raw.kind == KIND_ARRAY:
            element, count = raw.extra[0]
            return Array(self.resolve(element, depth + 1), count)
        if raw.kind in (KIND_STRUCT, KIND_UNION):
            members = tuple(
                Member(
                    name,
                    self.resolve(member_type, depth + 1),
                    offset & 0xFFFFFF if raw.kind_flag else offset,
                    offset >> 24 if raw.kind_flag else 0,
                )
                for name, member_type, offset in raw.extra
            )
            return Struct(raw.name, raw.size_or_type, members, raw.kind == KIND_UNION)
        if raw.kind in (KIND_ENUM, KIND_ENUM64):
            return _enum(raw)
        if raw.kind == KIND_FLOAT:
            return Float(raw.name, raw.size_or_type)
        return Opaque(raw.name)

    def enums(self) -> list[Enum]:
        """Every enum: of an object's types, that is; the kernel has too many to walk through."""
        wanted = (KIND_ENUM, KIND_ENUM64)
        found = (self.resolve(i) for i, kind in enumerate(self._kinds) if kind in wanted)
        return [t for t in found if isinstance(t, Enum)]

    def data_sections(self) -> Iterator[str]:
        """Names of the data sections (``.data``, ``.rodata``, ``license``, …)."""
        return iter(self._data_sections)

    def section(self, name: str) -> list[DataVar]:
        """The variables of the data section ``name`` by rising offset."""
        raw = self._data_sections.get(name)
        return sorted(self._section_vars(raw), key=lambda var: var.offset) if raw else []

    def section_by_id(self, type_id: int) -> list[DataVar]:
        """The same for the type id of a data section, as the kernel gives it for a map."""
        raw = self._btf.type(type_id) if type_id else None
        if raw is None or raw.kind != KIND_DATASEC:
            return []
        return sorted(self._section_vars(raw), key=lambda var: var.offset)

    def _section_vars(self, section: RawType) -> Iterator[DataVar]:
        for item in section.extra:
            var_id, offset, size = int(item[0]), int(item[1]), int(item[2])
            known = 0 < var_id < len(self._kinds)
            var = self._btf.type(var_id) if known else None
            if var is None or var.kind != KIND_VAR:
                continue
            tags = tuple(self._tags.get((var_id, -1), ()))
            yield DataVar(var.name, self.resolve(var.size_or_type), offset, size, tags)
