"""The shape of an ELF file, checked before libbpf reads it.

libbpf trusts the symbol table of an object: a symbol past the end of its section
makes it read foreign memory, and a damaged file would end the process (seen with
1.4.6, ``bpf_object__open_mem`` on a symbol of ``.struct_ops.link``). The layout is that
of the generic ABI, chapters 4 and 5 (``Elf64_Ehdr``, ``Elf64_Shdr``, ``Elf64_Sym``).
"""

from __future__ import annotations

import struct
import sys
from collections.abc import Sequence
from typing import NamedTuple

from pyloader.errors import BadObject

_EM_BPF, _ET_REL = 247, 1
_HEADER_SIZE, _SECTION_SIZE, _SYMBOL_SIZE = 64, 64, 24
_SHT_SYMTAB, _SHT_NOBITS = 2, 8
_SHN_LORESERVE = 0xFF00


class _Section(NamedTuple):
    type: int
    offset: int
    size: int
    entry_size: int

    @property
    def end_in_file(self) -> int:
        return self.offset + (0 if self.type == _SHT_NOBITS else self.size)


def check(data: bytes, shown_as: str) -> None:
    """BadObject, with the reason, unless ``data`` is a whole BPF object of this byte order."""
    _check_header(data, shown_as)
    table, entry, count = *struct.unpack_from("=Q", data, 40), *struct.unpack_from("=HH", data, 58)
    if entry != _SECTION_SIZE or not count:
        raise BadObject(f"{shown_as} is damaged: it has no section table")
    if table + entry * count > len(data):
        raise BadObject(f"{shown_as} is truncated: its section table lies past its end")
    sections = [
        _Section(kind, offset, size, entry_size)
        for _, kind, _, _, offset, size, _, _, _, entry_size in struct.iter_unpack(
            "=IIQQQQIIQQ", data[table : table + entry * count]
        )
    ]
    if any(section.end_in_file > len(data) for section in sections[1:]):
        raise BadObject(f"{shown_as} is truncated or damaged: a section lies past its end")
    _check_symbols(data, sections, shown_as)


def _check_header(data: bytes, shown_as: str) -> None:
    if data[:4] != b"\x7fELF":
        hint = "; compile C source with `scxhid build`" if shown_as.endswith(".c") else ""
        raise BadObject(f"{shown_as} is not an ELF file{hint}")
    if len(data) < _HEADER_SIZE:
        raise BadObject(f"{shown_as} is truncated: {len(data)} bytes do not hold an ELF header")
    order = "little" if data[5] == 1 else "big"
    if data[4] != 2 or order != sys.byteorder:
        raise BadObject(f"{shown_as} is not a 64-bit {sys.byteorder}-endian object")
    kind, machine = struct.unpack_from("=HH", data, 16)
    if machine != _EM_BPF:
        raise BadObject(
            f"{shown_as} is for another machine (ELF machine {machine}), not BPF; "
            "compile it with `scxhid build`"
        )
    if kind != _ET_REL:
        raise BadObject(f"{shown_as} is a linked ELF file, not a BPF object")


def _check_symbols(data: bytes, sections: Sequence[_Section], shown_as: str) -> None:
    """Every symbol lies inside the section that it says it lies in."""
    for table in sections:
        if table.type != _SHT_SYMTAB:
            continue
        if table.entry_size != _SYMBOL_SIZE or table.size % _SYMBOL_SIZE:
            raise BadObject(f"{shown_as} is damaged: its symbol table has entries of a wrong size")
        symbols = data[table.offset : table.offset + table.size]
        for _, _, _, index, value, size in struct.iter_unpack("=IBBHQQ", symbols):
            if not 0 < index < _SHN_LORESERVE:
                continue
            if index >= len(sections) or value + size > sections[index].size:
                raise BadObject(f"{shown_as} is damaged: a symbol lies outside its section")
