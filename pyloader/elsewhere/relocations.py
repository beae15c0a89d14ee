"""Which members of the kernel's structures an object reads: its CO-RE relocations.

Each access to a member of a structure that is to be found in the running kernel leaves
a record in the section ``.BTF.ext``: the type, and the path to the member as indices
(``0:5:2``). The layout is that of ``struct btf_ext_header`` and ``struct bpf_core_relo``
(linux/btf.h, linux/bpf.h).
"""

from __future__ import annotations

import struct
from functools import lru_cache

from pyloader.btf import KIND_ARRAY, KIND_STRUCT, KIND_UNION, MODIFIERS
from pyloader.libbpf import Btf, CallFailed, Object, elf_section

_HEADER = struct.Struct("=HBBIIIIIII")  # magic, version, flags, own length, then three (at, size)
_SECTION = struct.Struct("=II")  # name of the section, number of records
_RECORD = struct.Struct("=IIII")  # instruction, type, path, kind
_FIELD_KINDS = range(6)  # bpf_core_relo_kind: those up to BPF_CORE_FIELD_RSHIFT_U64 are of members


@lru_cache(maxsize=8)
def members_read(data: bytes) -> frozenset[tuple[str, str]]:
    """Pairs of structure and member that the programs of the object ``data`` touch."""
    section = elf_section(data, ".BTF.ext")
    if not section or len(section) < _HEADER.size:
        return frozenset()
    try:
        opened = Object(data, "relocations")
    except CallFailed:
        return frozenset()
    try:
        btf = opened.btf()
        found = (
            {m for t, path in _records(section, btf) for m in _walk(btf, t, path)} if btf else ()
        )
    except (ValueError, struct.error, IndexError):
        return frozenset()
    finally:
        opened.close()
    return frozenset(found)


def _records(section: bytes, btf: Btf) -> list[tuple[int, list[int]]]:
    header = _HEADER.unpack_from(section)
    own_length, at, size = header[3], header[8], header[9]
    at += own_length
    end = at + size
    if not size:
        return []
    (record_size,) = struct.unpack_from("=I", section, at)
    at += 4
    found: list[tuple[int, list[int]]] = []
    while at < end:
        _, count = _SECTION.unpack_from(section, at)
        at += _SECTION.size
        for _ in range(count):
            _, type_id, path, kind = _RECORD.unpack_from(section, at)
            at += record_size
            if kind in _FIELD_KINDS:
                found.append((type_id, [int(part) for part in btf.string(path).split(":")]))
    return found


def _walk(btf: Btf, type_id: int, path: list[int]) -> list[tuple[str, str]]:
    """The members along ``path``, whose first index is that of an array of the type itself."""
    found: list[tuple[str, str]] = []
    for index in path[1:]:
        raw = btf.type(type_id)
        while raw.kind in MODIFIERS:
            raw = btf.type(raw.size_or_type)
        if raw.kind in (KIND_STRUCT, KIND_UNION):
            name, type_id = str(raw.extra[index][0]), int(raw.extra[index][1])
            found.append((raw.name.partition("___")[0], name))
        elif raw.kind == KIND_ARRAY:
            type_id = int(raw.extra[0][0])
        else:
            break
    return found
