"""What loaders made elsewhere tell their programs of the machine: numbers of CPUs, SMT."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from pyloader.btf import Int, Type

CPUS = Path("/sys/devices/system/cpu")
_SLICE_NS = 20_000_000  # the kernel's SCX_SLICE_DFL


def _listed(text: str) -> list[int]:
    """The numbers in a list as sysfs writes it: ``0-3,8``."""
    found: list[int] = []
    for part in filter(None, text.strip().split(",")):
        first, _, last = part.partition("-")
        found += range(int(first), int(last or first) + 1)
    return found


def _read(name: str) -> list[int]:
    try:
        return _listed((CPUS / name).read_text())
    except (OSError, ValueError):
        return [0]


def possible() -> int:
    """How many CPUs this machine can have."""
    return len(_read("possible"))


def ids() -> int:
    """One more than the highest number of a CPU that this machine can have."""
    return max(_read("possible")) + 1


def online() -> int:
    return len(_read("online"))


def smt() -> bool:
    """Whether CPUs share cores now."""
    return _read("smt/active") == [1]


def _slice() -> int:
    return _SLICE_NS


# Only numbers that are the same whatever the scheduler does with them.
WELL_KNOWN: dict[str, Callable[[], Any]] = {
    "nr_cpu_ids": ids,
    "nr_cpus": possible,
    "nr_possible_cpus": possible,
    "nr_cpus_possible": possible,
    "num_possible_cpus": possible,
    "nr_online_cpus": online,
    "nr_cpus_online": online,
    "nr_cpus_onln": online,
    "smt_enabled": smt,
}
# A slice of zero means the kernel's shortest: no loader leaves it so.
_WHERE_ZERO: dict[str, Callable[[], Any]] = {"slice_ns": _slice, "cgrp_slice_ns": _slice}

NAMES = (*WELL_KNOWN, *_WHERE_ZERO)
"""The constants that are filled, where the object has them."""


def value_of(name: str, type_: Type, compiled: Any) -> Any:
    """What the constant ``name`` should be here; None if it is none of those known."""
    if not isinstance(type_, Int) or type_.is_char:
        return None
    source = WELL_KNOWN.get(name) or (_WHERE_ZERO.get(name) if not compiled else None)
    if (
        source is None
        or type_.is_bool != (name == "smt_enabled")
        or type_.size < 4 - 3 * type_.is_bool
    ):
        return None
    return source()


def described(values: Mapping[str, Any]) -> str:
    """Values in one line: ``nr_cpus = 4, smt_enabled = off``."""
    shown = {True: "on", False: "off"}
    return ", ".join(f"{n} = {shown[v] if isinstance(v, bool) else v}" for n, v in values.items())
