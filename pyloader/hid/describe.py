"""A report descriptor in words: lines for a person, and a document for programs."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from typing import Any

from pyloader.hid import usages
from pyloader.hid.descriptor import (
    BUFFERED,
    CONSTANT,
    NONLINEAR,
    NULL_STATE,
    VARIABLE,
    VOLATILE,
    WRAP,
    Collection,
    Descriptor,
    Field,
    Report,
)
from pyloader.hid.items import GLOBAL, LOCAL, MAIN, Item, items

_RARE_FLAGS = (
    (CONSTANT, "constant"),
    (WRAP, "wraps"),
    (NONLINEAR, "nonlinear"),
    (NULL_STATE, "null state"),
    (VOLATILE, "volatile"),
    (BUFFERED, "buffered"),
)
_MOST_NAMED = 4  # usages of a field that are named one by one


def ranges(of: array[int]) -> Iterator[tuple[int, int]]:
    """The usages as runs of numbers that follow each other: first and last of each."""
    first = last = None
    for usage in of:
        if first is None or last is None:
            first = last = usage
        elif usage == last + 1 and usage >> 16 == first >> 16:
            last = usage
        else:
            yield first, last
            first = last = usage
    if first is not None and last is not None:
        yield first, last


def usage_words(of: array[int]) -> str:
    """``X, Y``, or ``Keyboard/Keypad: A … Right GUI``."""
    runs = list(ranges(of))
    named = [_run_words(first, last) for first, last in runs[:_MOST_NAMED]]
    more = [f"{len(runs) - _MOST_NAMED} more"] if len(runs) > _MOST_NAMED else []
    pages = {usage >> 16 for run in runs for usage in run}
    page = pages.pop() if len(pages) == 1 else 0
    text = ", ".join(named + more)
    speaks_for_itself = page in (0, usages.GENERIC_DESKTOP, usages.BUTTON) or page >= 0xFF00
    return text if speaks_for_itself else f"{usages.page_name(page)}: {text}"


def _run_words(first: int, last: int) -> str:
    if first == last:
        return usages.in_words(first)
    between = ", " if last == first + 1 else " … "
    return f"{usages.in_words(first)}{between}{usages.in_words(last)}"


def field_rows(report: Report) -> list[tuple[str, str, str, str]]:
    """A row for each field: its bits, what they are, the values, how they are meant."""
    return [
        (
            f"{f.offset}–{f.offset + f.size * f.count - 1}"
            if f.size * f.count > 1
            else f"{f.offset}",
            f"{f.count} × {f.size} bit" if f.count != 1 else f"{f.size} bit",
            usage_words(f.usages) if f.usages else "padding",
            _meaning(f) if f.usages else "",
        )
        for f in report.fields
        if f.size * f.count
    ]


def _meaning(f: Field) -> str:
    kind = "variable" if f.is_variable else "array"
    words = [f"{f.values.logical_minimum}…{f.values.logical_maximum}", kind]
    words.append("relative" if f.is_relative else "absolute")
    words += [
        word
        for bit, word in _RARE_FLAGS
        if f.flags & bit and not (bit == CONSTANT and not f.usages)
    ]
    if f.size > 32:
        words.append("too wide to be read")
    return " ".join(words)


def report_title(descriptor: Descriptor, report: Report) -> str:
    """``input report 1, 8 bytes, of Mouse``."""
    number = f" {report.id}" if report.id else ""
    size = descriptor.size_bytes(report)
    of = f", of {usages.in_words(report.application)}" if report.application else ""
    return f"{report.kind} report{number}, {size} byte{'' if size == 1 else 's'}{of}"


def to_json(descriptor: Descriptor) -> dict[str, Any]:
    """The document of ``scxhid hid info --json``."""
    return {
        "collections": [
            {
                "type": c.type_name,
                "usage": c.usage,
                "name": usages.in_words(c.usage),
                "parent": c.parent,
            }
            for c in descriptor.collections
        ],
        "reports": [
            {
                "kind": report.kind,
                "id": report.id,
                "application": report.application,
                "bytes": descriptor.size_bytes(report),
                "fields": [_field_json(f) for f in report.fields],
            }
            for report in descriptor.reports.values()
        ],
    }


def _field_json(f: Field) -> dict[str, Any]:
    v = f.values
    return {
        "bit": f.offset,
        "size": f.size,
        "count": f.count,
        "flags": f.flags,
        "variable": f.is_variable,
        "relative": f.is_relative,
        "constant": f.is_constant,
        "logical": [v.logical_minimum, v.logical_maximum],
        "physical": [v.physical_minimum, v.physical_maximum],
        "unit": v.unit,
        "unit_exponent": v.unit_exponent,
        "collection": f.collection,
        "usages": [
            {"first": a, "last": b, "names": sorted({usages.in_words(a), usages.in_words(b)})}
            for a, b in ranges(f.usages)
        ],
    }


def item_lines(data: bytes) -> Iterator[str]:
    """Each item of a descriptor: its bytes, then its meaning, indented by collections.

    Raises:
        BadDescriptor: where an item is cut off, after the lines before it.
    """
    depth, page = 0, 0
    for item in items(data):
        if (item.type, item.tag) == (MAIN, 12):
            depth = max(0, depth - 1)
        if (item.type, item.tag) == (GLOBAL, 0):
            page = item.unsigned
        raw = data[item.offset : item.offset + 1 + len(item.data)].hex(" ")
        yield f"{item.offset:5}  {raw:<14}  {'  ' * min(depth, 20)}{_item_words(item, page)}"
        if (item.type, item.tag) == (MAIN, 10):
            depth += 1


def _item_words(item: Item, page: int) -> str:
    key = item.type, item.tag
    if item.is_long or not item.data:
        return item.name
    if key == (GLOBAL, 0):
        return f"{item.name}: {usages.page_name(item.unsigned)}"
    if item.type == LOCAL and item.tag in (0, 1, 2):
        usage = item.unsigned if len(item.data) > 2 else page << 16 | item.unsigned
        return f"{item.name}: {usages.in_words(usage & 0xFFFFFFFF)}"
    if key == (MAIN, 10):
        return f"{item.name}: {Collection(item.unsigned & 0xFF, 0, -1, 0).type_name}"
    if item.type == MAIN:
        kind = "variable" if item.unsigned & VARIABLE else "array"
        constant = "constant " if item.unsigned & CONSTANT else ""
        relative = " relative" if item.unsigned & 4 else ""
        return f"{item.name}: {constant}{kind}{relative}"
    signed = item.type == GLOBAL and item.tag in (1, 2, 3, 4, 5)
    return f"{item.name}: {item.signed if signed else item.unsigned}"
