"""The layers of a configuration of keyd: which there are, and what each holds pressed."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from pyloader.hid.remap.keyd import names
from pyloader.hid.remap.keyd.notes import Notes
from pyloader.hid.remap.keyd.parse import Configuration, Entry, Place
from pyloader.hid.remap.model import BASE

MAIN = "main"
LAYOUT = "layout"
_OTHER_SECTIONS = ("ids", "aliases", "global")
_NOT_IN_A_NAME = re.compile(r"[^A-Za-z0-9_-]+")


@dataclass
class KeydLayer:
    """``ours`` is its name in the remap file, ``header`` how keyd's file has it; ``held`` are the
    modifiers that keyd presses while it is active. ``place`` is None for keyd's own ones; of one
    that ``is_bare`` no rule can be carried over."""

    name: str
    ours: str
    header: str
    held: tuple[str, ...] = ()
    is_layout: bool = False
    is_bare: bool = False
    place: Place | None = None
    comments: tuple[str, ...] = ()
    entries: list[Entry] = field(default_factory=list[Entry])

    @property
    def is_modifier(self) -> bool:
        """It has no rules: to switch it on is to press its modifiers."""
        return bool(self.held) and (self.is_bare or not self.entries)


def layers_of(
    configuration: Configuration, notes: Notes, bare: frozenset[str]
) -> dict[str, KeydLayer]:
    """By keyd's names, ``MAIN`` and keyd's own ones first; composite ones are only noted.

    ``bare`` are our names of those of which no rule can be carried over.
    """
    found = {MAIN: KeydLayer(MAIN, BASE, f"[{MAIN}]")}
    for name, letter in names.MODIFIER_LAYERS.items():
        found[name] = KeydLayer(name, name, f"[{name}:{letter}]", (names.MODIFIERS[letter],))
    taken = {layer.ours for layer in found.values()}
    for section in configuration.sections:
        if section.name in _OTHER_SECTIONS:
            continue
        if "+" in section.name:
            parts = " and ".join(section.name.split("+"))
            notes.lost(
                section.place,
                f"nothing counts only while {parts} are active together: the rules are left out",
                "in one of these layers, let the key of the other switch to a layer of its own,"
                ' as in leftshift = { layer = "third" }, and give that the rules',
            )
            continue
        layer = found.get(section.name)
        if layer is None:
            ours = _free(section.name, taken)
            taken.add(ours)
            layer = found[section.name] = KeydLayer(section.name, ours, section.place.text.strip())
            if ours != section.name:
                notes.differs(section.place, f"the layer is called {ours}")
            _set_type(layer, section.type, section.place, notes)
        if layer.place is None:
            layer.place, layer.comments = section.place, section.comments
        layer.entries += section.entries
    for layer in found.values():
        layer.is_bare = layer.ours in bare
    return found


def _set_type(layer: KeydLayer, kind: str, place: Place, notes: Notes) -> None:
    if kind == LAYOUT:
        layer.is_layout = True
    elif kind:
        held = names.modifiers(kind)
        if held is None:
            notes.differs(
                place, f"{kind[:60]!r} is no kind of a layer: keyd passes over it as well"
            )
        layer.held = held or ()


def _free(name: str, taken: set[str]) -> str:
    """A name that needs no quotes in TOML and that no other layer has."""
    wanted = _NOT_IN_A_NAME.sub("_", name)[:64] or "layer"
    free, number = wanted, 2
    while free in taken:
        free, number = f"{wanted}_{number}", number + 1
    return free
