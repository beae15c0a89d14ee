"""``ObjectSpec``: all that a compiled object says, before any kernel has it.

The same file gives the same spec on every machine, and reading it needs no
privilege. ``ObjectSpec.load`` makes a ``BpfObject`` of it.
"""

from __future__ import annotations

import hashlib
import struct
import sys
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pyloader import elf, tags, values
from pyloader.btf import DataVar, Enum, Opaque, Pointer, Struct, Type, Types
from pyloader.errors import BadObject, UnknownName
from pyloader.libbpf import CallFailed, Map, Object, elf_section
from pyloader.names import nearest

if TYPE_CHECKING:
    from pyloader.object import BpfObject

DATA_SECTIONS = (".data", ".rodata", ".bss")

# What to say to somebody who has taken one kind for another.
_ADVICE = {
    "hid_bpf_ops": ", which is for HID devices and no scheduler",
    "sched_ext_ops_cid": ", the form for sub-schedulers (Linux 7.3), which is not supported yet",
    "sched_ext_ops": ", so it is a scheduler: `scxhid sched use` takes it",
}


@dataclass(frozen=True)
class ProgramSpec:
    """A program: its section says what it attaches to, ``instructions`` its length."""

    name: str
    section: str
    type: str
    instructions: int


@dataclass(frozen=True)
class MapSpec:
    """A map; sizes in bytes, types from BTF where the object tells them."""

    name: str
    type: str
    key_size: int
    value_size: int
    max_entries: int
    flags: int
    key_type: Type
    value_type: Type


@dataclass(frozen=True)
class OpsSpec:
    """A struct_ops map: the kernel's struct it fills, its callbacks and its other fields."""

    name: str
    kind: str
    callbacks: Mapping[str, str]
    """Member → name of the program behind it."""
    fields: Mapping[str, Any]
    """Member → value as compiled."""
    is_optional: bool = False
    """Of a section ``?.struct_ops``: made only if there is no other of its kind."""

    @property
    def kernel_name(self) -> str:
        """The name that the kernel lists it under: its ``name`` member, where it has one."""
        return str(self.fields.get("name") or self.name)


@dataclass(frozen=True)
class VariableSpec:
    """A global variable: its section, offset (bytes), type and bytes as compiled."""

    name: str
    section: str
    offset: int
    type: Type
    raw: bytes = field(repr=False)

    @property
    def initial(self) -> Any:
        """The value as compiled; worked out when asked for, since arrays may be large."""
        try:
            return values.decode(self.type, self.raw)
        except struct.error:
            raise BadObject(
                f"the type of {self.name} is broken: its members lie outside it"
            ) from None

    @property
    def writable(self) -> bool:
        """Whether it may change while loaded (``.rodata`` may only before)."""
        return not self.section.startswith(".rodata")


