"""A report descriptor read as the kernel reads it.

The rules, also where they depart from the HID specification, are those of ``hid_open_report`` in
drivers/hid/hid-core.c: what it refuses is refused here, at the same item, and what it ignores is
ignored. Its limits are named as there.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from pyloader.hid.descriptor import (
    APPLICATION,
    FEATURE,
    INPUT,
    LOGICAL,
    OUTPUT,
    PHYSICAL,
    Collection,
    Descriptor,
    Field,
    Global,
    Report,
)
from pyloader.hid.items import GLOBAL, LOCAL, MAIN, BadDescriptor, Item, items

HID_MAX_USAGES = 12288
HID_MAX_FIELDS = 256
HID_MAX_IDS = 256
HID_MAX_BUFFER_SIZE = 16384
HID_GLOBAL_STACK_SIZE = 4
_MOST_BITS = 256  # of one field; past 32 the kernel reads the low 32


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
