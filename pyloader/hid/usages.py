"""Names of HID usages, from the HID Usage Tables (usages.txt)."""

from __future__ import annotations

from functools import cache
from pathlib import Path

GENERIC_DESKTOP, KEYBOARD, LED, BUTTON, CONSUMER = 0x01, 0x07, 0x08, 0x09, 0x0C

_TABLE = "usages.txt"
_VENDOR_PAGES = 0xFF00


@cache
def _tables() -> dict[int, tuple[str, dict[int, str]]]:
    """Name and usages of each page, by number."""
    pages: dict[int, tuple[str, dict[int, str]]] = {}
    names: dict[int, str] = {}
    for line in Path(__file__).with_name(_TABLE).read_text().splitlines():
        number, _, rest = line.partition(" ")
        if number == "page":
            page, _, name = rest.partition(" ")
            names = {}
            pages[int(page, 16)] = name, names
        elif rest and number != "#":
            run = enumerate(rest.split("; "), int(number, 16))
            names.update((at, name) for at, name in run if name != "-")
    return pages


def page_name(page: int) -> str:
    """The page in words; its number where the tables have none."""
    if page in _tables():
        return _tables()[page][0]
    return f"Vendor 0x{page:04x}" if page >= _VENDOR_PAGES else f"Page 0x{page:04x}"


def name(usage: int) -> str | None:
    """The usage alone, without its page; None where the tables have none."""
    page, number = usage >> 16, usage & 0xFFFF
    if page == BUTTON and number:
        return f"Button {number}"
    return _tables().get(page, ("", {}))[1].get(number)


def in_words(usage: int) -> str:
    """The usage for a person: ``X``, or ``Vendor 0xff00 0x0001`` where there is no name."""
    return name(usage) or f"{page_name(usage >> 16)} 0x{usage & 0xFFFF:04x}"