@dataclass(frozen=True)
class ObjectSpec:
    """A BPF object file, read. Everything is by name, in the order of the file."""

    name: str
    data: bytes
    license: str
    programs: Mapping[str, ProgramSpec]
    maps: Mapping[str, MapSpec]
    ops: Mapping[str, OpsSpec]
    variables: Mapping[str, VariableSpec]
    knobs: Mapping[str, tags.Knob]
    stats: Mapping[str, tags.Stat]
    about: tags.About
    hostable: tags.Hostable | None
    """What it says of being hosted; None if it has to be attached by itself."""
    places: Mapping[str, tags.HidPlace]
    """Variables of a HID program that take where a device's reports hold something."""
    enums: tuple[Enum, ...]
    """The enums among its own types, of use where one names the entries of a map."""

    @classmethod
    def open(cls, path: str | Path) -> ObjectSpec:
        """Read the object at ``path``; BadObject if it is none, or cannot be read."""
        path = Path(path)
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            raise BadObject(f"{path} does not exist") from None
        except OSError as error:
            raise BadObject(f"{path} cannot be read: {error.strerror}") from None
        return cls.from_bytes(data, path.name.split(".")[0], str(path))

    @classmethod
    def from_bytes(cls, data: bytes, name: str, shown_as: str = "") -> ObjectSpec:
        """Read an object held in memory; ``shown_as`` names it in errors."""
        return _of_content(data, name, shown_as or name)

    @property
    def digest(self) -> str:
        """SHA-256 of the file, in hex: the same object, the same digest."""
        return hashlib.sha256(self.data).hexdigest()

    def load(
        self,
        values: Mapping[str, Any] | None = None,
        fields: Mapping[str, Mapping[str, Any]] | None = None,
        entries: Mapping[str, int] | None = None,
        shared: Mapping[str, int] | None = None,
        without: Collection[str] = (),
    ) -> BpfObject:
        """Load it into the running kernel.

        ``values``: globals by name; ``fields``: struct_ops members by ops name and
        member; ``entries``: sizes of maps by name; ``shared``: descriptors of maps that
        are used in place of new ones, by the name of the map or data section; ``without``:
        programs that are not loaded. Everything is checked before the kernel is asked. Raises
        BadValue, UnknownName, VerifierError, LoadError, NotPermitted.
        """
        from pyloader.object import BpfObject

        return BpfObject(self, values or {}, fields or {}, entries or {}, shared or {}, without)

    def parse_values(self, texts: Mapping[str, str]) -> dict[str, Any]:
        """What a user typed for knobs, or for variables without tags, as values in range.

        Raises UnknownName, BadValue.
        """
        return tags.parse_values(texts, self.knobs, self.variable)

    def sole_ops(self, kind: str) -> OpsSpec:
        """The one struct_ops map of ``kind``; BadObject if there is none or more than one."""
        found = [ops for ops in self.ops.values() if ops.kind == kind]
        found = [ops for ops in found if not ops.is_optional] or found
        if len(found) == 1:
            return found[0]
        if found:
            names = ", ".join(ops.name for ops in found)
            raise BadObject(
                f"{self.name} has {len(found)} {kind} ({names}); one is expected: "
                "compile each into an object of its own"
            )
        others = sorted({ops.kind for ops in self.ops.values()})
        has = f"it has {', '.join(others)}" if others else "it has no struct_ops at all"
        advice = "".join({_ADVICE[other] for other in others if other in _ADVICE})
        raise BadObject(f"{self.name} is not a program set for {kind}: {has}{advice}")

    def is_wanted(self, ops: str) -> bool:
        """Whether the optional struct_ops map ``ops`` is the one to use."""
        same = [o for o in self.ops.values() if o.kind == self.ops[ops].kind]
        return self.ops[ops].is_optional and len(same) == 1

    def variable(self, name: str) -> VariableSpec:
        """The global of that name; UnknownName with the nearest ones if there is none."""
        if name not in self.variables:
            known = self.knobs or self.variables
            kind = "knob" if self.knobs else "variable"
            hint = f"{self.name} has {', '.join(known) or 'none'}"
            raise UnknownName(kind, name, nearest(name, known), hint)
        return self.variables[name]


@lru_cache(maxsize=8)
def _of_content(data: bytes, name: str, shown_as: str) -> ObjectSpec:
    # The same bytes give the same spec, so one that swaps to and fro reads each object once.
    elf.check(data, shown_as)
    try:
        opened = Object(data, name)
    except CallFailed as error:
        raise BadObject(_why_not_open(data, shown_as, error)) from None
    try:
        return _read(opened, data, name, shown_as)
    except (ValueError, struct.error) as error:
        raise BadObject(f"{shown_as} has broken type information (BTF): {error}") from None
    finally:
        opened.close()


