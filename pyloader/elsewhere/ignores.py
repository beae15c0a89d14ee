"""Which settings of the kernel a scheduler does not honour, as far as its object tells.

A scheduler of ours says it (``IGNORES`` in ``declare.h``). Of one made elsewhere it
follows from its callbacks: the kernel tells weights and limits of cgroups by callbacks
alone. The weight of a task also stands in the task: whether the object reads it there
is seen in its CO-RE relocations (``relocations``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyloader.elsewhere import relocations, shape
from pyloader.errors import BadObject

if TYPE_CHECKING:
    from pyloader.spec import ObjectSpec, OpsSpec

NICE, WEIGHT, MAX, IDLE = "nice", "cpu.weight", "cpu.max", "cpu.idle"

# Members of the kernel's structures that hold a task's nice level in one form or another.
_NICE_MEMBERS = {
    ("sched_ext_entity", "weight"),
    ("task_struct", "static_prio"),
    ("task_struct", "prio"),
    ("task_struct", "normal_prio"),
    ("sched_entity", "load"),
    ("load_weight", "weight"),
}


def ignores(spec: ObjectSpec) -> tuple[str, ...]:
    """What it does not honour, of the words ``nice``, ``cpu.weight``, ``cpu.max``, ``cpu.idle``.

    What it says itself counts; otherwise what is certain. Empty if it honours all, or
    if nothing can be told.
    """
    return certain(spec) if spec.about.ignores is None else spec.about.ignores


def certain(spec: ObjectSpec) -> tuple[str, ...]:
    """What cannot be honoured, whatever the object says of itself."""
    try:
        return tuple(_derived(spec, spec.sole_ops(shape.SCHED_OPS)))
    except BadObject:  # none, or several: then there is nobody to speak of
        return ()


def _derived(spec: ObjectSpec, ops: OpsSpec) -> list[str]:
    found: list[str] = []
    if "set_weight" not in ops.callbacks and _never_reads_nice(spec):
        found.append(NICE)
    if "cgroup_set_weight" not in ops.callbacks:
        found.append(WEIGHT)
    if "cgroup_set_bandwidth" not in ops.callbacks:
        found.append(MAX)
    if "cgroup_set_idle" not in ops.callbacks:
        found.append(IDLE)
    return found


def _never_reads_nice(spec: ObjectSpec) -> bool:
    """Whether no program reads a nice level from a task; False also where that is not known."""
    read = relocations.members_read(spec.data)
    return bool(read) and not read & _NICE_MEMBERS


def in_words(names: tuple[str, ...]) -> str:
    """One line for the user; empty if there is nothing to say."""
    return f"it does not honour {', '.join(names)}" if names else ""
