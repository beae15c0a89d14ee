"""A configuration of keyd becomes rules of ours, and a list of what does not."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from pyloader.errors import BadRules
from pyloader.hid.remap.compose import MOST_SECTIONS
from pyloader.hid.remap.keyd import names
from pyloader.hid.remap.keyd.actions import REPEATS, Actions
from pyloader.hid.remap.keyd.layers import KeydLayer, layers_of
from pyloader.hid.remap.keyd.notes import NotCarried, Note, Notes
from pyloader.hid.remap.keyd.parse import Configuration, Entry, leading_number
from pyloader.hid.remap.keyd.prune import prune
from pyloader.hid.remap.keyd.tables import Chord, Rule, Table
from pyloader.hid.remap.model import BASE, Keys, Layer, Match, TapHold
from pyloader.hid.remap.read import LONGEST_MS, MOST_KEYS

_ID = re.compile(
    r"([0-9a-f]{4}|[0-9a-f]{1,3}(?=:))(?::([0-9a-f]{1,4})(:[0-9a-f]{1,8})?)?$", re.ASCII | re.I
)
_DEFAULT_CHORD_MS = 50
_UNUSED_OPTIONS = {
    "oneshot_timeout": "a one-shot layer waits for the next key however long that takes",
    "chord_hold_timeout": "a combo counts at once, not after it has been held",
    "macro_sequence_timeout": "a macro is typed without pauses",
    "layer_indicator": "layers light no lamp",
    "command_timeout": "the kernel starts no programs",
    "command_repeat_timeout": "the kernel starts no programs",
    "macro_timeout": REPEATS,
    "macro_repeat_timeout": REPEATS,
}
_ALL = Match(name="*")
_USED_OPTIONS = ("chord_timeout", "overload_tap_timeout", "disable_modifier_guard")


@dataclass(frozen=True)
class Converted:
    """``tables`` by our name of the layer, ``BASE`` first; ``devices`` are those that the file
    names, ``excepted`` those of them that it is not for. ``notes`` are in the order of the lines.
    """

    configuration: Configuration
    devices: tuple[Match, ...]
    excepted: tuple[Match, ...]
    tables: dict[str, Table]
    notes: tuple[Note, ...]

    @property
    def carried(self) -> int:
        """How many of keyd's bindings are in it."""
        return sum(len(table.rules) + len(table.chords) for table in self.tables.values())


def convert(configuration: Configuration) -> Converted:
    """What can be carried over.

    Raises:
        BadRules: nothing can be.
    """
    bare: frozenset[str] = frozenset()
    made = _Conversion(configuration, bare)
    made.run()
    while made.empty_modifiers() - bare:  # each time around there is one more of them
        bare |= made.empty_modifiers()
        made = _Conversion(configuration, bare)
        made.run()
    if not made.carried():
        first = next((f": {note.place.text}: {note.said}" for note in made.notes.found), "")
        raise BadRules(configuration.path, "", "", f"has no rule that can be carried over{first}")
    path = configuration.path
    found = sorted(
        made.notes.found,
        key=lambda note: (note.place.file != path, note.place.file, note.place.line),
    )
    devices, excepted = tuple(made.devices), tuple(made.excepted)
    return Converted(configuration, devices, excepted, made.tables, tuple(found))


