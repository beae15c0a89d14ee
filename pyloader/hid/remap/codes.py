"""Names of keys and buttons, and the codes that the tables of ``remap`` have for them."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import NamedTuple

from pyloader.hid.usages import BUTTON, KEYBOARD

NO_CODE = 0
CODE_PHANTOM = 511  # as in hid/remap/table.h
_FIRST_OF_OTHER_PAGES = 256
_PHANTOMS = range(KEYBOARD << 16 | 1, (KEYBOARD << 16 | 3) + 1)
_FIRST_MODIFIER, _LAST_KEY = 0xE0, 0xE7

BUTTON_PREFIX = "btn_"


class _Table(NamedTuple):
    codes: dict[str, tuple[int, ...]]
    """By each name, in the order of the file."""
    usages: dict[int, int]
    """The full usage of each code, and below the code of each usage."""
    by_usage: dict[int, int]
    names: dict[int, str]
    buttons: frozenset[str]


@cache
def _table() -> _Table:
    codes: dict[str, tuple[int, ...]] = {}
    usages: dict[int, int] = {}
    names: dict[int, str] = {}
    buttons: set[str] = set()
    upcoming = _FIRST_OF_OTHER_PAGES
    for line in Path(__file__).with_name("keys.txt").read_text().splitlines():
        if line.startswith("#"):
            continue
        page, number, *words = line.split()
        usage = int(page, 16) << 16 | int(number, 16)
        code = int(number, 16)
        if usage >> 16 != KEYBOARD:
            code, upcoming = upcoming, upcoming + 1
        usages[code], names[code] = usage, words[0]
        if usage >> 16 == BUTTON:
            buttons.update(words)
        for word in words:
            codes[word] = (*codes.get(word, ()), code)
    for code in range(1, _LAST_KEY + 1):  # those without a name pass
        usages.setdefault(code, KEYBOARD << 16 | code)
    by_usage = {usage: code for code, usage in usages.items()}
    by_usage.update(dict.fromkeys(_PHANTOMS, CODE_PHANTOM))
    return _Table(codes, usages, by_usage, names, frozenset(buttons))


def codes_of(name: str) -> tuple[int, ...]:
    """The codes of a key, the usual one first; none if there is no such name."""
    return _table().codes.get(name, ())


def code_of(usage: int) -> int:
    """The code of a full usage, ``NO_CODE`` if it has none."""
    return _table().by_usage.get(usage, NO_CODE)


def usage_of(code: int) -> int:
    """The full usage of a code."""
    return _table().usages[code]


def name_of(code: int) -> str:
    """Its name; its number where it has none."""
    return _table().names.get(code) or f"usage {_table().usages[code]:#08x}"


def modifier(name: str) -> int:
    """The number of a modifier, 0 to 7 as in a boot keyboard's report; -1 if the key is none."""
    code = next(iter(codes_of(name)), NO_CODE)
    return code - _FIRST_MODIFIER if _FIRST_MODIFIER <= code <= _LAST_KEY else -1


def key_names() -> list[str]:
    """Every name, also those of buttons."""
    return list(_table().codes)


def button_names() -> frozenset[str]:
    """Those of buttons alone."""
    return _table().buttons


def named_usages(page: int) -> list[int]:
    """Full usages of a page that have a name, in the order of their codes."""
    table = _table()
    return [table.usages[code] for code in table.names if table.usages[code] >> 16 == page]
