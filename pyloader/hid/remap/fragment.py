"""What one table of a file says by itself, and several laid over each other."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from pyloader.hid.remap.model import BASE, Action, Combo, Keys, Layer, Match, Rules, TapHold
from pyloader.hid.remap.where import Source

MOST_LAYERS = 16
MOST_COMBOS = 64


def _base() -> dict[str, dict[str, Action]]:
    return {BASE: {}}


@dataclass
class Fragment:
    """``source`` is where the table stands. Layers by name, ``BASE`` first; combos by layer and
    keys; scales by axis; ``stands`` tells of each layer where it is named first; ``carried`` what a
    layer carries, without keys where it is to carry nothing."""

    source: Source
    layers: dict[str, dict[str, Action]] = field(default_factory=_base)
    combos: dict[tuple[str, frozenset[str]], Combo] = field(
        default_factory=dict[tuple[str, frozenset[str]], Combo]
    )
    scales: dict[str, float] = field(default_factory=dict[str, float])
    stands: dict[str, Source] = field(default_factory=dict[str, Source])
    carried: dict[str, Keys] = field(default_factory=dict[str, Keys])

    def sources(self) -> frozenset[str]:
        """Names of the keys that it has something to say about."""
        named = {name for keys in self.layers.values() for name in keys}
        return frozenset(named.union(*(keys for _, keys in self.combos)))

    def rules(self, device: Match, label: str, optional: frozenset[str] = frozenset()) -> Rules:
        """As rules for a device, which need not have the keys ``optional``.

        Raises:
            BadRules: there are none, there are too many, or there is a layer with no way out.
        """
        if len(self.layers) > MOST_LAYERS:
            why = f"has {len(self.layers) - 1} layers; {MOST_LAYERS - 1} is the most"
            self.source.wrong((), "", why)
        if len(self.combos) > MOST_COMBOS:
            why = f"has {len(self.combos)} combos; {MOST_COMBOS} is the most"
            self.source.wrong((), "", why)
        combos = sorted(self.combos.values(), key=lambda combo: -len(combo.names))
        carried = {name: keys for name, keys in self.carried.items() if keys.names}
        made = Rules(
            *(label, device, self.layers, tuple(combos), self.scales, optional, carried),
            file=self.source.path,
        )
        if not made.sources() and not made.scales:
            self.source.wrong((), "", "has no rules: no keys, buttons, combos or axes")
        self._ways_out(made)
        return made

    def _ways_out(self, rules: Rules) -> None:
        """A layer that is switched on must have a key that switches it off."""
        base = rules.layers[BASE]
        for action in rules.actions():
            if not isinstance(action, Layer) or action.how != "toggle":
                continue
            inside = {**base, **rules.layers[action.name]}
            leave = [a for a in inside.values() if _toggles(a, action.name)]
            if not leave and not any(_toggles(c.action, action.name) for c in rules.combos):
                self.stands[action.name].wrong(
                    ("layer", action.name),
                    "",
                    "is a layer with no way out: where it is switched on, no key that has"
                    f" {{toggle = {action.name!r}}} is left",
                )


def overlaid(source: Source, fragments: Iterable[Fragment]) -> Fragment:
    """All of them, each over those before it: what two say, the later one decides, key by key.

    A layer stays where it was first, so of two layers that count the one that came later is above.
    """
    made = Fragment(source)
    for each in fragments:
        for name, keys in each.layers.items():
            made.layers.setdefault(name, {}).update(keys)
        made.combos.update(each.combos)
        made.carried.update(each.carried)
        made.scales.update(each.scales)
        made.stands = {**each.stands, **made.stands}
    return made


def _toggles(action: Action, layer: str) -> bool:
    parts = (action.tap, action.hold) if isinstance(action, TapHold) else (action,)
    return Layer("toggle", layer) in parts
