"""Rules that a remap file cannot have once others are missing, and layers that nothing reaches."""

from __future__ import annotations

from pyloader.hid.remap.fragment import MOST_COMBOS, MOST_LAYERS
from pyloader.hid.remap.keyd.notes import Notes
from pyloader.hid.remap.keyd.tables import Table, layers_in
from pyloader.hid.remap.model import BASE, Layer


def prune(tables: dict[str, Table], notes: Notes) -> None:
    """Take out of ``tables`` what the reader of remap files would refuse, until nothing is."""
    _too_many_chords(tables, notes)
    _too_many_layers(tables, notes)
    while True:
        stuck = _without_way_out(tables)
        if not stuck:
            break
        _drop_toggles(tables, stuck, notes)
    for name in set(tables) - _reachable(tables):
        _drop_table(tables, name, notes)


def _too_many_chords(tables: dict[str, Table], notes: Notes) -> None:
    number = 0
    for table in tables.values():
        for chord in list(table.chords.values()):
            number += 1
            if number > MOST_COMBOS:
                table.drop(chord)
                notes.lost(chord.place, f"a file has up to {MOST_COMBOS} combos")


def _too_many_layers(tables: dict[str, Table], notes: Notes) -> None:
    """The first ones that are reached stay."""
    reached = _reachable(tables)
    beyond = set([name for name in tables if name in reached][MOST_LAYERS:])
    for name in beyond:
        place = tables[name].layer.place
        if place:
            notes.lost(place, f"a file has up to {MOST_LAYERS - 1} layers")
        del tables[name]
    for table in tables.values():
        for rule in list(table.each()):
            if any(layer.name in beyond for layer in layers_in(rule.action)):
                table.drop(rule)
                notes.lost(rule.place, f"a file has up to {MOST_LAYERS - 1} layers")


def _reachable(tables: dict[str, Table]) -> set[str]:
    found, todo = {BASE}, [BASE]
    while todo:
        for rule in tables[todo.pop()].each():
            for layer in layers_in(rule.action):
                if layer.name in tables and layer.name not in found:
                    found.add(layer.name)
                    todo.append(layer.name)
    return found


def _without_way_out(tables: dict[str, Table]) -> set[str]:
    """Layers that a key switches on, and none off again where they count."""
    used = _reachable(tables)
    toggled: set[str] = set()
    out: set[str] = set()
    for name in used:
        for rule in tables[name].each():
            toggled |= {each.name for each in layers_in(rule.action) if each.how == "toggle"}
        for chord in tables[name].chords.values():
            out |= {each.name for each in layers_in(chord.action) if each.how == "toggle"}
    for name in toggled - out:
        inside = {**tables[BASE].rules, **tables[name].rules}
        if any(Layer("toggle", name) in layers_in(rule.action) for rule in inside.values()):
            out.add(name)
    return toggled - out


def _drop_toggles(tables: dict[str, Table], stuck: set[str], notes: Notes) -> None:
    for table in tables.values():
        for rule in list(table.each()):
            lost = [each for each in layers_in(rule.action) if each.how == "toggle"]
            lost = [each for each in lost if each.name in stuck]
            if lost:
                table.drop(rule)
                notes.lost(
                    rule.place,
                    f"no key would switch {lost[0].name} off again, in it or in [keys]",
                    f'give one {{ toggle = "{lost[0].name}" }}',
                )


def _drop_table(tables: dict[str, Table], name: str, notes: Notes) -> None:
    table = tables.pop(name)
    if table.layer.place and table.layer.entries and not table.layer.is_modifier:
        notes.lost(
            table.layer.place,
            "nothing that was carried over switches it on: its rules are left out",
        )
