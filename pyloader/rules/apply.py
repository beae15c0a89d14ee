"""Rules in force: put there while the scheduler runs, and what it has counted since."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import numpy as np

from pyloader import lock, running, sysfs
from pyloader.attached import Attached
from pyloader.errors import Gone, ScxhidError
from pyloader.rules import table as tables
from pyloader.rules.model import Layer, RuleSet

SCHEDULER = "layers"

_TABLES, _COUNTS, _QUEUES, _VERSION = "rule_tables", "layer_counts", "queues", "rules_version"
_BUCKET_NS = 1_024
_NO_TASKS = 1 << 31  # layers_state.h; the epoch stands above
_SETTLE_S = 2.0


class Figures(NamedTuple):
    """What a layer has done since it exists: times in ns, the rest counts.

    ``tasks`` are alive and in it now. ``wait_p50_ns`` and ``wait_p99_ns`` are upper
    bounds, for waits are counted in powers of two; None before the first wait.
    """

    tasks: int
    run_ns: int
    enqueued: int
    wait_mean_ns: int | None
    wait_p50_ns: int | None
    wait_p99_ns: int | None
    preempting: int
    preempted: int


class InForce(NamedTuple):
    """The rules that are followed now; ``applied_ns`` (wall clock) is 0 for the first ones."""

    rules: RuleSet
    source: str
    applied_ns: int
    version: int
    figures: dict[str, Figures]


class Applied(NamedTuple):
    """What a change did; ``taken_ns`` is from the store on: until every CPU had seen it."""

    version: int
    taken_ns: int


def apply(rules: RuleSet, source: str, tell: Callable[[str], None] | None = None) -> Applied:
    """Let the scheduler that runs follow ``rules`` from now on; nothing is swapped.

    The table that is not in force is filled, then one store makes it the one that
    is. Raises Gone if another scheduler runs, Busy, NotPermitted.
    """
    with lock.writer(on_wait=tell):
        scheduler = require_layers()
        version = scheduler.variables[_VERSION]
        now = int(version.value)
        before = tables.layer_names(_table(scheduler, now))
        record = tables.encode(rules, before, os.path.abspath(source), time.time_ns())
        maps = scheduler.maps
        raw = np.frombuffer(record.tobytes(), maps[_TABLES].value_dtype)
        maps[_TABLES].update((now + 1) & 1, raw)
        for name, place in tables.layer_names(record).items():
            if name not in before:
                maps[_COUNTS].update(place, np.zeros(1, maps[_COUNTS].value_dtype))
        started = time.monotonic_ns()
        version.value = (now + 1) & 0xFFFFFFFF
        _settle(rules.layers.values())
    return Applied((now + 1) & 0xFFFFFFFF, time.monotonic_ns() - started)


def in_force() -> InForce:
    """The rules that the running scheduler follows, with each layer's figures."""
    scheduler = require_layers()
    version = int(scheduler.variables[_VERSION].value)
    record = _table(scheduler, version)
    figures = {
        name: _figures(scheduler, place) for name, place in tables.layer_names(record).items()
    }
    source = bytes(record["source"]).decode(errors="replace")
    return InForce(tables.decode(record), source, int(record["applied_at"]), version, figures)


def has_rule_for_input(scheduler: Attached) -> bool:
    """Whether one of the rules that ``scheduler`` follows is for input; True if it has no rules."""
    if _TABLES not in scheduler.maps or _VERSION not in scheduler.variables:
        return True
    record = _table(scheduler, int(scheduler.variables[_VERSION].value))
    return any(rule.input for rule in tables.decode(record).rules)


def require_layers() -> Attached:
    """The running scheduler if it is one with rules; Gone, with the command to start it, if not."""
    start = f"`scxhid sched use {SCHEDULER}` starts it"
    running.require_sched_ext()
    found = running.current()
    if found is None:
        ops = sysfs.read().ops
        what = f"{ops}, which is not ours, runs" if ops else "the kernel's own runs"
        raise Gone(f"rules are for the scheduler {SCHEDULER}, and {what}; {start}")
    if _TABLES not in found.maps or _VERSION not in found.variables:
        raise Gone(f"rules are for the scheduler {SCHEDULER}, and {found.name} runs; {start}")
    if found.maps[_TABLES].value_dtype.itemsize != tables.TABLE.itemsize:
        raise ScxhidError(
            f"the {found.name} that runs is of another version of scxhid than this command; {start}"
        )
    return found


def _table(scheduler: Attached, version: int) -> Any:
    value = scheduler.maps[_TABLES].lookup(version & 1)
    assert value is not None, "an array has all of its entries"
    return np.frombuffer(value.tobytes(), tables.TABLE)[0]


def _figures(scheduler: Attached, place: int) -> Figures:
    counts = scheduler.maps[_COUNTS].lookup(place)
    queue = scheduler.maps[_QUEUES].lookup(place)
    assert counts is not None, "an array has all of its entries"
    assert queue is not None, "an array has all of its entries"
    waits = counts["waits"].sum(axis=0)
    total = int(waits.sum())
    return Figures(
        tasks=max(0, (int(queue["nr_tasks"]) & 0xFFFFFFFF) - _NO_TASKS),
        run_ns=int(counts["run_ns"].sum()),
        enqueued=int(counts["enqueued"].sum()),
        wait_mean_ns=int(counts["wait_ns"].sum()) // total if total else None,
        wait_p50_ns=_below(waits, 0.5),
        wait_p99_ns=_below(waits, 0.99),
        preempting=int(counts["preempting"].sum()),
        preempted=int(counts["preempted"].sum()),
    )


def _below(waits: Any, part: float) -> int | None:
    """The bound (ns) below which that part of the waits lies; ``waits`` by powers of two."""
    total = int(waits.sum())
    if not total:
        return None
    bucket = int(np.searchsorted(np.cumsum(waits), part * total))
    return _BUCKET_NS << (bucket + 1)


def _settle(layers: Iterable[Layer]) -> None:
    """Run for a moment on each CPU that a layer may not use.

    A task that has a CPU for itself goes on there without the scheduler being asked.
    Somebody else who wants to run makes it ask, and the task goes where it belongs.
    """
    limited = [layer.cpus for layer in layers if layer.cpus is not None]
    allowed = os.sched_getaffinity(0)
    deadline = time.monotonic() + _SETTLE_S
    try:
        for cpu in sorted(allowed):
            if time.monotonic() < deadline and any(cpu not in cpus for cpus in limited):
                try:
                    os.sched_setaffinity(0, {cpu})
                except OSError:  # went offline meanwhile
                    continue
    finally:
        os.sched_setaffinity(0, allowed)
