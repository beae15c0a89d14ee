"""What the running kernel's own types say of sched_ext: members, enumerators, flags."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import lru_cache

from pyloader.btf import KIND_ENUM, Enum, Struct, Types
from pyloader.errors import Unsupported
from pyloader.libbpf import Btf, CallFailed

_TRUNCATING_SIZE = 8  # bytes of an enum in a kind of BTF that has room for 4


def release() -> str:
    """Its version as ``uname -r`` gives it."""
    return os.uname().release


@lru_cache(maxsize=1)
def _btf() -> Btf | None:
    try:
        return Btf.of_kernel()
    except CallFailed:
        return None


def members(struct: str) -> frozenset[str]:
    """Names of the members of the kernel's ``struct``; none if it has no such type."""
    btf = _btf()
    found = btf.find(struct) if btf else None
    layout = Types(btf).resolve(found) if btf and found else None
    return frozenset(m.name for m in layout.fields()) if isinstance(layout, Struct) else frozenset()


@lru_cache(maxsize=1)
def enumerators() -> Mapping[str, int]:
    """Every enumerator of the kernel's enums ``scx_…`` by name, as an unsigned 64-bit value.

    Raises Unsupported if the kernel's BTF was made with only the lower half of each
    (pahole before 1.24, or told to leave 64-bit enums out).
    """
    btf = _btf()
    found: dict[str, int] = {}
    if btf is None:
        return found
    types = Types(btf)
    for type_id in btf.enum_ids("scx_"):
        made = types.resolve(type_id)
        if not isinstance(made, Enum):
            continue
        if made.size == _TRUNCATING_SIZE and btf.type(type_id).kind == KIND_ENUM:
            raise Unsupported(
                f"the type information (BTF) of this kernel ({release()}) holds only the lower "
                f"half of enum {made.name}, so the constants of an object made elsewhere cannot "
                "be known; a kernel whose BTF was made by pahole 1.24 or later has them"
            )
        found.update((name, value % (1 << 64)) for name, value in made.values)
    return found


def ops_flags() -> int:
    """All flags of ``ops.flags`` that the kernel takes; 0 if it does not tell."""
    known = enumerators()
    if "SCX_OPS_ALL_FLAGS" in known:
        return known["SCX_OPS_ALL_FLAGS"]
    flags = 0
    for name, value in known.items():
        if name.startswith("SCX_OPS_") and "MASK" not in name and value.bit_count() == 1:
            flags |= value
    return flags
