"""What a report says, value by value, and how two of them differ."""

from __future__ import annotations

from collections.abc import Iterator

from pyloader.hid.descriptor import INPUT, Descriptor, Field, extract
from pyloader.hid.usages import in_words

_WIDEST = 32  # bits that the kernel reads of a value

#: Of a usage, and which of those with the same usage.
Key = tuple[int, int]


def values(descriptor: Descriptor, data: bytes) -> dict[Key, int]:
    """Every value of an input report with its id's byte; of arrays what is pressed, as 1.

    Empty for a report that the descriptor does not have.
    """
    numbered = descriptor.is_numbered.get(INPUT, False)
    report = descriptor.reports.get((INPUT, data[0] if numbered and data else 0))
    if not report:
        return {}
    body = data[numbered:]
    found: dict[Key, int] = {}
    for field in report.fields:
        if field.usages and field.size <= _WIDEST:
            for usage, value in _said(field, body):
                nth = 0
                while (usage, nth) in found:
                    nth += 1
                found[usage, nth] = value
    return found


def _said(field: Field, body: bytes) -> Iterator[tuple[int, int]]:
    for index in range(field.count):
        value = extract(field, body, index)
        if field.is_variable:
            yield field.usage_of(index), value
            continue
        at = value - field.values.logical_minimum
        if 0 <= at < len(field.usages) and field.usages[at] & 0xFFFF:
            yield field.usages[at], 1


def differences(before: dict[Key, int], after: dict[Key, int]) -> dict[str, tuple[int, int]]:
    """By name, what was and what is; a value that one of them lacks is 0."""
    keys = dict.fromkeys([*before, *after])
    changed = {k: (before.get(k, 0), after.get(k, 0)) for k in keys}
    return {name_of(key): pair for key, pair in changed.items() if pair[0] != pair[1]}


def name_of(key: Key) -> str:
    """The usage in words, with its number where the report has several of it."""
    usage, nth = key
    return in_words(usage) + (f" ({nth + 1})" if nth else "")
