"""What stands between an object as compiled and the running kernel, and is put right at load.

Constants named after the kernel's enumerators get this kernel's values, arrays get
their sizes, callbacks that this kernel lacks are left out. What would be lost in
silence (a field or a flag with a meaning that this kernel does not know) is refused.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from pyloader import sysfs
from pyloader.btf import Array, Enum, Int, Type
from pyloader.elsewhere import cpus, flags, running_kernel, shape
from pyloader.errors import BadObject, Unsupported

if TYPE_CHECKING:
    from pyloader.spec import MapSpec, ObjectSpec, OpsSpec

# What sched_ext_ops has in every kernel: for an object that uses no more, none need be asked.
SINCE_6_12 = {
    *("select_cpu", "enqueue", "dequeue", "dispatch", "tick", "runnable", "running", "stopping"),
    *("quiescent", "yield", "core_sched_before", "set_weight", "set_cpumask", "update_idle"),
    *("cpu_acquire", "cpu_release", "init_task", "exit_task", "enable", "disable", "dump"),
    *("dump_cpu", "dump_task", "cgroup_init", "cgroup_exit", "cgroup_prep_move", "cgroup_move"),
    *("cgroup_cancel_move", "cgroup_set_weight", "cpu_online", "cpu_offline", "init", "exit"),
    *("dispatch_max_batch", "flags", "timeout_ms", "exit_dump_len", "hotplug_seq", "name"),
}
# They tune a mechanism that came with them (7.3): without it there is nothing to tune.
_NEEDLESS_FIELDS = frozenset({"rescue_bandwidth_ppt", "rescue_quantum_us"})
_DUMP_BYTES = 32768  # SCX_EXIT_DUMP_DFL_LEN, the kernel's where ops.exit_dump_len is 0
# Maps that have no size of their own, or get it from libbpf.
_WITHOUT_SIZE = ("_storage", "struct_ops", "perf_event_array")


class Adaptation(NamedTuple):
    """What to change before load; ``notes`` tell the user what matters, a sentence each."""

    values: Mapping[str, Any]
    """Globals by name."""
    fields: Mapping[str, Mapping[str, int]]
    """Members of the ops by name of the ops: 0 clears a callback as well."""
    sizes: Mapping[str, int]
    """Bytes of data sections by name."""
    left_out: frozenset[str]
    """Programs that are not loaded."""
    notes: tuple[str, ...]


NONE = Adaptation({}, {}, {}, frozenset(), ())


def adapt(spec: ObjectSpec, given: Mapping[str, Any], sized: Collection[str]) -> Adaptation:
    """What ``spec`` needs in the running kernel.

    ``given`` are values that the user chose, which stay; ``sized`` maps that are given a
    size. Raises Unsupported where something with a meaning would be lost, BadObject where a
    map has no size.
    """
    if not shape.is_scheduler(spec):
        return NONE
    notes: list[str] = []
    made = [o for o in spec.ops.values() if not o.is_optional or spec.is_wanted(o.name)]
    fields = {ops.name: _members(spec, ops, notes) for ops in made}
    if not shape.is_made_elsewhere(spec):
        return Adaptation({}, fields, {}, frozenset(), tuple(notes))
    require_sizes(spec, sized)
    for ops in made:
        if ops.fields.get("hotplug_seq") == 0:
            fields[ops.name]["hotplug_seq"] = sysfs.hotplug_seq()
    known = well_known(spec, given)
    if known:
        notes.append(f"its constants are set for this machine: {cpus.described(known)}")
    sizes, lengths = _sizes(spec, given)
    values = {**_constants(spec, given), **known, **lengths}
    without = frozenset(program.name for program in shape.left_out(spec))
    return Adaptation(values, fields, sizes, without, tuple(notes))


def _members(spec: ObjectSpec, ops: OpsSpec, notes: list[str]) -> dict[str, int]:
    """Members to clear or to change, since the kernel knows nothing of them."""
    filled = {name for name, value in ops.fields.items() if value} | set(ops.callbacks)
    changed: dict[str, int] = {}
    if filled - SINCE_6_12:
        known = running_kernel.members(ops.kind)
        absent = sorted(filled - known) if known else []
        needed = [n for n in absent if n not in ops.callbacks and n not in _NEEDLESS_FIELDS]
        if needed:
            raise Unsupported(
                f"{spec.name} sets {', '.join(needed)} of {ops.kind}, which this kernel "
                f"({running_kernel.release()}) does not have: it would run as something else; "
                "use a newer kernel, or build it without"
            )
        if absent:
            notes.append(
                f"this kernel ({running_kernel.release()}) has no {', '.join(absent)}: "
                f"{spec.name} runs without"
            )
        changed = dict.fromkeys(absent, 0)
    wanted = int(ops.fields.get("flags") or 0)
    if wanted & ~flags.SINCE_6_12:
        changed.update(_flags(spec, wanted))
    return changed


def _flags(spec: ObjectSpec, wanted: int) -> dict[str, int]:
    unknown = wanted & ~(running_kernel.ops_flags() or wanted)
    if unknown & ~flags.WITHOUT_MEANING:
        names = ", ".join(flags.names(unknown & ~flags.WITHOUT_MEANING))
        raise Unsupported(
            f"{spec.name} needs the flag {names}, which this kernel ({running_kernel.release()}) "
            "does not have; use a newer kernel, or build it without"
        )
    return {"flags": wanted & ~unknown} if unknown else {}


def require_sizes(spec: ObjectSpec, sized: Collection[str] = ()) -> None:
    """BadObject if a map has no size and is not among those that are given one."""
    without = [m.name for m in spec.maps.values() if not m.max_entries and needs_size(m)]
    if missing := [name for name in without if name not in sized]:
        raise BadObject(
            f"{spec.name} cannot be used without its own loader, which gives the "
            f"map{'s' if len(missing) > 1 else ''} {', '.join(missing)} a size"
        )


def needs_size(map_: MapSpec) -> bool:
    """Whether the kernel refuses a map of that type without a number of entries."""
    return not map_.type.endswith(_WITHOUT_SIZE)


def _constants(spec: ObjectSpec, given: Collection[str]) -> dict[str, int]:
    """This kernel's values; one that it does not have stays 0, as the headers expect."""
    wanted = [name for name in shape.constants(spec) if name not in given]
    if not wanted:
        return {}
    known = running_kernel.enumerators()
    return {
        name: _in_width(spec.variables[name].type, known[name[2:]])
        for name in wanted
        if name[2:] in known
    }


