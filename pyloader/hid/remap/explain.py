"""Rules in words: what each key reads and writes on a device."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from pyloader.hid.remap import codes
from pyloader.hid.remap.build import Places, Slot
from pyloader.hid.remap.model import Action, Keys, Layer, Macro, Nothing, Pass, TapHold
from pyloader.hid.remap.plan import Part, Plan


class Line(NamedTuple):
    """One rule: the interface, by its name in sysfs, the layer, the key, where it is read, what it
    does, where that is written."""

    interface: str
    layer: str
    key: str
    reads: str
    does: str
    writes: str


def explain(planned: Plan) -> list[Line]:
    """All rules for keys, modifiers of layers and combos, in the order of the file; of a key that
    several interfaces have one for each.

    Reads are told as the device says them by itself, writes with keys that are added.
    """
    rules = planned.rules
    lines = [
        Line(
            part.device.sysname,
            layer,
            name,
            _read(name, part.own),
            in_words(action),
            _written(action, part, planned),
        )
        for layer, keys in rules.layers.items()
        for name, action in keys.items()
        for part in _with_any((name,), planned)
    ]
    lines += [
        Line(
            planned.device.sysname,
            layer,
            "all others",
            "",
            f"what they do without it, with {in_words(carried)}",
            _written(carried, planned.parts[0], planned),
        )
        for layer, carried in rules.carried.items()
    ]
    lines += [
        Line(
            part.device.sysname,
            combo.layer,
            "+".join(combo.names),
            "; ".join(_read(name, part.own) for name in combo.names),
            f"{in_words(combo.action)}, pressed within {combo.within_ms} ms",
            _written(combo.action, part, planned),
        )
        for combo in rules.combos
        for part in _with_any(combo.names, planned)
    ]
    return lines


def _with_any(names: Sequence[str], planned: Plan) -> list[Part]:
    """The interfaces that have any of the keys; the first if none has."""
    found = [part for part in planned.parts if any(map(part.own.says, names))]
    return found or [planned.parts[0]]


def in_words(action: Action) -> str:
    """What an action does."""
    match action:
        case Keys(names):
            return "+".join(names)
        case Pass():
            return "itself"
        case Nothing():
            return "nothing"
        case Layer(how, name):
            return {
                "layer": f"layer {name} while it is held",
                "toggle": f"layer {name} on or off",
            }.get(how, f"layer {name} for the next key")
        case Macro(steps):
            return "types " + " ".join("+".join(step.names) for step in steps)
        case TapHold(tap, hold, timeout_ms, resolve):
            how = {"press": " or another is pressed", "release": " or another is tapped"}
            return (
                f"tapped: {in_words(tap)}; held for {timeout_ms} ms{how.get(resolve, '')}:"
                f" {in_words(hold)}"
            )


def _targets(action: Action) -> list[str]:
    match action:
        case Keys(names):
            return list(names)
        case Macro(steps):
            return [name for step in steps for name in step.names]
        case TapHold(tap, hold):
            return _targets(tap) + _targets(hold)
        case _:
            return []


def _read(name: str, places: Places) -> str:
    slots = [places.slots[code] for code in codes.codes_of(name) if code in places.slots]
    return ", ".join(map(_place, slots)) or "not there"


def _written(action: Action, part: Part, planned: Plan) -> str:
    """Where: on the same interface if that can say it, else on the first that can."""
    said: list[str] = []
    for name in dict.fromkeys(_targets(action)):
        able = [each for each in (part, *planned.parts) if each.places.says(name)]
        if able:
            where = _place(able[0].places.slots[able[0].places.code_for(name)])
            other = f" of {able[0].device.sysname}" if able[0] is not part else ""
            said.append(f"{where}{other}")
    return ", ".join(said)


def _place(slot: Slot) -> str:
    report = f"report {slot.report_id} " if slot.report_id else ""
    return f"{report}value 0x{slot.value:02x}" if slot.is_array else f"{report}bit {slot.value}"
