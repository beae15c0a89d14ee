"""A report descriptor as the kernel understands it: reports, their fields, their collections.

The rules, also where they depart from the HID specification, are those of ``hid_open_report`` in
drivers/hid/hid-core.c: what it refuses is refused here, at the same item, and what it ignores is
ignored. Its limits are named as there.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from pyloader.hid.items import GLOBAL, LOCAL, MAIN, BadDescriptor, Item, items

HID_MAX_USAGES = 12288
HID_MAX_FIELDS = 256
HID_MAX_IDS = 256
HID_MAX_BUFFER_SIZE = 16384
HID_GLOBAL_STACK_SIZE = 4
_MOST_BITS = 256  # of one field; past 32 the kernel reads the low 32

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


def parse(data: bytes, *, max_buffer: int = HID_MAX_BUFFER_SIZE) -> Descriptor:
    """What the kernel makes of a descriptor.

    ``max_buffer`` is the transport's longest report in bytes (4,096 over uhid).

    Raises:
        BadDescriptor: the kernel refuses it.
    """
    parser = _Parser(max_buffer)
    for item in items(data):
        parser.take(item)
    if parser.stack:
        many = len(parser.stack)
        open_ = "a collection is" if many == 1 else f"{many} collections are"
        raise BadDescriptor(len(data), f"{open_} not closed")
    if parser.is_in_delimiter:
        raise BadDescriptor(len(data), "a delimiter is not closed")
    return Descriptor(tuple(parser.collections), parser.reports, parser.is_numbered)


@dataclass(slots=True)
class _Local:
    """The local items since the last main item; ``sizes`` are those of the usages' items."""

    usages: array[int] = field(default_factory=lambda: array("I"))
    sizes: bytearray = field(default_factory=bytearray)
    minimum: int = 0
    delimiter_branch: int = 0
    is_in_delimiter: bool = False


class _Parser:
    """``struct hid_parser``."""

    def __init__(self, max_buffer: int) -> None:
        self.collections: list[Collection] = []
        self.stack: list[int] = []
        self.reports: dict[tuple[str, int], Report] = {}
        self.is_numbered = {INPUT: False, OUTPUT: False, FEATURE: False}
        self._max_bits = (max_buffer - 1) * 8
        self._global = Global()
        self._global_stack: list[Global] = []
        self._local = _Local()

    @property
    def is_in_delimiter(self) -> bool:
        """Whether one is open; a main item closes it, as it ends all that is local."""
        return self._local.is_in_delimiter

    def take(self, item: Item) -> None:
        if item.is_long:
            raise BadDescriptor(item.offset, "the kernel refuses long items")
        if item.type == MAIN:
            self._main(item)
        elif item.type == GLOBAL:
            self._take_global(item)
        elif item.type == LOCAL:
            self._take_local(item)

    def _main(self, item: Item) -> None:
        self._complete_usages()
        if item.tag == 10:
            self._open_collection(item.unsigned & 0xFF)
        elif item.tag == 12:
            if not self.stack:
                raise BadDescriptor(item.offset, "a collection is closed that is not open")
            self.stack.pop()
        elif item.tag in _KINDS:
            self._add_field(item, _KINDS[item.tag])
        self._local = _Local()

    def _open_collection(self, type_: int) -> None:
        usages = self._local.usages
        parent = self.stack[-1] if self.stack else -1
        self.collections.append(
            Collection(type_, usages[0] if usages else 0, parent, len(self.stack))
        )
        self.stack.append(len(self.collections) - 1)

    def _innermost(self, type_: int) -> int:
        for index in reversed(self.stack):
            if self.collections[index].type == type_:
                return self.collections[index].usage
        return 0

    def _add_field(self, item: Item, kind: str) -> None:
        now, usages = self._global, self._local.usages
        if now.logical_minimum < 0:
            is_empty = now.logical_maximum < now.logical_minimum
        else:
            is_empty = now.logical_maximum & _U32 < now.logical_minimum
        if is_empty:
            raise BadDescriptor(
                item.offset,
                f"the logical range {now.logical_minimum} to {now.logical_maximum} is empty",
            )
        application = self._innermost(APPLICATION)
        key = (kind, now.report_id)
        report = self.reports.get(key)
        if not report:
            report = self.reports[key] = Report(kind, now.report_id, application)
            self.is_numbered[kind] |= bool(now.report_id)
        offset = report.bits
        report.bits += now.report_size * now.report_count
        if report.bits > self._max_bits:
            raise BadDescriptor(
                item.offset,
                f"the {kind} report {now.report_id} is longer than {self._max_bits // 8} bytes",
            )
        if sum(bool(each.usages) for each in report.fields) >= HID_MAX_FIELDS:
            return  # the kernel says so in its log, and goes on without the field
        report.fields.append(
            Field(
                kind,
                now.report_id,
                offset,
                item.unsigned,
                usages,
                self.stack[-1] if self.stack else -1,
                application,
                self._innermost(PHYSICAL),
                self._innermost(LOGICAL),
                now,
            )
        )

    def _take_global(self, item: Item) -> None:
        if item.tag == 10:
            if len(self._global_stack) == HID_GLOBAL_STACK_SIZE:
                raise BadDescriptor(item.offset, f"more than {HID_GLOBAL_STACK_SIZE} pushes")
            self._global_stack.append(self._global)
        elif item.tag == 11:
            if not self._global_stack:
                raise BadDescriptor(item.offset, "a pop without a push")
            self._global = self._global_stack.pop()
        elif item.tag in _GLOBALS:
            name, read = _GLOBALS[item.tag]
            value = read(item, self._global)
            _check_global(item, name, value)
            self._global = replace(self._global, **{name: value})
        else:
            raise BadDescriptor(item.offset, f"there is no global item {item.tag}")

    def _take_local(self, item: Item) -> None:
        local, value = self._local, item.unsigned
        if item.tag == 10:
            self._delimit(item)
        elif local.delimiter_branch > 1:
            return  # the first of the alternatives is the one that counts
        elif item.tag == 0:
            self._add_usages(item, value, value)
        elif item.tag == 1:
            local.minimum = value
        elif item.tag == 2:
            count = (value - local.minimum) & _U32
            if (count + len(local.usages)) & _U32 >= HID_MAX_USAGES:  # the kernel takes what fits
                value = (HID_MAX_USAGES - len(local.usages) + local.minimum - 1) & _U32
                if not value:
                    raise BadDescriptor(item.offset, f"more than {HID_MAX_USAGES} usages")
            self._add_usages(item, local.minimum, value)

    def _delimit(self, item: Item) -> None:
        local = self._local
        opens = bool(item.unsigned)
        if opens and local.is_in_delimiter:
            raise BadDescriptor(item.offset, "a delimiter inside a delimiter")
        if not opens and not local.is_in_delimiter:
            raise BadDescriptor(item.offset, "a delimiter is closed that is not open")
        local.is_in_delimiter = opens
        local.delimiter_branch += local.is_in_delimiter

    def _add_usages(self, item: Item, first: int, last: int) -> None:
        local = self._local
        count = last - first + 1
        if count <= 0:
            return
        if len(local.usages) + count > HID_MAX_USAGES:
            raise BadDescriptor(item.offset, f"more than {HID_MAX_USAGES} usages")
        if len(item.data) <= 2:
            page = (self._global.usage_page & 0xFFFF) << 16
            if first >> 16 == last >> 16:
                start = page | first & 0xFFFF
                local.usages.extend(range(start, start + count))
            else:
                local.usages.extend(page | each & 0xFFFF for each in range(first, last + 1))
        else:
            local.usages.extend(each & _U32 for each in range(first, last + 1))
        local.sizes.extend(bytes([len(item.data)]) * count)

    def _complete_usages(self) -> None:
        """A page that is named after its usages counts for them, back to the last that has it."""
        usages, sizes = self._local.usages, self._local.sizes
        page = self._global.usage_page & 0xFFFF
        for index in range(len(usages) - 1, -1, -1):
            if sizes[index] > 2:
                continue
            if usages[index] >> 16 == self._global.usage_page:
                break
            usages[index] = page << 16 | usages[index] & 0xFFFF


