"""Where in the text of a TOML file something stands: tomllib does not say."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NoReturn

from pyloader.errors import BadRules

_NAME = r"""(?:"[^"]*"|'[^']*'|[A-Za-z0-9_-]+)"""
_DOTTED = rf"({_NAME}(?:\s*\.\s*{_NAME})*)"
_HEADER = re.compile(rf"\s*\[(\[?)\s*{_DOTTED}\s*\]\]?\s*(?:#.*)?$")
_KEY = re.compile(rf"\s*{_DOTTED}\s*=")
_ONE = re.compile(_NAME)


@dataclass(frozen=True)
class Source:
    """Where rules stand: a file, or the table ``within`` it; ``number`` of it where it is one of
    several (``[[device]]``), from 1 on."""

    path: str
    text: str
    within: tuple[str, ...] = ()
    number: int = 0

    def place(self, *names: str) -> str:
        """File, line and column, as far as they can be told."""
        found = find(self.text, (*self.within, *names), self.number)
        return f"{self.path}:{found[0]}:{found[1]}" if found else self.path

    @property
    def label(self) -> str:
        """The file, with the line where it is about a table of it."""
        found = find(self.text, self.within, self.number) if self.within else None
        return f"{self.path}:{found[0]}" if found else self.path

    def wrong(self, table: Sequence[str], key: str, why: str) -> NoReturn:
        """Raise BadRules on a key of a table, or on the table if the key is empty."""
        place = self.place(*table, *([key] if key else []))
        raise BadRules(place, self._header(table), key, why)

    def _header(self, table: Sequence[str]) -> str:
        names = [*self.within, *table]
        header = f"[{'.'.join(names)}]" if names else ""
        return f"[{header}]" if self.number and not table else header

    def wrong_item(self, key: str, item: str, why: str) -> NoReturn:
        """The same on one of the texts in a list."""
        place = self.place(key)
        found = find(self.text, (*self.within, key), self.number)
        if found:
            begin = sum(map(len, self.text.split("\n")[: found[0] - 1])) + found[0] - 1
            places = [self.text.find(f"{quote}{item}{quote}", begin) for quote in "\"'"]
            at = min((n for n in places if n >= 0), default=-1)
            if at >= 0:
                line = self.text.count("\n", 0, at) + 1
                place = f"{self.path}:{line}:{at - self.text.rfind(chr(10), 0, at)}"
        raise BadRules(place, self._header(()), key, why)


def find(text: str, names: Sequence[str], number: int = 0) -> tuple[int, int] | None:
    """Line and column, from 1 on, of a key or of the header of a table (or of one in it), by its
    names from the top of the file; of what is nearest around it if it is written in another way.

    ``number``: in which of the tables ``[[…]]`` of the first name, 0 if there are none such.
    """
    wanted = tuple(names)
    table: tuple[str, ...] = ()
    best, nearest = 0, None
    passed = 0
    for line_number, line in enumerate(text.split("\n"), 1):
        header = _HEADER.match(line)
        if header:
            table = here = _parts(header[2])
            passed += bool(header[1]) and here == wanted[:1]
            column = line.index("[") + 1
        elif key := _KEY.match(line):
            here, column = (*table, *_parts(key[1])), key.start(1) + 1
        else:
            continue
        alike = min(len(here), len(wanted))
        if passed == number and best < alike and here[:alike] == wanted[:alike]:
            best, nearest = alike, (line_number, column)
    return nearest


def _parts(dotted: str) -> tuple[str, ...]:
    return tuple(part.strip("\"'") for part in _ONE.findall(dotted))
