"""The tables of a remap file while it is being made, each rule with where it comes from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from pyloader.hid.remap.keyd.layers import KeydLayer
from pyloader.hid.remap.keyd.parse import Place
from pyloader.hid.remap.model import Action, Layer, Simple, TapHold


@dataclass(frozen=True)
class Rule:
    """What a key does."""

    action: Action
    place: Place
    comments: tuple[str, ...] = ()


@dataclass(frozen=True)
class Chord:
    """What keys do that are pressed together."""

    names: tuple[str, ...]
    within_ms: int
    action: Simple
    place: Place
    comments: tuple[str, ...] = ()


@dataclass
class Table:
    """``rules`` by the name of the key, ``chords`` by their keys."""

    layer: KeydLayer
    rules: dict[str, Rule] = field(default_factory=dict[str, Rule])
    chords: dict[frozenset[str], Chord] = field(default_factory=dict[frozenset[str], Chord])

    def drop(self, rule: Rule | Chord) -> None:
        """Take it out."""
        self.rules = {key: each for key, each in self.rules.items() if each is not rule}
        self.chords = {keys: each for keys, each in self.chords.items() if each is not rule}

    def each(self) -> Iterator[Rule | Chord]:
        """All rules, also those of chords."""
        yield from self.rules.values()
        yield from self.chords.values()


def layers_in(action: Action) -> list[Layer]:
    """The layers that an action switches, also those inside of it."""
    parts = (action.tap, action.hold) if isinstance(action, TapHold) else (action,)
    return [part for part in parts if isinstance(part, Layer)]
