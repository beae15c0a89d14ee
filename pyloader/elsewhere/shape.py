"""The conventions of objects made elsewhere, read off a spec: no kernel is asked.

The names are those of the sched-ext project's headers (``enums.bpf.h``,
``user_exit_info.bpf.h``, ``common.bpf.h``) and of its schedulers.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING

from pyloader.btf import Array

if TYPE_CHECKING:
    from pyloader.spec import ObjectSpec, ProgramSpec, VariableSpec

SCHED_OPS = "sched_ext_ops"
CID_OPS = "sched_ext_ops_cid"

_CONSTANT = "__SCX_"
_DUMP = "_dump"
# Libraries of the project bring it along: what it would find out, they assume until told otherwise.
_PROBE = "scx_lib_init_probe"


def is_scheduler(spec: ObjectSpec) -> bool:
    return any(ops.kind in (SCHED_OPS, CID_OPS) for ops in spec.ops.values())


def is_made_elsewhere(spec: ObjectSpec) -> bool:
    """Whether it is a scheduler without a tag of ours."""
    ours = spec.about.what or spec.about.ignores is not None or spec.knobs or spec.stats
    return is_scheduler(spec) and not ours and spec.hostable is None


def constants(spec: ObjectSpec) -> list[str]:
    """Constants that stand for the kernel's enumerators, named after them with ``__`` before."""
    return [
        name
        for name, var in spec.variables.items()
        if name.startswith(_CONSTANT) and not var.writable
    ]


def resizable(spec: ObjectSpec) -> Iterator[VariableSpec]:
    """Arrays of one element, each in a section of its own: their loader gives them their size."""
    for var in spec.variables.values():
        parts = var.section.split(".", 2)
        one = isinstance(var.type, Array) and var.type.count == 1 and var.offset == 0
        if one and len(parts) == 3 and var.name.removeprefix("RESIZABLE_ARRAY_") == parts[2]:
            yield var


def sized_by_cpu(spec: ObjectSpec) -> list[VariableSpec]:
    """Those that get one element for each CPU: all but the dumps."""
    return [var for var in resizable(spec) if not is_dump(var)]


def is_dump(var: VariableSpec) -> bool:
    """Whether a resizable array takes the kernel's debug dump at an exit."""
    return var.name.endswith(_DUMP) and isinstance(var.type, Array) and var.type.is_text


def dump_length(var: VariableSpec) -> str:
    """Name of the constant that tells the program how long its dump array is."""
    return f"{var.name.removeprefix('RESIZABLE_ARRAY_')}_len"


def plumbing(names: Collection[str]) -> set[str]:
    """Variables that carry what a loader and its program pass on: no user wants to set them.

    That is the kernel's constants, and the exit information with its dump beside it.
    """
    found = {name for name in names if name.startswith((_CONSTANT, "__scx_"))}
    for name in names:
        exits = {name, f"{name}_dump", f"RESIZABLE_ARRAY_{name}_dump", f"{name}_dump_len"}
        here = exits & set(names)
        if len(here) > 1:
            found |= here
    return found


def left_out(spec: ObjectSpec) -> list[ProgramSpec]:
    """Programs beside the callbacks that something else than a struct_ops map would attach."""
    return [p for p in spec.programs.values() if p.type not in ("struct_ops", "syscall")]


def is_probe(program: ProgramSpec) -> bool:
    """Whether a program only finds out what the object assumes safely without it."""
    return program.name == _PROBE
