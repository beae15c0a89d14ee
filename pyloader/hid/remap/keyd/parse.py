"""A configuration of keyd as it is written: sections of lines, included files among them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

from pyloader import toml_text
from pyloader.errors import BadRules, ScxhidError

LARGEST_FILE = 65_536
"""Bytes; keyd reads no more."""

SHARED = Path("/usr/share/keyd")
"""Where keyd looks for included files that do not lie beside the one that includes them."""

_INCLUDE = "include "
_LEADING_NUMBER = re.compile(r"\s*[+-]?\d+", re.ASCII)


@dataclass(frozen=True)
class Place:
    """A line of a file, from 1 on, and what it says."""

    file: str
    line: int
    text: str


@dataclass(frozen=True)
class Entry:
    """``key = value``, or a word alone: then ``value`` is None. ``comments`` stand right above."""

    place: Place
    key: str
    value: str | None
    comments: tuple[str, ...] = ()


@dataclass
class Section:
    """``[name]`` or ``[name:type]`` and the entries below it."""

    place: Place
    name: str
    type: str
    comments: tuple[str, ...] = ()
    entries: list[Entry] = field(default_factory=list[Entry])


@dataclass(frozen=True)
class Configuration:
    """Sections in the order of the file, those of the same name apart. ``missing`` are lines that
    include what is not to be read, each with the reason. ``comments`` are those that open the
    file."""

    path: str
    sections: tuple[Section, ...]
    missing: tuple[tuple[Place, str], ...]
    comments: tuple[str, ...]

    def named(self, name: str) -> list[Entry]:
        """The entries of all sections of that name."""
        return [entry for each in self.sections if each.name == name for entry in each.entries]

    def option(self, name: str) -> int:
        """A number of the section ``global``, 0 if it is not set."""
        found = [entry.value or "" for entry in self.named("global") if entry.key == name]
        return leading_number(found[-1]) if found else 0


def leading_number(text: str) -> int:
    """The whole number that a text begins with, 0 if it begins with none."""
    found = _LEADING_NUMBER.match(text[:20])
    return int(found[0]) if found else 0


def parse_file(path: str) -> Configuration:
    """The configuration in the file, and in those that it includes.

    Raises:
        ScxhidError: it cannot be read.
        BadRules: it is no configuration of keyd.
    """
    return parse_bytes(toml_text.contents(path, LARGEST_FILE), path)


def parse_bytes(raw: bytes, path: str) -> Configuration:
    """The same for the contents of the file; beside ``path`` lies what it includes.

    Raises:
        BadRules: it is no configuration of keyd.
    """
    missing: list[tuple[Place, str]] = []
    lines: list[Place] = []
    for place in _lines(raw, path):
        if not place.text.startswith(_INCLUDE):
            lines.append(place)
            continue
        try:
            included = str(_included(place))
            lines += _lines(toml_text.contents(included, LARGEST_FILE), included)
        except ScxhidError as error:
            missing.append((place, str(error)))
    return _sections(path, lines, missing)


def _lines(raw: bytes, path: str) -> list[Place]:
    if len(raw) > LARGEST_FILE:
        raise BadRules(path, "", "", f"is longer than {LARGEST_FILE >> 10} KiB: keyd reads no more")
    try:
        text = raw.decode()
    except UnicodeDecodeError as error:
        byte = f"byte {error.start} is 0x{raw[error.start]:02x}"
        why = f"is no configuration of keyd: it is not UTF-8 text, {byte}"
        raise BadRules(path, "", "", why) from None
    return [Place(path, n, line.rstrip()) for n, line in enumerate(text.split("\n"), 1)]


def _included(place: Place) -> Path:
    name = place.text.removeprefix(_INCLUDE).strip()
    if "." in name or "\0" in name:
        raise ScxhidError("keyd includes no file with a dot in its name")
    for folder in (Path(place.file).parent, SHARED):
        if (folder / name).is_file():
            return folder / name
    raise ScxhidError(f"it lies neither beside {place.file} nor in {SHARED}")


def _sections(path: str, lines: list[Place], missing: list[tuple[Place, str]]) -> Configuration:
    sections: list[Section] = []
    opening: tuple[str, ...] = ()
    comments: list[str] = []
    for place in lines:
        text = place.text.strip()
        if text.startswith("#"):
            comments.append(text[1:].removeprefix(" "))
            continue
        if not text:
            if not sections and comments and not opening:
                opening = tuple(comments)
            comments.clear()
            continue
        if text.startswith("[") and text.endswith("]") and len(text) > 1:
            name, _, kind = text[1:-1].partition(":")
            sections.append(Section(place, name, kind, tuple(comments)))
        elif not sections:
            why = f"is no configuration of keyd: line {place.line} stands below no [section]"
            raise BadRules(place.file, "", "", why)
        else:
            key, value = _key_and_value(text)
            sections[-1].entries.append(Entry(place, key, value, tuple(comments)))
        comments.clear()
    return Configuration(path, tuple(sections), tuple(missing), opening)


def _key_and_value(text: str) -> tuple[str, str | None]:
    """Split at the first ``=`` that is not the first character: that is a key."""
    key, equals, value = text[1:].partition("=")
    return (text[0] + key).strip(), value.strip() if equals else None
