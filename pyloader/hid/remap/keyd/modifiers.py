"""Layers during which keyd holds modifiers: here the other keys are pressed with them, each."""

from __future__ import annotations

from pyloader.hid.remap import codes
from pyloader.hid.remap.keyd.notes import Notes
from pyloader.hid.remap.keyd.parse import Place
from pyloader.hid.remap.keyd.tables import Table, layers_in
from pyloader.hid.remap.model import BASE, Keys
from pyloader.hid.remap.read import MOST_KEYS

_FIRST, _LAST = 0x04, 0x65  # usages of the keyboard page: a to the menu key
_LOCKS = ("capslock", "scrolllock", "numlock")


def add_rest(tables: dict[str, Table], notes: Notes) -> None:
    """Fill ``rest`` of each table whose layer holds something."""
    base = tables[BASE].rules
    for table in tables.values():
        held = table.layer.held
        if not held:
            continue
        for name in _usual_keys():
            below = base[name].action if name in base else Keys((name,))
            if name in table.rules or not isinstance(below, Keys):
                continue
            pressed = tuple(dict.fromkeys((*held, *below.names)))
            if len(pressed) <= MOST_KEYS:
                table.rest[name] = Keys(pressed)
        notes.differs(
            table.layer.place or _first_use(tables, table.layer.ours),
            f"{'+'.join(held)} is pressed with each other key while {table.layer.ours} counts, not"
            " from its beginning to its end: clicks are without it, and it does not stay down from"
            " one key to the next, as switching windows wants",
        )


def _first_use(tables: dict[str, Table], name: str) -> Place:
    return next(
        rule.place
        for table in tables.values()
        for rule in table.each()
        if any(layer.name == name for layer in layers_in(rule.action))
    )


def _usual_keys() -> list[str]:
    named = [codes.name_of(code) for code in range(_FIRST, _LAST + 1)]
    return [name for name in dict.fromkeys(named) if name not in _LOCKS]