def _why_not_open(data: bytes, shown_as: str, error: CallFailed) -> str:
    try:
        without_btf = elf_section(data, ".BTF") is None
    except ValueError:
        return f"{shown_as} is truncated or damaged: libelf cannot read it"
    if without_btf:
        return f"{shown_as} has no type information (BTF); compile it with -g, or `scxhid build`"
    lines = [line.removeprefix("libbpf: ") for line in error.words.strip().splitlines()]
    detail = lines[-1] if lines else error.strerror
    return f"{shown_as} is not an object that libbpf can open: {detail}"


def _read(opened: Object, data: bytes, name: str, shown_as: str) -> ObjectSpec:
    btf = opened.btf()
    if btf is None:
        raise BadObject(
            f"{shown_as} has no type information (BTF); compile it with -g, or `scxhid build`"
        )
    types = Types(btf)
    maps: dict[str, MapSpec] = {}
    ops: dict[str, OpsSpec] = {}
    sections: dict[str, tags.Section] = {}
    for map_ in opened.maps():
        if map_.type == "struct_ops":
            ops[map_.name] = _read_ops(opened, map_, types)
        elif map_.is_internal:
            section = data_section(map_.name)
            initial = map_.initial_value()
            content = initial if initial is not None else bytes(map_.value_size)
            sections[section] = (types.section(section), content)
        maps[map_.name] = MapSpec(
            map_.name,
            map_.type,
            map_.key_size,
            map_.value_size,
            map_.max_entries,
            map_.flags,
            types.resolve(map_.key_type_id),
            types.resolve(map_.value_type_id),
        )
    said = tags.read(sections)
    variables = {
        var.name: VariableSpec(var.name, section, var.offset, var.type, _raw(var, content))
        for section, (vars_, content) in sections.items()
        for var in vars_
        if var.name not in said.own_variables
    }
    programs = {
        p.name: ProgramSpec(p.name, p.section, p.type, p.instructions) for p in opened.programs()
    }
    licence = elf_section(data, "license") or b""
    return ObjectSpec(
        name,
        data,
        licence.split(b"\0", 1)[0].decode(errors="replace"),
        programs,
        maps,
        ops,
        variables,
        said.knobs,
        said.stats,
        said.about,
        said.hostable,
        said.places,
        tuple(types.enums()) if not (said.knobs or said.stats) else (),
    )


def data_section(map_name: str) -> str:
    """The ELF section behind an internal map; libbpf puts part of the object's name before it."""
    for section in DATA_SECTIONS:
        at = map_name.find(section)
        if at >= 0:
            return map_name[at:]
    return map_name


def _raw(var: DataVar, content: Any) -> bytes:
    raw = bytes(content[var.offset : var.offset + var.type.size])
    if len(raw) != var.type.size:
        raise ValueError(f"the variable {var.name} lies outside its section")
    return raw


def ops_struct(map_name: str, types: Types) -> Struct | None:
    """The struct, as the object declares it, that the struct_ops map ``map_name`` fills."""
    for section in types.data_sections():
        if "struct_ops" in section:
            for var in types.section(section):
                if var.name == map_name and isinstance(var.type, Struct):
                    return var.type
    return None


def _read_ops(opened: Object, map_: Map, types: Types) -> OpsSpec:
    layout = ops_struct(map_.name, types)
    content = map_.initial_value()
    callbacks: dict[str, str] = {}
    fields: dict[str, Any] = {}
    if layout is None or content is None:
        return OpsSpec(map_.name, "", callbacks, fields)
    for member in layout.fields():
        start = member.offset_bits // 8
        raw = content[start : start + member.type.size]
        if isinstance(member.type, Pointer):
            program = opened.program_at(int.from_bytes(raw, sys.byteorder))
            if program:
                callbacks[member.name] = program
        elif not isinstance(member.type, Opaque):
            fields[member.name] = values.decode(member.type, raw)
    # What follows three underscores tells flavours of one kernel type apart (libbpf, CO-RE).
    kind = layout.name.partition("___")[0]
    return OpsSpec(map_.name, kind, callbacks, fields, not map_.is_created)
