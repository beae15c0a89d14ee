"""What a report descriptor says, understood: reports, their fields, their collections."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field

INPUT, OUTPUT, FEATURE = "input", "output", "feature"
PHYSICAL, APPLICATION, LOGICAL = range(3)
COLLECTION_NAMES = (
    *("physical", "application", "logical", "report", "named array", "usage switch"),
    "usage modifier",
)

# Bits of a main item (HID 1.11, 6.2.2.5).
CONSTANT, VARIABLE, RELATIVE, WRAP, NONLINEAR, NO_PREFERRED, NULL_STATE, VOLATILE, BUFFERED = (
    1 << bit for bit in range(9)
)


@dataclass(frozen=True, slots=True)
class Collection:
    """``usage`` has its page in the upper 16 bits; ``parent`` is an index, -1 for none."""

    type: int
    usage: int
    parent: int
    level: int

    @property
    def type_name(self) -> str:
        if self.type < len(COLLECTION_NAMES):
            return COLLECTION_NAMES[self.type]
        return "vendor" if self.type >= 0x80 else f"reserved {self.type}"


@dataclass(frozen=True, slots=True)
class Global:
    """The global items in force; what they say of a field."""

    usage_page: int = 0
    logical_minimum: int = 0
    logical_maximum: int = 0
    physical_minimum: int = 0
    physical_maximum: int = 0
    unit_exponent: int = 0
    unit: int = 0
    report_size: int = 0
    report_id: int = 0
    report_count: int = 0


@dataclass(frozen=True, slots=True)
class Field:
    """``count`` values of ``size`` bits each, from bit ``offset`` of the report on.

    The bits are counted without the byte of the report's id, which precedes them where ids are
    used. ``usages`` are full ones (page in the upper 16 bits), array of uint32: of a variable field
    the n-th belongs to the n-th value, the last to all that follow; of an array field a value is an
    index into them, from the logical minimum on. Padding has none. ``collection`` is the index of
    the one that it stands in, -1 for none; ``application``, ``physical`` and ``logical`` are the
    usages of the innermost collection of that kind, 0 for none.
    """

    kind: str
    report_id: int
    offset: int
    flags: int
    usages: array[int]
    collection: int
    application: int
    physical: int
    logical: int
    values: Global

    @property
    def size(self) -> int:
        return self.values.report_size

    @property
    def count(self) -> int:
        return self.values.report_count

    @property
    def is_variable(self) -> bool:
        return bool(self.flags & VARIABLE)

    @property
    def is_constant(self) -> bool:
        return bool(self.flags & CONSTANT)

    @property
    def is_relative(self) -> bool:
        return bool(self.flags & RELATIVE)

    @property
    def is_signed(self) -> bool:
        return self.values.logical_minimum < 0

    def usage_of(self, index: int) -> int:
        """The usage of the ``index``-th value of a variable field; 0 for padding."""
        return self.usages[min(index, len(self.usages) - 1)] if self.usages else 0


@dataclass(slots=True)
class Report:
    """``bits`` is its length without the id's byte; ``fields`` in order, padding among them."""

    kind: str
    id: int
    application: int
    bits: int = 0
    fields: list[Field] = field(default_factory=list[Field])


@dataclass(frozen=True, slots=True)
class Descriptor:
    """``reports`` by kind and id, in the order in which they begin."""

    collections: tuple[Collection, ...]
    reports: dict[tuple[str, int], Report]
    is_numbered: dict[str, bool]

    def size_bytes(self, report: Report) -> int:
        """How long the report is as it is sent, the id's byte included."""
        return (report.bits + 7) // 8 + self.is_numbered[report.kind]

    def fields(self, kind: str) -> list[Field]:
        return [f for r in self.reports.values() if r.kind == kind for f in r.fields]

    def usages(self, kind: str = INPUT) -> set[int]:
        """Every usage that a report of that kind can carry."""
        return {usage for each in self.fields(kind) for usage in each.usages}


def extract(field_: Field, report: Sequence[int], index: int) -> int:
    """The ``index``-th value of a field in the bytes of a report without its id.

    Bits past the report's end are 0, as in the kernel.

    Raises:
        ValueError: the field is wider than the 32 bits that the kernel can read.
    """
    if field_.size > 32:
        raise ValueError(f"a field of {field_.size} bits has no value: 32 are the most")
    at = field_.offset + index * field_.size
    bits = int.from_bytes(bytes(report[at // 8 : (at + field_.size + 7) // 8]), "little")
    value = bits >> at % 8 & (1 << field_.size) - 1
    if field_.is_signed and field_.size and value >> field_.size - 1:
        value -= 1 << field_.size
    return value
