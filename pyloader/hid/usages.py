"""Names of HID usages, from the HID Usage Tables (usages.txt)."""

from __future__ import annotations

from functools import cache
from pathlib import Path

GENERIC_DESKTOP, KEYBOARD, LED, BUTTON, CONSUMER = 0x01, 0x07, 0x08, 0x09, 0x0C
_ORDINAL, _UNICODE, _MONITOR_ENUMERATED = 0x0A, 0x10, 0x81

_TABLE = "usages.txt"
_VENDOR_PAGES = 0xFF00
#: Pages whose usages are no more than numbers; 0 stands for none.
_NUMBERS = {
    BUTTON: "Button {}",
    _ORDINAL: "Instance {}",
    _UNICODE: "U+{:04X}",
    _MONITOR_ENUMERATED: "Enum {}",
}


@cache
def _pages() -> dict[int, tuple[str, str]]:
    """Name of each page and its lines as they are, by number: most are never asked for."""
    text = Path(__file__).with_name(_TABLE).read_text(encoding="utf-8")
    pages: dict[int, tuple[str, str]] = {}
    for part in text.split("\npage ")[1:]:
        title, _, lines = part.partition("\n")
        number, _, words = title.partition(" ")
        pages[int(number, 16)] = words, lines
    return pages


@cache
def _names(page: int) -> dict[int, str]:
    """The usages of a page, by number."""
    names: dict[int, str] = {}
    for line in _pages().get(page, ("", ""))[1].splitlines():
        number, _, rest = line.partition(" ")
        if rest:
            run = enumerate(rest.split("; "), int(number, 16))
            names.update((at, name) for at, name in run if name != "-")
    return names


def page_name(page: int) -> str:
    """The page in words; its number where the tables have none."""
    if page in _pages():
        return _pages()[page][0]
    return f"Vendor 0x{page:04x}" if page >= _VENDOR_PAGES else f"Page 0x{page:04x}"


def name(usage: int) -> str | None:
    """The usage alone, without its page; None where the tables have none."""
    page, number = usage >> 16, usage & 0xFFFF
    if number and page in _NUMBERS:
        return _NUMBERS[page].format(number)
    return _names(page).get(number)


def names(page: int) -> dict[int, str]:
    """Every usage of a page that has a name of its own, by number."""
    return dict(_names(page))


def in_words(usage: int) -> str:
    """The usage for a person: ``X``, or ``Vendor 0xff00 0x0001`` where there is no name."""
    return name(usage) or f"{page_name(usage >> 16)} 0x{usage & 0xFFFF:04x}"
