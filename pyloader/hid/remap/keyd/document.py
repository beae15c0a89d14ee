"""The remap file that a configuration of keyd becomes, for a person to go on with."""

from __future__ import annotations

from collections.abc import Iterator

from pyloader.hid.remap import write
from pyloader.hid.remap.keyd.convert import Converted
from pyloader.hid.remap.keyd.notes import Note
from pyloader.hid.remap.keyd.tables import Table
from pyloader.hid.remap.model import BASE, Combo, Keys, Match

_LONGEST_QUOTE = 160


def document(converted: Converted) -> str:
    """It as text, with comments of the original, and on what is missing or different."""
    return "\n".join(_lines(converted)) + "\n"


def place_of(note: Note) -> str:
    """``file:line: what stands there``."""
    said = note.place.text.strip()[:_LONGEST_QUOTE]
    return f"{note.place.file}:{note.place.line}: {said}"


def _lines(converted: Converted) -> Iterator[str]:
    path = converted.configuration.path
    yield write.comment(f"From {path}, a configuration of keyd, by `scxhid hid import keyd`.")
    yield from map(write.comment, converted.configuration.comments)
    for is_lost, title in ((True, "Not carried over:"), (False, "Not quite as keyd does it:")):
        notes = [note for note in converted.notes if note.is_lost == is_lost]
        if notes:
            yield "#"
            yield write.comment(title)
        for note in notes:
            yield write.comment(f"  {place_of(note)}")
            yield write.comment(f"      {note.said}")
    yield from _devices(converted.devices, converted.excepted)
    for name, table in converted.tables.items():
        header = BASE if name == BASE else f"layer.{write.key(name)}"
        yield from _table(header, table)
        chords = "combo" if name == BASE else f"{header}.combo"
        yield from _chords(chords, table)


def _devices(devices: tuple[Match, ...], excepted: tuple[Match, ...]) -> Iterator[str]:
    """Sections are for all devices that they match; ``[device]`` is for one that is there."""
    for match in excepted:
        yield from ("", "[[device]]", *write.device(match), "ignore = true")
    is_one = len(devices) == 1 and devices[0].vendor is not None and not excepted
    for match in devices:
        yield from ("", "[device]" if is_one else "[[device]]", *write.device(match))


def _table(header: str, table: Table) -> Iterator[str]:
    held = table.layer.held
    if not table.rules and not held and (header == BASE or table.chords):
        return
    yield ""
    yield from map(write.comment, table.layer.comments)
    yield f"[{header}]"
    if held:
        yield f"with = {write.action(Keys(held))}"
    for name, rule in table.rules.items():
        yield from map(write.comment, rule.comments)
        yield f"{write.key(name)} = {write.action(rule.action)}"


def _chords(header: str, table: Table) -> Iterator[str]:
    if not table.chords:
        return
    yield from ("", f"[{header}]")
    for chord in table.chords.values():
        yield from map(write.comment, chord.comments)
        yield write.combo(Combo(chord.names, chord.action, chord.within_ms))
