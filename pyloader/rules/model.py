"""What a file of rules says, typed; and the limits of the scheduler that follows it.

The limits are those of ``schedulers/include/layers_table.h``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

MAX_LAYERS = 32
MAX_RULES = 256
MAX_CGROUP_PATTERNS = 64
MAX_CPUS = 1024
MAX_LAYER_NAME = 31
"""Bytes of a layer's name."""
MAX_COMM = 15
"""Bytes that the kernel keeps of a task's name."""
MAX_COMM_PATTERN = 31
MAX_CGROUP_PATTERN = 127
MAX_UID = (1 << 32) - 1

DEFAULT_LAYER = "default"
LATENCIES = ("normal", "interactive", "batch")
WEIGHTS = (1, 10_000)
SLICES_US = (100, 50_000)
NICES = (-20, 19)

Range = tuple[int, int]
"""The first and the last value that are meant."""


@dataclass(frozen=True)
class Layer:
    """How the tasks of a layer are treated; ``cpus`` is None where they may run anywhere."""

    name: str
    weight: int = 100
    slice_us: int = 5_000
    cpus: frozenset[int] | None = None
    latency: str = "normal"
    preempt: bool = False


@dataclass(frozen=True)
class Rule:
    """What puts a task into ``layer``: all that is not None must fit.

    ``comm`` and ``cgroup`` are patterns. ``input`` is whether it runs on behalf of an
    input event just now (``input_first``). ``number`` is which rule of the file it was,
    from 1 on; one that lists several patterns becomes several of the same number.
    """

    layer: str
    comm: str | None = None
    cgroup: str | None = None
    uid: Range | None = None
    nice: Range | None = None
    kernel_thread: bool | None = None
    input: bool | None = None
    number: int = field(default=0, compare=False)


@dataclass(frozen=True)
class RuleSet:
    """The layers by name, the default one always among them, and the rules: the first that fits."""

    layers: Mapping[str, Layer]
    rules: tuple[Rule, ...]
