"""Where a device's reports hold what a program asks for (hid/include/places.h, report.h)."""

from __future__ import annotations

from collections.abc import Mapping

from pyloader.hid.descriptor import INPUT, RELATIVE, VARIABLE, Descriptor, Field
from pyloader.tags import HidPlace

_WORDS = 6
_U32 = 0xFFFFFFFF
_MOST_BITS = 32
_S32_MAX = 0x7FFFFFFF
_REPORT_MAX = 64


def fill(places: Mapping[str, HidPlace], descriptor: Descriptor) -> dict[str, list[int]]:
    """The words of each place, by variable: of the first input field that has the usage.

    Those of a usage that the device lacks are all 0, and so are those of a report longer than the
    64 bytes that a program can take.
    """
    filled: dict[str, list[int]] = {}
    for name, place in places.items():
        usages = range(place.usage, place.usage + place.number)
        each = [_words(usage, place, descriptor) for usage in usages]
        flat = [word for words in each for word in words]
        filled[name] = _report(each, descriptor) if place.is_report else flat
    return filled


def sample(places: Mapping[str, HidPlace]) -> dict[str, list[int]]:
    """Places as on a device that has them all, so that the verifier sees all of a program."""
    each = [16, 12, 1, -0x7FFF & _U32, 0x7FFF, VARIABLE | RELATIVE]
    report = [8, 1] + [0] * (_REPORT_MAX // 4)
    return {n: report if place.is_report else each * place.number for n, place in places.items()}


def _words(usage: int, place: HidPlace, descriptor: Descriptor) -> list[int]:
    for field in descriptor.fields(INPUT):
        if not field.is_variable or usage not in field.usages:
            continue
        if place.is_relative and not field.is_relative:
            continue
        index = field.usages.index(usage)
        if index < field.count and _is_usable(field):
            v = field.values
            skip = 8 if field.report_id else 0
            return [
                field.size,
                skip + field.offset + index * field.size,
                field.report_id,
                v.logical_minimum & _U32,
                v.logical_maximum & _U32,
                field.flags,
            ]
    return [0] * _WORDS


def _report(each: list[list[int]], descriptor: Descriptor) -> list[int]:
    """Length, id and bits of relative fields of the report in which the first of the places is."""
    id_ = next((words[2] for words in each if any(words)), None)
    report = None if id_ is None else descriptor.reports[INPUT, id_]
    if report is None or descriptor.size_bytes(report) > _REPORT_MAX:
        return [0] * (2 + _REPORT_MAX // 4)
    relative, skip = 0, 8 if report.id else 0
    for field in report.fields:
        if field.is_relative:
            relative |= (1 << field.size * field.count) - 1 << skip + field.offset
    masks = [relative >> 32 * n & _U32 for n in range(_REPORT_MAX // 4)]
    return [descriptor.size_bytes(report), report.id, *masks]


def _is_usable(field: Field) -> bool:
    """Whether its values are numbers that a program can hold in 32 bits with a sign."""
    highest = field.values.logical_maximum & _U32 if not field.is_signed else 0
    return 0 < field.size <= _MOST_BITS and highest <= _S32_MAX
