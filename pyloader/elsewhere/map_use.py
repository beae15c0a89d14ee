"""Which helpers an object calls on which of its maps, read off its instructions.

A program loads a map's address into the first argument (an instruction that a relocation
against the section ``.maps`` marks) and calls a helper. So one can tell a queue that
both sides use from one that the kernel side fills and empties by itself. Instructions are
those of ``struct bpf_insn``; relocations of ``Elf64_Rel`` (generic ABI, chapter 4).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import NamedTuple

# Helpers by number (linux/bpf.h).
LOOKUP, UPDATE, DELETE, PUSH, POP = 1, 2, 3, 87, 88

UNKNOWN = -1
"""As a helper: what becomes of the address cannot be followed."""

_SHT_REL = 9
_SECTION = struct.Struct("=IIQQQQIIQQ")
_SYMBOL = struct.Struct("=IBBHQQ")
_REL = struct.Struct("=QQ")
_INSN = struct.Struct("=BBhi")
_LD_IMM64, _CALL, _MOV64_REG = 0x18, 0x85, 0xBF
_JUMPS = {0x05, 0x06, 0x95}


class _Section(NamedTuple):
    name: int
    type: int
    offset: int
    size: int
    link: int
    info: int


@lru_cache(maxsize=8)
def helpers_by_map(data: bytes) -> Mapping[str, frozenset[int]]:
    """Numbers of the helpers called with each map of the object ``data``, by the map's name.

    ``data`` has been checked (``elf.check``): its sections and symbols lie inside it. Empty
    where the relocations do not say what they should.
    """
    found: dict[str, set[int]] = {}
    try:
        for name, code, offset in _references(data):
            helper = _helper(code, offset)
            if helper is not None:
                found.setdefault(name, set()).add(helper)
    except (IndexError, struct.error):
        return {}
    return {name: frozenset(helpers) for name, helpers in found.items()}


def _references(data: bytes) -> Iterator[tuple[str, bytes, int]]:
    """Each place that refers to a map: the map's name, the code, where in it (bytes)."""
    (table,) = struct.unpack_from("=Q", data, 40)
    count, names = struct.unpack_from("=HH", data, 60)
    rows = [_SECTION.unpack_from(data, table + i * _SECTION.size) for i in range(count)]
    sections = [_Section(*map(int, (*r[:2], *r[4:8]))) for r in rows]
    for section in sections:
        if section.type != _SHT_REL:
            continue
        symbols, target = sections[section.link], sections[section.info]
        code = data[target.offset : target.offset + target.size]
        for offset, info in _REL.iter_unpack(data[section.offset : section.offset + section.size]):
            at = symbols.offset + (info >> 32) * _SYMBOL.size
            name, _, _, home, _, _ = map(int, _SYMBOL.unpack_from(data, at))
            if (
                home < count
                and _text(data, sections[names].offset + sections[home].name) == ".maps"
            ):
                yield _text(data, sections[symbols.link].offset + name), code, offset


def _text(data: bytes, at: int) -> str:
    return data[at : data.find(b"\0", at)].decode(errors="replace")


def _helper(code: bytes, at: int) -> int | None:
    """The helper that gets what the instruction at ``at`` (bytes) loads; None if that is no map."""
    if at % _INSN.size or at + 2 * _INSN.size > len(code):
        return None
    opcode, registers, _, _ = _INSN.unpack_from(code, at)
    if opcode != _LD_IMM64:
        return None
    if registers & 0xF != 1:
        return UNKNOWN
    for position in range(at + 2 * _INSN.size, len(code) - _INSN.size + 1, _INSN.size):
        opcode, registers, _, number = _INSN.unpack_from(code, position)
        if opcode == _CALL:
            return number if registers >> 4 == 0 else UNKNOWN
        if opcode in _JUMPS or (opcode == _MOV64_REG and registers >> 4 == 1):
            return UNKNOWN
    return UNKNOWN
