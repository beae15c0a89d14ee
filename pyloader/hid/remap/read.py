"""A remap file, read and checked: docs/reference/remap.md is its grammar."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, NoReturn, cast

from pyloader import toml_text
from pyloader.hid.remap import codes
from pyloader.hid.remap.fragment import Fragment
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
from pyloader.hid.remap.where import Source
from pyloader.names import nearest
from pyloader.toml_text import shown

LARGEST_FILE = 1 << 20  # bytes
MOST_KEYS = 4  # of one action, and of a combo
MOST_STEPS = 31  # of a macro
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

TABLES = ("keys", "buttons", "combo", "axes", "layer")
"""Names of the tables that rules stand in."""

BUSES = {"usb": 3, "bluetooth": 5, "virtual": 6, "i2c": 0x18}
_MATCH = ("name", "vid", "pid", "bus")
_LAYER_ACTIONS = ("layer", "toggle", "oneshot")
_TAP_HOLD = ("tap", "hold", "timeout_ms", "resolve")
_CARRIED = "with"
_DEFAULT_TIMEOUT_MS, _DEFAULT_WITHIN_MS = 200, 50


def read_file(path: str) -> Rules:
    """The rules in the file, which is for one device.

    Raises:
        BadRules: it cannot be followed; the sentence has file, line, column and key.
        ScxhidError: it cannot be read.
    """
    return read_bytes(toml_text.contents(path, LARGEST_FILE), path)


def read_bytes(raw: bytes, path: str) -> Rules:
    """The same for the contents of the file; ``path`` is only for errors."""
    text, document = toml_text.parse(raw, path, LARGEST_FILE)
    source = Source(path, text)
    only(source, document, ("device", *TABLES))
    device = read_device(source, document.get("device", {}))
    found = read_fragment(source, document, layer_names(source, document))
    return found.rules(device, path)


def only(source: Source, table: Mapping[str, Any], known: Sequence[str]) -> None:
    """Refuse keys that are none of ``known``."""
    for key in table:
        if key not in known:
            source.wrong((), key, f"is no key here{_meant(key, known)}")


def read_device(source: Source, value: Any) -> Match:
    """Which device the table ``[device]`` is about."""
    inside = replace(source, within=("device",))
    if not isinstance(value, dict):
        source.wrong(("device",), "", f"is {shown(value)}; it takes a table")
    values = cast(dict[str, Any], value)
    for key in values:
        if key in TABLES:
            inside.wrong((), key, "stands in a table of one device; write [[device]] for [device]")
    only(inside, values, _MATCH)
    return read_match(inside, values)


def read_section(source: Source, value: Any, others: Sequence[str]) -> tuple[Match, dict[str, Any]]:
    """Which devices one of the tables ``[[device]]`` is about, and the table, which may have the
    keys ``others`` as well."""
    if not isinstance(value, dict):
        source.wrong((), "", f"is {shown(value)}; it takes a table")
    values = cast(dict[str, Any], value)
    only(source, values, (*_MATCH, *others, *TABLES))
    match = read_match(source, values)
    if match == Match():
        source.wrong(
            (),
            "",
            f"names no device: it takes {', '.join(_MATCH)}; rules for all others go to [default]",
        )
    return match, values


def read_match(source: Source, values: Mapping[str, Any]) -> Match:
    """What the keys of a table say of the devices that are meant."""

    def typed(key: str, kind: type, words: str) -> Any:
        value = values.get(key)
        if value is not None and type(value) is not kind:
            source.wrong((), key, f"is {shown(value)}; it takes {words}")
        return value

    name = typed("name", str, "text, with * for anything")
    bus = typed("bus", str, ", ".join(BUSES))
    if bus is not None and bus not in BUSES:
        source.wrong((), "bus", f"is {shown(bus)}; it takes {', '.join(BUSES)}")
    ids: list[int | None] = []
    for key in ("vid", "pid"):
        number = typed(key, int, "a number such as 0x046d")
        if number is not None and not 0 <= number <= 0xFFFF:
            source.wrong((), key, f"is {shown(number)}; it takes 0 to 0xffff")
        ids.append(number)
    return Match(name, ids[0], ids[1], None if bus is None else BUSES[bus])


def layer_names(source: Source, tables: Mapping[str, Any]) -> list[str]:
    """Names of the layers that stand in a table of rules."""
    return list(_Reader(source, ()).table(tables, "layer"))


def read_fragment(source: Source, tables: Mapping[str, Any], layers: Iterable[str]) -> Fragment:
    """The rules in ``tables``, some of which are ``TABLES``; keys may lead to any of ``layers``."""
    return _Reader(source, layers).fragment(tables)


class _Reader:
    def __init__(self, source: Source, layers: Iterable[str]) -> None:
        self._source = source
        self._table: tuple[str, ...] = ()
        self._key = ""
        self._known = list(layers)
        self._found = Fragment(source)

    def fragment(self, tables: Mapping[str, Any]) -> Fragment:
        found, layers = self._found, self.table(tables, "layer")
        for name in layers:
            if name == BASE:
                self._at(("layer", name))
                self._wrong("is the name of what always counts; [keys] is that table")
            found.layers[name] = {}
            found.stands[name] = self._source
        self._keys(BASE, ("keys",), self.table(tables, "keys"))
        self._keys(BASE, ("buttons",), self.table(tables, "buttons"))
        self._combos(BASE, ("combo",), self.table(tables, "combo"))
        for name, values in layers.items():
            self._at(("layer", name))
            if not isinstance(values, dict):
                self._wrong("is not a table of keys")
            self._keys(name, ("layer", name), cast(dict[str, Any], values))
        self._scales(self.table(tables, "axes"))
        return found

    # ---- tables

    def _keys(self, layer: str, table: tuple[str, ...], values: Mapping[str, Any]) -> None:
        is_buttons, keys = table == ("buttons",), self._found.layers[layer]
        for name, value in values.items():
            self._at(table, name)
            if layer != BASE and name == "combo":
                self._combos(layer, (*table, "combo"), self._as_table(value))
                continue
            if name == _CARRIED:
                self._found.carried[layer] = self._modifiers(layer, value)
                continue
            source = self._key_name(name, prefer_buttons=is_buttons)
            if source in keys:
                self._wrong(f"is another name of {source}, which has a rule already")
            keys[source] = self._action(value, is_buttons)

    def _combos(self, layer: str, table: tuple[str, ...], values: Mapping[str, Any]) -> None:
        for name, value in values.items():
            self._at(table, name)
            names = tuple(self._key_name(part) for part in name.split("+"))
            if not 2 <= len(names) <= MOST_KEYS or len(set(names)) < len(names):
                self._wrong(f"is no combo: it takes 2 to {MOST_KEYS} different keys, as in 'j+k'")
            before = self._found.combos.get((layer, frozenset(names)))
            if before:
                self._wrong(f"is the combo {'+'.join(before.names)}, which has a rule already")
            given = self._as_table(value)
            self._only(given, ("to", "within_ms"))
            if "to" not in given:
                self._wrong("has no 'to', which says what it means")
            action = self._simple(given["to"], False)
            within = self._milliseconds(given, "within_ms", _DEFAULT_WITHIN_MS)
            self._found.combos[layer, frozenset(names)] = Combo(names, action, within, layer)

    def _modifiers(self, layer: str, value: Any) -> Keys:
        if layer == BASE:
            self._wrong("stands in the table of a layer, [layer.NAME]")
        if value == "none":
            return Keys(())
        if not isinstance(value, str):
            self._wrong(f"is {shown(value)}; it takes modifiers such as 'leftctrl+leftshift'")
        keys = self._chord(value, False)
        for name in keys.names:
            if codes.modifier(name) < 0:
                self._wrong(f"has {name}, which is no modifier: it takes such as 'leftctrl'")
        return Keys(tuple(dict.fromkeys(keys.names)))

    def _scales(self, values: Mapping[str, Any]) -> None:
        for name, value in values.items():
            self._at(("axes",), name)
            if name not in AXES:
                self._wrong(f"scales {_unknown('axis', name, AXES)}")
            given = self._as_table(value)
            self._only(given, ("scale",))
            scale = given.get("scale", 1.0)
            if isinstance(scale, bool) or not isinstance(scale, int | float):
                self._wrong(f"has a scale of {shown(scale)}; it takes a number such as -1.0")
            if not abs(scale) <= LARGEST_SCALE:
                self._wrong(f"has a scale of {shown(scale)}; {LARGEST_SCALE:g} is the most")
            self._found.scales[name] = float(scale)

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
        if not isinstance(name, str) or name not in self._known:
            if not self._known:
                self._wrong(f"goes to the layer {shown(name)}, and the file has none")
            text = name if isinstance(name, str) else shown(name)
            self._wrong(f"goes to {_unknown('layer', text, self._known)}")
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

    # ---- help

    def table(self, tables: Mapping[str, Any], name: str) -> dict[str, Any]:
        self._at((name,))
        return self._as_table(tables.get(name, {}))

    def _as_table(self, value: Any) -> dict[str, Any]:
        if not isinstance(value, dict):
            self._wrong(f"is {shown(value)}; it takes a table")
        return cast(dict[str, Any], value)

    def _milliseconds(self, values: Mapping[str, Any], key: str, default: int) -> int:
        value = values.get(key, default)
        if type(value) is not int or not 1 <= value <= LONGEST_MS:
            self._wrong(f"has {key} = {shown(value)}; it takes 1 to {LONGEST_MS}")
        return value

    def _only(self, values: Mapping[str, Any], known: Sequence[str]) -> None:
        for key in values:
            if key not in known:
                self._wrong(f"has {_unknown('key', key, known)}")

    def _at(self, table: tuple[str, ...], key: str = "") -> None:
        self._table, self._key = table, key

    def _wrong(self, why: str) -> NoReturn:
        self._source.wrong(self._table, self._key, why)


def _unknown(kind: str, name: str, known: Iterable[str]) -> str:
    return f"{name[:60]!r}, which is no {kind}{_meant(name, known)}"


def _meant(name: str, known: Iterable[str]) -> str:
    meant = nearest(name[:60], known)
    return f"; did you mean {' or '.join(meant)}?" if meant else ""
