"""A device's report descriptor in the form that udev-hid-bpf 2.3 hands to a program.

Such a program has a global ``HID_REPORT_DESCRIPTOR``: reports and their fields in a packed struct
of fixed size. Where a member lies is taken from the program's BTF; what it means is this:

- bits are counted with the byte of the report's id, where ids are used; ``bits_end`` is past the
  last one;
- each value of a variable field is a field, an array is one field with the range of its usages,
  and so is padding;
- ``collections`` begin with the outermost.

What there is no room for is left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pyloader.btf import Array, Struct, Type
from pyloader.hid.descriptor import (
    BUFFERED,
    NO_PREFERRED,
    NONLINEAR,
    NULL_STATE,
    RELATIVE,
    WRAP,
    Descriptor,
    Field,
    Report,
)
from pyloader.spec import VariableSpec

NAME = "HID_REPORT_DESCRIPTOR"
_STRUCT = "hid_rdesc_descriptor"

_VARIABLE, _ARRAY, _CONSTANT = range(3)
_FLAGS = {
    "is_relative": RELATIVE,
    "wraps": WRAP,
    "is_nonlinear": NONLINEAR,
    "has_no_preferred_state": NO_PREFERRED,
    "has_null_state": NULL_STATE,
    "is_buffered_bytes": BUFFERED,
}


def is_wanted(variable: VariableSpec) -> bool:
    """Whether it is the global that is meant."""
    return isinstance(variable.type, Struct) and variable.type.name == _STRUCT


def fill(memory: memoryview, type_: Type, descriptor: Descriptor) -> None:
    """Write what the descriptor says into the bytes of the global."""
    said: dict[str, Any] = {}
    for kind in ("input", "output", "feature"):
        reports = [r for (k, _), r in descriptor.reports.items() if k == kind]
        said[f"{kind}_reports"] = [_report(each, descriptor) for each in reports]
    _put(memory, type_, said)


def _report(report: Report, descriptor: Descriptor) -> dict[str, Any]:
    skip = 8 if report.id else 0
    fields = [each for field in report.fields for each in _fields(field, skip, descriptor)]
    return {
        "report_id": report.id,
        "size_in_bits": report.bits + skip,
        "fields": fields,
    }


def _fields(field: Field, skip: int, descriptor: Descriptor) -> Iterator[dict[str, Any]]:
    collections = list(_collections(field, descriptor))
    same = {
        "collections": collections,
        "logical_minimum": field.values.logical_minimum,
        "logical_maximum": field.values.logical_maximum,
        "flags": {name: bool(field.flags & flag) for name, flag in _FLAGS.items()},
    }
    start = skip + field.offset
    end = start + field.count * field.size
    usages = field.usages
    if not usages:
        yield {**same, "field_type": _CONSTANT, "bits_start": start, "bits_end": end}
    elif field.is_variable:
        for index in range(field.count):
            usage, at = field.usage_of(index), start + index * field.size
            yield {
                **same,
                "field_type": _CONSTANT if field.is_constant else _VARIABLE,
                "bits_start": at,
                "bits_end": at + field.size,
                "usage_page": usage >> 16,
                "usage_id": usage & 0xFFFF,
            }
    else:
        yield {
            **same,
            "field_type": _ARRAY,
            "bits_start": start,
            "bits_end": end,
            "usage_page": usages[0] >> 16,
            "usage_minimum": usages[0] & 0xFFFF,
            "usage_maximum": usages[-1] & 0xFFFF,
        }


def _collections(field: Field, descriptor: Descriptor) -> Iterator[dict[str, int]]:
    outwards: list[int] = []
    at = field.collection
    while at >= 0:
        outwards.append(at)
        at = descriptor.collections[at].parent
    for index in reversed(outwards):
        each = descriptor.collections[index]
        yield {
            "usage_page": each.usage >> 16,
            "usage_id": each.usage & 0xFFFF,
            "collection_type": each.type,
        }


def _put(memory: memoryview, type_: Type, said: Any) -> None:
    """A value into its bytes: dicts into structs, lists into arrays as far as they go.

    A struct's member ``num_X`` gets the number of what its array ``X`` holds.
    """
    if isinstance(type_, Struct):
        _put_struct(memory, type_, said)
    elif isinstance(type_, Array):
        step = type_.element.size
        for index, each in enumerate(said[: type_.count]):
            _put(memory[index * step : (index + 1) * step], type_.element, each)
    else:
        most = (1 << type_.size * 8) - 1
        memory[: type_.size] = (min(int(said), most) & most).to_bytes(type_.size, "little")


def _put_struct(memory: memoryview, type_: Struct, said: Mapping[str, Any]) -> None:
    members = {member.name: member for member in type_.fields()}
    for name, member in members.items():
        listed = members.get(name.removeprefix("num_"))
        value = said.get(name)
        if value is None and listed is not None and isinstance(listed.type, Array):
            value = min(len(said.get(listed.name, ())), listed.type.count)
        at, shift = divmod(member.offset_bits, 8)
        if value is None:
            continue
        if not member.bits:
            _put(memory[at : at + member.type.size], member.type, value)
        elif value:
            memory[at] |= 1 << shift
