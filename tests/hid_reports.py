"""Input reports for tests: made of what is pressed, and read."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from pyloader.hid.descriptor import INPUT, Descriptor, Report, extract
from pyloader.hid.remap import codes


def make(
    descriptor: Descriptor,
    report_id: int,
    pressed: Collection[int],
    axes: Mapping[int, int] | None = None,
) -> bytes:
    """What a device says of these codes, and of axes by usage."""
    report = descriptor.reports[INPUT, report_id]
    bits = 0
    for each in report.fields:
        if each.is_constant:
            continue
        if not each.is_variable:
            found = [n for n, usage in enumerate(each.usages) if codes.code_of(usage) in pressed]
            values = [n + each.values.logical_minimum for n in found[: each.count]]
            values += [0] * (each.count - len(values))
        else:
            usages = [each.usage_of(n) for n in range(each.count)]
            values = [(axes or {}).get(u, int(codes.code_of(u) in pressed)) for u in usages]
        for n, value in enumerate(values):
            bits |= (value & (1 << each.size) - 1) << each.offset + n * each.size
    raw = bits.to_bytes((report.bits + 7) // 8, "little")
    return bytes([report_id]) + raw if report_id else raw


def report_of(descriptor: Descriptor, raw: bytes) -> Report:
    """Which report the bytes are."""
    return descriptor.reports[INPUT, raw[0] if descriptor.is_numbered[INPUT] else 0]


def pressed(descriptor: Descriptor, raw: bytes) -> frozenset[str]:
    """Names of the keys that a report says are pressed."""
    report = report_of(descriptor, raw)
    body = raw[1:] if report.id else raw
    usages: set[int] = set()
    for each in report.fields:
        if each.is_constant or not each.usages:
            continue
        for n in range(each.count):
            value = extract(each, body, n)
            if each.is_variable and each.size == 1 and value:
                usages.add(each.usage_of(n))
            elif not each.is_variable:
                index = value - each.values.logical_minimum
                if 0 <= index < len(each.usages) and each.usages[index] & 0xFFFF:
                    usages.add(each.usages[index])
    return frozenset(codes.name_of(codes.code_of(u)) for u in usages if codes.code_of(u))


def axis(descriptor: Descriptor, raw: bytes, usage: int) -> int:
    """The value of an axis in a report."""
    report = report_of(descriptor, raw)
    each = next(f for f in report.fields if usage in f.usages)
    return extract(each, raw[1:] if report.id else raw, each.usages.index(usage))


def sets(*states: str) -> list[frozenset[str]]:
    """What is pressed after each of several reports, the names of each in one text."""
    return [frozenset(state.split()) for state in states]
