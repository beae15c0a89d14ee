"""The user-space half that an object made elsewhere has, told from what it left in the object.

Many of the sched-ext project's schedulers are two programs: one in the kernel, and one
beside it that feeds it or takes part in the decisions. Only the first is in the file.
What is certain is said as certain; what a name suggests is said as such.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyloader.btf import Array, Int
from pyloader.elsewhere import adapt, map_use, shape

if TYPE_CHECKING:
    from pyloader.spec import MapSpec, ObjectSpec, VariableSpec

_F_RDONLY_PROG = 1 << 7  # BPF_F_RDONLY_PROG: the program only reads what user space wrote
_QUEUES = {"queue", "stack"}
_HASHES = {"hash", "percpu_hash", "lru_hash", "lru_percpu_hash", "lpm_trie"}
# BPF programs cannot put a map or a program into one of these.
_FILLED_OUTSIDE = {"hash_of_maps", "prog_array"}
_EVENTS = {"ringbuf", "perf_event_array"}
_PID_ENDS = ("_pid", "_tgid", "_tid")


def missing_half(spec: ObjectSpec) -> list[str]:
    """What its own user-space program would do and nobody does here; a sentence each."""
    if not shape.is_made_elsewhere(spec):
        return []
    return [*_maps(spec), *_programs(spec), *_constants(spec)]


def _maps(spec: ObjectSpec) -> list[str]:
    said: list[str] = []
    used = map_use.helpers_by_map(spec.data)
    for m in spec.maps.values():
        calls = used.get(m.name, frozenset())
        if not m.max_entries and adapt.needs_size(m):
            said.append(f"gives the map {m.name} its size: it cannot be loaded without")
        elif m.type == "arena":
            said.append(f"may set up the memory that both share (the arena {m.name}) beforehand")
        elif m.type == "user_ringbuf":
            said.append(f"sends what to do through {m.name}: nothing comes")
        elif m.type in _QUEUES:
            said += _queue(m, calls)
        elif m.type in _EVENTS:
            said.append(f"reads the events of {m.name}: nobody does")
        elif m.type in _FILLED_OUTSIDE or _is_only_read(m, calls):
            said.append(f"fills the map {m.name}, which the scheduler only reads: it stays empty")
    return said


def _queue(m: MapSpec, calls: frozenset[int]) -> list[str]:
    """A queue that the kernel side both fills and empties is its own business."""
    if map_use.UNKNOWN in calls or not calls:
        return [f"may take part through the queue {m.name}"]
    if map_use.PUSH not in calls:
        return [f"fills the queue {m.name}, from which the scheduler takes: it stays empty"]
    if map_use.POP not in calls:
        return [
            f"takes from the queue {m.name}: what the scheduler puts there (tasks, mostly) "
            "waits for ever, and the kernel ends a scheduler that lets a task wait"
        ]
    return []


def _is_only_read(m: MapSpec, calls: frozenset[int]) -> bool:
    if m.name.endswith((".kconfig", ".rodata")) or m.name.startswith("."):
        return False
    if m.flags & _F_RDONLY_PROG:
        return True
    writes = calls - {map_use.LOOKUP, map_use.DELETE}
    return m.type in _HASHES and bool(calls) and not writes


def _programs(spec: ObjectSpec) -> list[str]:
    run = [p.name for p in spec.programs.values() if p.type == "syscall"]
    said = [f"runs the program {name}: nobody does" for name in run]
    traced = [p for p in shape.left_out(spec) if not shape.is_probe(p)]
    if traced:
        names = ", ".join(f"{p.name} ({p.section})" for p in traced)
        said.append(f"attaches {names}: it is left out")
    return said


def _constants(spec: ObjectSpec) -> list[str]:
    said: list[str] = []
    arrays = [v for v in spec.variables.values() if _is_empty_constant_array(v)]
    if arrays:
        names = ", ".join(v.name for v in arrays)
        said.append(f"fills in {names} (constants that are all zero as compiled)")
    for var in spec.variables.values():
        is_id = isinstance(var.type, Int) and not var.writable and not any(var.raw)
        if is_id and var.name.endswith(_PID_ENDS):
            said.append(f"may name a process (the constant {var.name} is 0 as compiled)")
    return said


def _is_empty_constant_array(var: VariableSpec) -> bool:
    """Whether it is an array that only a loader can have meant to fill: BPF cannot write it."""
    is_list = isinstance(var.type, Array) and not var.type.is_text
    return is_list and not var.writable and var.type.size > 0 and not any(var.raw)
