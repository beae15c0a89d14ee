"""What a remap file says: devices, layers, and what keys do in them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field, replace

BASE = "keys"
"""The layer that is always active."""

RESOLVES = ("timeout", "press", "release")
"""How a key is found to be held, in the order of hid/remap/table.h."""


@dataclass(frozen=True)
class Keys:
    """Pressed together, in this order, for as long as the key is. Names."""

    names: tuple[str, ...]


@dataclass(frozen=True)
class Pass:
    """The key is itself, whatever the layers below say."""


@dataclass(frozen=True)
class Nothing:
    """The key does nothing."""


@dataclass(frozen=True)
class Layer:
    """``how``: ``layer`` while the key is held, ``toggle``, or ``oneshot`` for the next key."""

    how: str
    name: str


@dataclass(frozen=True)
class Macro:
    """Each step is pressed and released before the next one."""

    steps: tuple[Keys, ...]


@dataclass(frozen=True)
class TapHold:
    """``tap`` if it is released in time, ``hold`` otherwise; ``resolve`` is one of ``RESOLVES``."""

    tap: Simple
    hold: Simple
    timeout_ms: int
    resolve: str


Simple = Keys | Pass | Nothing | Layer | Macro
Action = Simple | TapHold


@dataclass(frozen=True)
class Combo:
    """Keys that mean something else when they are pressed together, in any order."""

    names: tuple[str, ...]
    action: Simple
    within_ms: int
    layer: str = BASE


@dataclass(frozen=True)
class Match:
    """Which devices are meant: None where it does not matter. ``name`` is a pattern (fnmatch)."""

    name: str | None = None
    vendor: int | None = None
    product: int | None = None
    bus: int | None = None


@dataclass(frozen=True)
class Rules:
    """``layers`` by name, ``BASE`` first; of each what keys do, by the name of the key. ``scales``
    by the name of the axis. ``optional`` are keys that a device need not have. ``carried`` are the
    modifiers that are pressed while a layer counts, by its name, but not with its own keys. Rules
    that ``leave_alone`` are none: the devices get none, also not of other sections. ``path`` is
    that of the file, with the line where it is a section of it; ``file`` without.
    """

    path: str
    device: Match
    layers: dict[str, dict[str, Action]]
    combos: tuple[Combo, ...] = ()
    scales: dict[str, float] = field(default_factory=dict[str, float])
    optional: frozenset[str] = frozenset()
    carried: dict[str, Keys] = field(default_factory=dict[str, Keys])
    leave_alone: bool = False
    file: str = ""

    def without(self, names: Collection[str]) -> Rules:
        """The others: none for these keys, and no combos with them."""
        layers = {
            layer: {name: action for name, action in keys.items() if name not in names}
            for layer, keys in self.layers.items()
        }
        combos = tuple(c for c in self.combos if not any(name in names for name in c.names))
        return replace(self, layers=layers, combos=combos)

    def actions(self) -> list[Action]:
        """All of them, also those inside of others."""
        found: list[Action] = [a for layer in self.layers.values() for a in layer.values()]
        found += [combo.action for combo in self.combos]
        found += [part for a in found if isinstance(a, TapHold) for part in (a.tap, a.hold)]
        return found

    def sources(self) -> set[str]:
        """Names of the keys that it has something to say about."""
        named = {name for layer in self.layers.values() for name in layer}
        return named | {name for combo in self.combos for name in combo.names}

    def targets(self) -> list[str]:
        """Names of the keys that it may press, each once, in the order of the file."""
        found: dict[str, None] = {}
        reached = {action.name for action in self.actions() if isinstance(action, Layer)}
        for name, keys in self.carried.items():
            if name in reached:
                found.update(dict.fromkeys(keys.names))
        for action in self.actions():
            steps = action.steps if isinstance(action, Macro) else (action,)
            for step in steps:
                if isinstance(step, Keys):
                    found.update(dict.fromkeys(step.names))
        return list(found)
