"""Rules as the map ``rule_tables`` holds them, and back.

The layout is that of ``struct rule_table`` in ``schedulers/include/layers_table.h``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from pyloader.rules import model
from pyloader.rules.model import DEFAULT_LAYER, Layer, Rule, RuleSet
from pyloader.rules.patterns import is_plain

COMM, COMM_GLOB, CGROUP, UID, NICE, KTHREAD, USER, INPUT, NO_INPUT = (1 << n for n in range(9))
"""What a rule looks at: ``enum rule_looks_at``."""

_COMM_BYTES = 16
_CPU_WORDS = model.MAX_CPUS // 64

LAYER = np.dtype(
    [
        ("name", f"S{model.MAX_LAYER_NAME + 1}"),
        ("cpus", "u8", (_CPU_WORDS,)),
        ("slice_ns", "u8"),
        ("weight", "u4"),
        ("latency", "u4"),
        ("has_cpus", "?"),
        ("preempt", "?"),
    ],
    align=True,
)
RULE = np.dtype(
    [
        ("comm_value", "u8", (2,)),
        ("comm_mask", "u8", (2,)),
        ("comm", f"S{model.MAX_COMM_PATTERN + 1}"),
        ("looks_at", "u4"),
        ("cgroup", "u4"),
        ("uid_min", "u4"),
        ("uid_max", "u4"),
        ("nice_min", "i4"),
        ("nice_max", "i4"),
        ("layer", "u4"),
        ("reserved", "u4"),
    ],
    align=True,
)
TABLE = np.dtype(
    [
        ("nr_rules", "u4"),
        ("nr_cgroups", "u4"),
        ("applied_at", "u8"),
        ("source", "S256"),
        ("cgroups", f"S{model.MAX_CGROUP_PATTERN + 1}", (model.MAX_CGROUP_PATTERNS,)),
        ("layers", LAYER, (model.MAX_LAYERS,)),
        ("rules", RULE, (model.MAX_RULES,)),
    ],
    align=True,
)


def slots(names: Mapping[str, Any] | list[str], before: Mapping[str, int]) -> dict[str, int]:
    """The place of each layer in the table: the old one if there was one of that name.

    What a layer has counted goes on then. A new one takes a place that none of
    ``before`` had, if there is one. The default layer has place 0.
    """
    places = {name: before[name] for name in names if name in before}
    places[DEFAULT_LAYER] = 0
    unused = [n for n in range(1, model.MAX_LAYERS) if n not in before.values()]
    given_up = [n for n in before.values() if n not in places.values()]
    free = iter(unused + sorted(given_up))
    for name in names:
        if name not in places:
            places[name] = next(free)
    return places


def encode(
    rules: RuleSet, before: Mapping[str, int] | None = None, source: str = "", applied_ns: int = 0
) -> Any:
    """The rules as one record of dtype ``TABLE``, shape ``()``.

    ``before`` are the places of the layers in the table that is in force;
    ``applied_ns`` is when, on the wall clock.
    """
    table = np.zeros((), TABLE)
    table["applied_at"] = applied_ns
    table["source"] = source.encode(errors="replace")[:255]
    places = slots(list(rules.layers), before or {})
    for name, layer in rules.layers.items():
        table["layers"][places[name]] = _layer(layer)
    patterns = list(dict.fromkeys(r.cgroup for r in rules.rules if r.cgroup is not None))
    table["nr_cgroups"], table["nr_rules"] = len(patterns), len(rules.rules)
    for index, pattern in enumerate(patterns):
        # The root is the empty path, so that every path continues it with a slash.
        table["cgroups"][index] = b"" if pattern == "/" else pattern.encode()
    for index, rule in enumerate(rules.rules):
        found = patterns.index(rule.cgroup) if rule.cgroup is not None else 0
        table["rules"][index] = _rule(rule, found, places[rule.layer])
    return table


def decode(table: Any) -> RuleSet:
    """The rules that a record of dtype ``TABLE`` holds, without their numbers in the file."""
    names = layer_names(table)
    layers = {name: _layer_of(table["layers"][place]) for name, place in names.items()}
    by_place = {place: name for name, place in names.items()}
    rules = [
        _rule_of(record, table["cgroups"], by_place, number)
        for number, record in enumerate(table["rules"][: int(table["nr_rules"])], 1)
    ]
    return RuleSet(layers, tuple(rules))


def layer_names(table: Any) -> dict[str, int]:
    """The layers of a record of dtype ``TABLE`` by name, with their places in it."""
    raw = [bytes(name) for name in table["layers"]["name"]]
    return {name.decode(errors="replace"): n for n, name in enumerate(raw) if name}


def _layer(layer: Layer) -> Any:
    record = np.zeros((), LAYER)
    record["name"] = layer.name.encode()
    for cpu in layer.cpus or ():
        record["cpus"][cpu // 64] |= np.uint64(1 << cpu % 64)
    record["slice_ns"] = layer.slice_us * 1_000
    record["weight"] = layer.weight
    record["latency"] = model.LATENCIES.index(layer.latency)
    record["has_cpus"] = layer.cpus is not None
    record["preempt"] = layer.preempt
    return record


def _layer_of(record: Any) -> Layer:
    words = [int(word) for word in record["cpus"]]
    cpus = frozenset(c for c in range(model.MAX_CPUS) if words[c // 64] >> c % 64 & 1)
    return Layer(
        bytes(record["name"]).decode(errors="replace"),
        weight=int(record["weight"]),
        slice_us=int(record["slice_ns"]) // 1_000,
        cpus=cpus if record["has_cpus"] else None,
        latency=model.LATENCIES[int(record["latency"]) % len(model.LATENCIES)],
        preempt=bool(record["preempt"]),
    )


def _rule(rule: Rule, cgroup: int, place: int) -> Any:
    record = np.zeros((), RULE)
    looks_at = 0
    if rule.comm is not None:
        record["comm"] = rule.comm.encode()
        plain = _plain_comm(rule.comm)
        looks_at |= COMM_GLOB if plain is None else COMM
        if plain is not None:
            record["comm_value"], record["comm_mask"] = plain
    if rule.cgroup is not None:
        looks_at |= CGROUP
        record["cgroup"] = cgroup
    if rule.uid is not None:
        looks_at |= UID
        record["uid_min"], record["uid_max"] = rule.uid
    if rule.nice is not None:
        looks_at |= NICE
        record["nice_min"], record["nice_max"] = rule.nice
    if rule.kernel_thread is not None:
        looks_at |= KTHREAD if rule.kernel_thread else USER
    if rule.input is not None:
        looks_at |= INPUT if rule.input else NO_INPUT
    record["looks_at"], record["layer"] = looks_at, place
    return record


def _rule_of(record: Any, cgroups: Any, names: Mapping[int, str], number: int) -> Rule:
    looks_at = int(record["looks_at"])

    def pair(what: int, name: str) -> tuple[int, int] | None:
        return (int(record[f"{name}_min"]), int(record[f"{name}_max"])) if looks_at & what else None

    cgroup = bytes(cgroups[int(record["cgroup"]) % len(cgroups)]).decode(errors="replace") or "/"
    comm = bytes(record["comm"]).decode(errors="replace")
    return Rule(
        names.get(int(record["layer"]), DEFAULT_LAYER),
        comm=comm if looks_at & (COMM | COMM_GLOB) else None,
        cgroup=cgroup if looks_at & CGROUP else None,
        uid=pair(UID, "uid"),
        nice=pair(NICE, "nice"),
        kernel_thread=bool(looks_at & KTHREAD) if looks_at & (KTHREAD | USER) else None,
        input=bool(looks_at & INPUT) if looks_at & (INPUT | NO_INPUT) else None,
        number=number,
    )


def _plain_comm(pattern: str) -> tuple[list[int], list[int]] | None:
    """Value and mask (two words each) of a whole name or of its beginning; None for others.

    A whole name includes the NUL after it.
    """
    begins = pattern.endswith("*")
    stem = pattern[:-1] if begins else pattern
    if not is_plain(stem):
        return None
    raw = stem.encode()
    mask = b"\xff" * (len(raw) + (not begins))
    return _words(raw), _words(mask)


def _words(raw: bytes) -> list[int]:
    padded = raw[:_COMM_BYTES].ljust(_COMM_BYTES, b"\0")
    return [int(word) for word in np.frombuffer(padded, "u8")]