def _in_width(type_: Type, value: int) -> int:
    """``value`` in the variable's own width and sign: some headers declare 32 bits."""
    bits = type_.size * 8
    bias = 1 << bits - 1 if isinstance(type_, Int | Enum) and type_.signed else 0
    return (value + bias) % (1 << bits) - bias


def well_known(spec: ObjectSpec, given: Collection[str] = ()) -> dict[str, Any]:
    """Constants that are set for this machine, with the values that they get here."""
    found: dict[str, Any] = {}
    for name in cpus.NAMES:
        var = spec.variables.get(name)
        if var is None or var.writable or name in given:
            continue
        value = cpus.value_of(name, var.type, var.initial)
        if value is not None:
            found[name] = value
    return found


def _sizes(spec: ObjectSpec, given: Mapping[str, Any]) -> tuple[dict[str, int], dict[str, int]]:
    """Bytes of sections whose array a loader sizes, and the lengths that the program reads."""
    sizes: dict[str, int] = {}
    lengths: dict[str, int] = {}
    asked = max((int(o.fields.get("exit_dump_len") or 0) for o in spec.ops.values()), default=0)
    for var in shape.sized_by_cpu(spec):
        assert isinstance(var.type, Array)
        sizes[var.section] = var.type.element.size * cpus.ids()
    for var in filter(shape.is_dump, shape.resizable(spec)):
        length = shape.dump_length(var)
        if length in spec.variables:
            lengths[length] = int(given.get(length, asked or _DUMP_BYTES))
            sizes[var.section] = max(lengths[length], 1)
    return sizes, {name: n for name, n in lengths.items() if name not in given}
