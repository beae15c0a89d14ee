"""A remap file, read and checked: docs/reference/remap.md is its grammar."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NoReturn, cast

from pyloader import toml_text
from pyloader.errors import BadRules
from pyloader.hid.remap import codes, where
from pyloader.hid.remap.model import (
    BASE,
    RESOLVES,
    Action,
    Combo,
    Keys,
    Layer,
    Macro,
    Match,
    Nothing,
    Pass,
    Rules,
    Simple,
    TapHold,
)
from pyloader.names import nearest
from pyloader.toml_text import shown

LARGEST_FILE = 1 << 20  # bytes
MOST_LAYERS = 16
MOST_KEYS = 4  # of one action, and of a combo
MOST_STEPS = 31  # of a macro
MOST_COMBOS = 64
LONGEST_MS = 5000

AXES = {
    "x": 0x00010030,
    "y": 0x00010031,
    "z": 0x00010032,
    "rx": 0x00010033,
    "ry": 0x00010034,
    "rz": 0x00010035,
    "wheel": 0x00010038,
    "hwheel": 0x000C0238,
}
"""Full usages of the axes that can be scaled."""

LARGEST_SCALE = 1000.0

_BUSES = {"usb": 3, "bluetooth": 5, "virtual": 6, "i2c": 0x18}
_TABLES = ("device", "keys", "buttons", "combo", "axes", "layer")
_LAYER_ACTIONS = ("layer", "toggle", "oneshot")
_TAP_HOLD = ("tap", "hold", "timeout_ms", "resolve")
_DEFAULT_TIMEOUT_MS, _DEFAULT_WITHIN_MS = 200, 50


def read_file(path: str) -> Rules:
    """The rules in the file.

    Raises:
        BadRules: it cannot be followed; the sentence has file, line, column and key.
        ScxhidError: it cannot be read.
    """
    return read_bytes(toml_text.contents(path, LARGEST_FILE), path)


def read_bytes(raw: bytes, path: str) -> Rules:
    """The same for the contents of the file; ``path`` is only for errors."""
    text, document = toml_text.parse(raw, path, LARGEST_FILE)
    return _Reader(path, text).document(document)


class _Reader:
    def __init__(self, path: str, text: str) -> None:
        self._path, self._text = path, text
        self._table, self._key = "", ""
        self._layers: dict[str, dict[str, Action]] = {BASE: {}}

    def document(self, document: Mapping[str, Any]) -> Rules:
        self._only(document, _TABLES)
        layers = self._tables(document, "layer")
        if len(layers) >= MOST_LAYERS:
            self._wrong(f"has {len(layers)} layers; {MOST_LAYERS - 1} is the most")
        for name in layers:
            self._layers[name] = {}
        combos: list[Combo] = []
        self._keys(BASE, "keys", self._tables(document, "keys"), combos)
        self._keys(BASE, "buttons", self._tables(document, "buttons"), combos)
        self._combos(BASE, "combo", self._tables(document, "combo"), combos)
        for name in layers:
            self._at(f"layer.{name}")
            values = layers[name]
            if not isinstance(values, dict):
                self._wrong("is not a table of keys")
            self._keys(name, f"layer.{name}", cast(dict[str, Any], values), combos)
        if len(combos) > MOST_COMBOS:
            self._wrong(f"has {len(combos)} combos; {MOST_COMBOS} is the most")
        combos.sort(key=lambda combo: -len(combo.names))
        rules = Rules(
            self._path,
            self._device(self._tables(document, "device")),
            self._layers,
            tuple(combos),
            self._scales(self._tables(document, "axes")),
        )
        if not rules.sources() and not rules.scales:
            raise BadRules(self._path, "", "", "has no rules: no keys, buttons, combos or axes")
        self._ways_out(rules)
        return rules

    # ---- tables

    def _device(self, values: Mapping[str, Any]) -> Match:
        self._at("device")
        self._only(values, ("name", "vid", "pid", "bus"))
        name = self._typed(values, "name", str, "text, with * for anything")
        bus = self._typed(values, "bus", str, ", ".join(_BUSES))
        if bus is not None and bus not in _BUSES:
            self._key = "bus"
            self._wrong(f"is {shown(bus)}; it takes {', '.join(_BUSES)}")
        ids: list[int | None] = []
        for key in ("vid", "pid"):
            self._key = key
            number = self._typed(values, key, int, "a number such as 0x046d")
            if number is not None and not 0 <= number <= 0xFFFF:
                self._wrong(f"is {shown(number)}; it takes 0 to 0xffff")
            ids.append(number)
        return Match(name, ids[0], ids[1], None if bus is None else _BUSES[bus])

    def _keys(self, layer: str, table: str, values: Mapping[str, Any], combos: list[Combo]) -> None:
        for name, value in values.items():
            self._at(table, name)
            if table != "keys" and table != "buttons" and name == "combo":
                self._combos(layer, f"{table}.combo", self._as_table(value), combos)
                continue
            source = self._key_name(name, prefer_buttons=table == "buttons")
            if source in self._layers[layer]:
                self._wrong(f"is another name of {source}, which has a rule already")
            self._layers[layer][source] = self._action(value, table == "buttons")

    def _combos(
        self, layer: str, table: str, values: Mapping[str, Any], combos: list[Combo]
    ) -> None:
        for name, value in values.items():
            self._at(table, name)
            names = tuple(self._key_name(part) for part in name.split("+"))
            if not 2 <= len(names) <= MOST_KEYS or len(set(names)) < len(names):
                self._wrong(f"is no combo: it takes 2 to {MOST_KEYS} different keys, as in 'j+k'")
            given = self._as_table(value)
            self._only(given, ("to", "within_ms"))
            if "to" not in given:
                self._wrong("has no 'to', which says what it means")
            action = self._simple(given["to"], False)
            within = self._milliseconds(given, "within_ms", _DEFAULT_WITHIN_MS)
            combos.append(Combo(names, action, within, layer))

    def _scales(self, values: Mapping[str, Any]) -> dict[str, float]:
        found: dict[str, float] = {}
        for name, value in values.items():
            self._at("axes", name)
            if name not in AXES:
                self._wrong(f"scales {_unknown('axis', name, AXES)}")
            given = self._as_table(value)
            self._only(given, ("scale",))
            scale = given.get("scale", 1.0)
            if isinstance(scale, bool) or not isinstance(scale, int | float):
                self._wrong(f"has a scale of {shown(scale)}; it takes a number such as -1.0")
            if not abs(scale) <= LARGEST_SCALE:
                self._wrong(f"has a scale of {shown(scale)}; {LARGEST_SCALE:g} is the most")
            found[name] = float(scale)
        return found

    # ---- actions

    def _action(self, value: Any, prefer_buttons: bool) -> Action:
        if not isinstance(value, dict) or not ({"tap", "hold"} & value.keys()):
            return self._simple(value, prefer_buttons)
        given = cast(dict[str, Any], value)
        self._only(given, _TAP_HOLD)
        for part in ("tap", "hold"):
            if part not in given:
                self._wrong(f"has no {part!r}: a key that is tapped or held takes both")
        resolve = given.get("resolve", RESOLVES[0])
        if resolve not in RESOLVES:
            self._wrong(f"has resolve = {shown(resolve)}; it takes {', '.join(RESOLVES)}")
        return TapHold(
            self._simple(given["tap"], prefer_buttons),
            self._simple(given["hold"], prefer_buttons),
            self._milliseconds(given, "timeout_ms", _DEFAULT_TIMEOUT_MS),
            resolve,
        )

    def _simple(self, value: Any, prefer_buttons: bool) -> Simple:
        if isinstance(value, str):
            return {"none": Nothing(), "pass": Pass()}.get(value) or self._chord(
                value, prefer_buttons
            )
        if not isinstance(value, dict):
            self._wrong(f"is {shown(value)}; it takes a key, 'none', 'pass' or a table")
        given = cast(dict[str, Any], value)
        how = next(iter(given), "")
        if len(given) != 1 or how not in (*_LAYER_ACTIONS, "macro"):
            self._wrong(
                f"is {{{', '.join(given)}}}; it takes one of layer, toggle, oneshot, macro,"
                " or tap and hold of these"
            )
        if how == "macro":
            return self._macro(given[how], prefer_buttons)
        name = given[how]
        if not isinstance(name, str) or name not in self._layers or name == BASE:
            others = [layer for layer in self._layers if layer != BASE]
            if not others:
                self._wrong(f"goes to the layer {shown(name)}, and the file has none")
            text = name if isinstance(name, str) else shown(name)
            self._wrong(f"goes to {_unknown('layer', text, others)}")
        return Layer(how, name)

    def _macro(self, value: Any, prefer_buttons: bool) -> Macro:
        steps = cast(list[Any], value) if isinstance(value, list) else []
        if not steps or not all(isinstance(step, str) for step in steps):
            self._wrong("has a macro that is no list of keys such as ['h', 'i', 'shift+1']")
        if len(steps) > MOST_STEPS:
            self._wrong(f"has a macro of {len(steps)} steps; {MOST_STEPS} is the most")
        return Macro(tuple(self._chord(step, prefer_buttons) for step in steps))

    def _chord(self, text: str, prefer_buttons: bool) -> Keys:
        names = tuple(self._key_name(part, prefer_buttons) for part in text.split("+"))
        if len(names) > MOST_KEYS:
            self._wrong(f"presses {len(names)} keys; {MOST_KEYS} is the most")
        return Keys(names)

    def _key_name(self, text: str, prefer_buttons: bool = False) -> str:
        name = text.strip().lower()
        if prefer_buttons and f"{codes.BUTTON_PREFIX}{name}" in codes.button_names():
            return f"{codes.BUTTON_PREFIX}{name}"
        if name.startswith("key_"):
            name = name.removeprefix("key_")
        if not codes.codes_of(name):
            self._wrong(f"names {_unknown('key', text, codes.key_names())}")
        return codes.name_of(codes.codes_of(name)[0])

    # ---- whether it makes sense

    def _ways_out(self, rules: Rules) -> None:
        """A layer that is switched on must have a key that switches it off."""
        base = rules.layers[BASE]
        for action in rules.actions():
            if not isinstance(action, Layer) or action.how != "toggle":
                continue
            inside = {**base, **rules.layers[action.name]}
            leave = [a for a in inside.values() if _toggles(a, action.name)]
            if not leave and not any(_toggles(c.action, action.name) for c in rules.combos):
                self._at(f"layer.{action.name}")
                self._wrong(
                    "is a layer with no way out: where it is switched on, no key that has"
                    f" {{toggle = {action.name!r}}} is left"
                )

    # ---- help

    def _tables(self, document: Mapping[str, Any], name: str) -> dict[str, Any]:
        self._at(name)
        return self._as_table(document.get(name, {}))

    def _as_table(self, value: Any) -> dict[str, Any]:
        if not isinstance(value, dict):
            self._wrong(f"is {shown(value)}; it takes a table")
        return cast(dict[str, Any], value)

    def _typed(self, values: Mapping[str, Any], key: str, kind: type, words: str) -> Any:
        value = values.get(key)
        if value is not None and type(value) is not kind:
            self._key = key
            self._wrong(f"is {shown(value)}; it takes {words}")
        return value

    def _milliseconds(self, values: Mapping[str, Any], key: str, default: int) -> int:
        value = values.get(key, default)
        if type(value) is not int or not 1 <= value <= LONGEST_MS:
            self._wrong(f"has {key} = {shown(value)}; it takes 1 to {LONGEST_MS}")
        return value

    def _only(self, values: Mapping[str, Any], known: Iterable[str]) -> None:
        for key in values:
            if key not in known:
                if self._table in ("", "device"):
                    self._key = key
                self._wrong(f"has {_unknown('key', key, list(known))}")

    def _at(self, table: str, key: str = "") -> None:
        self._table, self._key = table, key

    def _wrong(self, why: str) -> NoReturn:
        found = where.find(self._text, self._table, self._key or None)
        place = f"{self._path}:{found[0]}:{found[1]}" if found else self._path
        table = f"[{self._table}]" if self._table else ""
        raise BadRules(place, table, self._key, why)


def _toggles(action: Action, layer: str) -> bool:
    parts = (action.tap, action.hold) if isinstance(action, TapHold) else (action,)
    return Layer("toggle", layer) in parts


def _unknown(kind: str, name: str, known: Iterable[str]) -> str:
    meant = nearest(name[:60], known)
    hint = f"; did you mean {' or '.join(meant)}?" if meant else ""
    return f"{name[:60]!r}, which is no {kind}{hint}"
