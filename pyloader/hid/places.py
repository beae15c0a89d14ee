"""Where a device's reports hold what a program asks for (hid/include/places.h)."""

from __future__ import annotations

from collections.abc import Mapping

from pyloader.hid.descriptor import INPUT, VARIABLE, Descriptor, Field
from pyloader.tags import HidPlace

_WORDS = 6
_U32 = 0xFFFFFFFF
_MOST_BITS = 32
_S32_MAX = 0x7FFFFFFF


def fill(places: Mapping[str, HidPlace], descriptor: Descriptor) -> dict[str, list[int]]:
    """The words of each place, by variable: of the first input field that has the usage.

    Those of a usage that the device lacks are all 0.
    """
    return {
        name: [
            word
            for usage in range(place.usage, place.usage + place.number)
            for word in _words(usage, descriptor)
        ]
        for name, place in places.items()
    }


def sample(places: Mapping[str, HidPlace]) -> dict[str, list[int]]:
    """Places as on a device that has them all, so that the verifier sees all of a program."""
    each = [16, 12, 1, -0x7FFF & _U32, 0x7FFF, VARIABLE]
    return {name: each * place.number for name, place in places.items()}


def _words(usage: int, descriptor: Descriptor) -> list[int]:
    for field in descriptor.fields(INPUT):
        if not field.is_variable or usage not in field.usages:
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


def _is_usable(field: Field) -> bool:
    """Whether its values are numbers that a program can hold in 32 bits with a sign."""
    highest = field.values.logical_maximum & _U32 if not field.is_signed else 0
    return 0 < field.size <= _MOST_BITS and highest <= _S32_MAX