_U32, _S32 = 0xFFFFFFFF, 0x7FFFFFFF
_KINDS = {8: INPUT, 9: OUTPUT, 11: FEATURE}

_Read = Callable[[Item, Global], int]


def _unsigned(item: Item, _: Global) -> int:
    return item.unsigned


def _signed(item: Item, _: Global) -> int:
    return item.signed


def _logical_maximum(item: Item, now: Global) -> int:
    return item.signed if now.logical_minimum < 0 else item.unsigned


def _physical_maximum(item: Item, now: Global) -> int:
    return item.signed if now.physical_minimum < 0 else item.unsigned


def _exponent(item: Item, _: Global) -> int:
    """A nibble, two's complement; some devices give a whole number instead."""
    value = item.signed
    if value & ~0xF:
        return value
    return value - 16 if value & 8 else value


_GLOBALS: dict[int, tuple[str, _Read]] = {
    0: ("usage_page", _unsigned),
    1: ("logical_minimum", _signed),
    2: ("logical_maximum", _logical_maximum),
    3: ("physical_minimum", _signed),
    4: ("physical_maximum", _physical_maximum),
    5: ("unit_exponent", _exponent),
    6: ("unit", _unsigned),
    7: ("report_size", _unsigned),
    8: ("report_id", _unsigned),
    9: ("report_count", _unsigned),
}


def _check_global(item: Item, name: str, value: int) -> None:
    if name == "report_size" and value > _MOST_BITS:
        raise BadDescriptor(item.offset, f"a field of {value} bits; the kernel takes {_MOST_BITS}")
    if name == "report_count" and value > HID_MAX_USAGES:
        raise BadDescriptor(item.offset, f"a field of {value} values, of {HID_MAX_USAGES} at most")
    if name == "report_id" and not 0 < value < HID_MAX_IDS:
        raise BadDescriptor(item.offset, f"{value} is no report id (1 to {HID_MAX_IDS - 1})")


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
    if field_.is_signed and value >> field_.size - 1:
        value -= 1 << field_.size
    return value