@dataclass
class _Conversion:
    configuration: Configuration
    bare: frozenset[str]
    notes: Notes = field(default_factory=Notes)
    devices: list[Match] = field(default_factory=list[Match])
    excepted: list[Match] = field(default_factory=list[Match])
    tables: dict[str, Table] = field(default_factory=dict[str, Table])
    aliases: dict[str, str] = field(default_factory=lambda: dict(names.MODIFIER_KEYS))

    def run(self) -> None:
        for place, why in self.configuration.missing:
            self.notes.lost(place, why, "paste what it says in its place")
        self._options()
        self._devices()
        layers = layers_of(self.configuration, self.notes, self.bare)
        self.tables = {layer.ours: Table(layer) for layer in layers.values()}
        self._aliases()
        self._own_layers(layers)
        actions = Actions(layers, self.configuration.option("overload_tap_timeout"))
        for table in self.tables.values():
            for entry in table.layer.entries:
                self._entry(table, entry, actions)
        prune(self.tables, self.notes)

    def empty_modifiers(self) -> set[str]:
        """Layers of which nothing is left but the modifiers that keyd holds."""
        return {
            name
            for name, table in self.tables.items()
            if table.layer.held and not table.rules and not table.chords
        }

    def carried(self) -> bool:
        return any(table.rules or table.chords for table in self.tables.values())

    # ---- sections that are no layers

    def _options(self) -> None:
        for entry in self.configuration.named("global"):
            number = leading_number(entry.value or "")
            if entry.key in _UNUSED_OPTIONS:
                if number:
                    self.notes.lost(entry.place, _UNUSED_OPTIONS[entry.key])
            elif entry.key == "default_layout":
                self.notes.lost(
                    entry.place, "no layer counts from the start", "move its rules to [keys]"
                )
            elif entry.key not in _USED_OPTIONS:
                self.notes.lost(entry.place, "keyd has no such option")

    def _devices(self) -> None:
        """Those for all stand last: of several sections that match, the first counts."""
        is_for_all = False
        for entry in self.configuration.named("ids"):
            if entry.key == "*":
                is_for_all = True
                continue
            is_excepted = entry.key.startswith("-")
            found = self._match(entry, entry.key.removeprefix("-"))
            among = self.excepted if is_excepted else self.devices
            if found is None or found in among:
                continue
            if len(self.devices) + len(self.excepted) == MOST_SECTIONS - 1:
                self.notes.lost(entry.place, f"a file is for up to {MOST_SECTIONS - 1} devices")
                continue
            among.append(found)
        if is_for_all:
            self.devices = [_ALL]
        elif not self.devices:
            self.excepted = []  # keyd's file would be for none, ours is for that which has the keys

    def _match(self, entry: Entry, text: str) -> Match | None:
        kind, _, rest = text.partition(":")
        if kind in ("k", "m") and text == entry.key:
            self.notes.differs(
                entry.place,
                "all that has these ids is meant",
                "a name in [device] tells them apart",
            )
            text = rest
        found = _ID.match(text)
        if not found:
            self.notes.lost(entry.place, "it is no id such as 046d:c339")
            return None
        if found[3]:
            self.notes.differs(
                entry.place, f"{found[3][1:]}, what keyd knows it by, is left out of the ids"
            )
        self._exactly(entry, text, found)
        product = None if found[2] is None else int(found[2], 16)
        return Match(vendor=int(found[1], 16), product=product)

    def _exactly(self, entry: Entry, text: str, found: re.Match[str]) -> None:
        """keyd compares the text with the beginning of a device's id, which has 4 digits each."""
        digits = [each.lower().rjust(4, "0") for each in (found[1], found[2]) if each]
        if ":".join(digits) == text[: len(":".join(digits))]:
            return
        self.notes.differs(
            entry.place,
            f"it is taken for {':'.join(digits)}; keyd looks for a device whose id, in lower case"
            " and of four digits each, begins as it is written",
        )

    def _aliases(self) -> None:
        base = self.tables[BASE]
        for entry in self.configuration.named("aliases"):
            source = names.key(entry.key)
            if source is None or not entry.value:
                self.notes.lost(entry.place, f"{entry.key[:60]!r} is no key of a HID device")
                continue
            self.aliases[source] = entry.value
            other = names.key(entry.value)
            if other is not None and other != source and entry.value not in names.MODIFIER_LAYERS:
                base.rules[source] = Rule(Keys((other,)), entry.place, entry.comments)

    def _own_layers(self, layers: dict[str, KeydLayer]) -> None:
        """A modifier for which the file has rules switches its layer on."""
        for key, name in names.MODIFIER_KEYS.items():
            layer = layers[name]
            if layer.place and layer.entries and not layer.is_modifier:
                rule = Rule(Layer("layer", layer.ours), layer.place)
                self.tables[BASE].rules[key] = rule

    # ---- bindings

    def _entry(self, table: Table, entry: Entry, actions: Actions) -> None:
        actions.differences.clear()
        if entry.value is None:
            self.notes.lost(entry.place, "it is no binding of the form key = action")
            return
        try:
            if "+" in entry.key[1:]:
                self._chord(table, entry, actions)
            else:
                self._key(table, entry, actions)
        except NotCarried as error:
            self.notes.lost(entry.place, error.why, error.instead)
            return
        for difference in actions.differences:
            if difference == REPEATS:
                self.notes.differs_always(entry.place, difference)
            else:
                self.notes.differs(entry.place, difference)

    def _key(self, table: Table, entry: Entry, actions: Actions) -> None:
        sources = [key for key, alias in self.aliases.items() if alias == entry.key]
        if not sources:
            sources = [_key_named(entry.key)]
        if not entry.value:  # as if it had never been bound
            for source in sources:
                table.rules.pop(source, None)
            return
        action = actions.action(entry.value)
        for source in sources:
            table.rules[source] = Rule(action, entry.place, entry.comments)

    def _chord(self, table: Table, entry: Entry, actions: Actions) -> None:
        keys = tuple(dict.fromkeys(_key_named(part) for part in entry.key.split("+") if part))
        if not 2 <= len(keys) <= MOST_KEYS:
            raise NotCarried(f"a combo has 2 to {MOST_KEYS} keys")
        if not entry.value:
            table.chords.pop(frozenset(keys), None)
            return
        action = actions.action(entry.value)
        if isinstance(action, TapHold):
            raise NotCarried("a combo cannot be tapped or held")
        each_ms = self.configuration.option("chord_timeout") or _DEFAULT_CHORD_MS
        within = min(max(each_ms, 1) * (len(keys) - 1), LONGEST_MS)
        table.chords[frozenset(keys)] = Chord(keys, within, action, entry.place, entry.comments)


def _key_named(text: str) -> str:
    name = names.key(text)
    if name is None:
        raise NotCarried(f"{text[:60]!r} is no key that a HID device can send")
    return name
