"""Rules become the numbered actions of hid/remap/table.h, which count on all interfaces."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pyloader.btf import Type
from pyloader.errors import WrongUse
from pyloader.hid.remap import codes
from pyloader.hid.remap.build import Places
from pyloader.hid.remap.model import (
    RESOLVES,
    Action,
    Keys,
    Layer,
    Macro,
    Nothing,
    Pass,
    Rules,
    Simple,
    TapHold,
)
from pyloader.packed import Packed

# As in hid/remap/table.h.
NR_INTERFACES = 8
_KEYS, _NOTHING, _LAYER, _TOGGLE, _ONESHOT, _MACRO, _TAP_HOLD = range(1, 8)
_HOW = {"layer": _LAYER, "toggle": _TOGGLE, "oneshot": _ONESHOT}
_DOWN, _FLUSH = 0x8000, 0
_MOST_STEPS = 128  # things to do of one macro: hid/remap/machine.h keeps that many places free


def missing(rules: Rules, interfaces: Sequence[Places]) -> list[str]:
    """Names of the keys that the rules press and no interface can say."""
    return [n for n in rules.targets() if not any(places.says(n) for places in interfaces)]


def build_rules(rules: Rules, interfaces: Mapping[int, Places], type_: Type) -> bytes:
    """The rules for a device with these interfaces, by their number: a value of the map
    ``all_rules``, of ``type_``.

    Raises:
        WrongUse: the rules press keys that none of them can say, or need more than there is.
    """
    lacking = missing(rules, list(interfaces.values()))
    if lacking:
        raise WrongUse(f"the device has no way to say {', '.join(lacking)}")
    sayers: dict[int, int] = {}
    for number, places in interfaces.items():
        for code in places.slots:
            sayers[code] = sayers.get(code, 0) | 1 << number
    made = Packed(type_)
    for code, mask in sayers.items():
        made["sayers"][code] = mask
    _Actions(made, sayers).write(rules)
    return made.tobytes()


class _Actions:
    """Writes actions and steps, each once."""

    def __init__(self, table: Packed, sayers: Mapping[int, int]) -> None:
        self._table, self._sayers = table, sayers
        self._known: dict[Any, int] = {}
        self._steps = 0

    def write(self, rules: Rules) -> None:
        order = {name: n for n, name in enumerate(rules.layers)}
        for name, layer in rules.layers.items():
            for source, action in layer.items():
                for code in codes.codes_of(source):
                    self._table["layers"][order[name]][code] = self._number(action, code, order)
        for name, keys in rules.carried.items():
            self._table["carriers"] |= 1 << order[name]
            for modifier in keys.names:
                self._table["carried"][order[name]] |= 1 << codes.modifier(modifier)
        for n, combo in enumerate(rules.combos):
            row = self._table["combos"][n]
            row["nr"], row["layer"] = len(combo.names), order[combo.layer]
            row["within_ms"] = combo.within_ms
            for code in (code for name in combo.names for code in codes.codes_of(name)):
                self._table["combos_of"][code] |= 1 << n
            row["action"] = self._number(combo.action, codes.codes_of(combo.names[0])[0], order)
        self._table["nr_combos"] = len(rules.combos)

    def _code_for(self, name: str) -> int:
        """The code to press for the name of a key: one that an interface can say."""
        known = codes.codes_of(name)
        return next((code for code in known if code in self._sayers), known[0])

    def _number(self, action: Action, own: int, order: dict[str, int]) -> int:
        """The action's number; ``own`` is the code of the key that has it."""
        known = (action, own if _is_own(action) else 0)
        if known in self._known:
            return self._known[known]
        number = len(self._known) + 1
        if number >= len(self._table["actions"]):
            raise WrongUse(f"the rules have more than {number - 1} different actions")
        self._known[known] = number
        row = self._table["actions"][number]
        if isinstance(action, TapHold):
            tap, hold = (self._number(part, own, order) for part in (action.tap, action.hold))
            row = self._table["actions"][number]
            row["kind"], row["tap"], row["hold"] = _TAP_HOLD, tap, hold
            row["timeout_ms"], row["resolve"] = action.timeout_ms, RESOLVES.index(action.resolve)
        else:
            self._simple(row, action, own, order)
        return number

    def _simple(self, row: Packed, action: Simple, own: int, order: dict[str, int]) -> None:
        if isinstance(action, Keys):
            row["kind"], row["nr"] = _KEYS, len(action.names)
            row["codes"].put(0, [self._code_for(n) for n in action.names])
        elif isinstance(action, Pass):
            row["kind"], row["nr"], row["codes"][0] = _KEYS, 1, own
        elif isinstance(action, Nothing):
            row["kind"] = _NOTHING
        elif isinstance(action, Layer):
            row["kind"], row["layer"] = _HOW[action.how], order[action.name]
        else:
            self._macro(row, action)

    def _macro(self, row: Packed, action: Macro) -> None:
        steps: list[int] = []
        for step in action.steps:
            pressed = [self._code_for(name) for name in step.names]
            steps += [code | _DOWN for code in pressed]
            steps += [_FLUSH, *pressed, _FLUSH]
        if self._steps + len(steps) > len(self._table["steps"]) or len(steps) > _MOST_STEPS:
            raise WrongUse("the macros of the rules are too long")
        row["kind"], row["nr"], row["codes"][0] = _MACRO, len(steps), self._steps
        self._table["steps"].put(self._steps, steps)
        self._steps += len(steps)


def _is_own(action: Action) -> bool:
    """Whether what it means depends on the key that has it."""
    if isinstance(action, TapHold):
        return _is_own(action.tap) or _is_own(action.hold)
    return isinstance(action, Pass)
