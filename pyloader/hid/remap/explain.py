"""Rules in words: what each key reads and writes on a device."""

from __future__ import annotations

from typing import NamedTuple

from pyloader.hid.remap import codes
from pyloader.hid.remap.build import Places, Slot
from pyloader.hid.remap.model import Action, Keys, Layer, Macro, Nothing, Pass, Rules, TapHold


class Line(NamedTuple):
    """One rule: the layer, the key, where it is read, what it does, where that is written."""

    layer: str
    key: str
    reads: str
    does: str
    writes: str


def explain(rules: Rules, own: Places, places: Places) -> list[Line]:
    """All rules for keys and combos, in the order of the file.

    ``own`` is what the device says by itself, ``places`` what it says with keys that are added.
    """
    lines = [
        Line(layer, name, _read(name, own), in_words(action), _written(action, places))
        for layer, keys in rules.layers.items()
        for name, action in keys.items()
    ]
    lines += [
        Line(
            combo.layer,
            "+".join(combo.names),
            "; ".join(_read(name, own) for name in combo.names),
            f"{in_words(combo.action)}, pressed within {combo.within_ms} ms",
            _written(combo.action, places),
        )
        for combo in rules.combos
    ]
    return lines


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


def _written(action: Action, places: Places) -> str:
    found = dict.fromkeys(_targets(action))
    slots = [places.slots[places.code_for(name)] for name in found if places.says(name)]
    return ", ".join(map(_place, slots))


def _place(slot: Slot) -> str:
    report = f"report {slot.report_id} " if slot.report_id else ""
    return f"{report}value 0x{slot.value:02x}" if slot.is_array else f"{report}bit {slot.value}"
