"""Where an interface's reports have keys and movement: its places (hid/remap/table.h)."""

from __future__ import annotations

from dataclasses import dataclass, field

from pyloader.btf import Type
from pyloader.errors import WrongUse
from pyloader.hid.descriptor import INPUT, Descriptor, Field
from pyloader.hid.remap import codes
from pyloader.hid.remap.model import Rules
from pyloader.hid.remap.read import AXES
from pyloader.packed import Packed

# As in hid/remap/table.h.
NR_REPORTS, NR_FIELDS, NR_USAGES, NR_AXES = 8, 32, 2048, 8
SEEN_BYTES = 64
NO_REPORT = 0xFF
_BITS, _ARRAY = range(2)
_ONE = 1 << 16
_WORD = (1 << 64) - 1
_LARGEST_ARRAY_BITS = 16


@dataclass(frozen=True)
class Slot:
    """Where a report says that a key is pressed: ``field`` is an index into those of the table,
    ``value`` a bit of the report (the id's byte included) or a value of an array."""

    report_id: int
    report: int
    field: int
    value: int
    is_array: bool


@dataclass
class Places:
    """What of an interface's input reports is keys, buttons and movement.

    ``slots`` by code; ``axes`` with the index of their report; ``moves`` of each report its bits
    of movement. ``left_out`` are sentences on reports that the kernel does not show whole.
    """

    reports: list[tuple[int, int]] = field(default_factory=list[tuple[int, int]])
    moves: list[int] = field(default_factory=list[int])
    fields: list[tuple[int, int, Field]] = field(default_factory=list[tuple[int, int, Field]])
    slots: dict[int, Slot] = field(default_factory=dict[int, Slot])
    owned: list[set[int]] = field(default_factory=list[set[int]])
    axes: list[tuple[int, Field]] = field(default_factory=list[tuple[int, Field]])
    left_out: list[str] = field(default_factory=list[str])

    def says(self, name: str) -> bool:
        """Whether a report can say that the key is pressed."""
        return any(code in self.slots for code in codes.codes_of(name))

    def code_for(self, name: str) -> int:
        """The code to press for the name of a key: one that the device can say."""
        known = codes.codes_of(name)
        return next((code for code in known if code in self.slots), known[0])


def places_of(descriptor: Descriptor) -> Places:
    """What there is on a device to be remapped."""
    found = Places()
    for report in descriptor.reports.values():
        if report.kind != INPUT:
            continue
        kinds = [(kind, f) for f in report.fields if (kind := _kind(f)) is not None]
        if not kinds and not any(map(_is_axis, report.fields)):
            continue
        size = descriptor.size_bytes(report)
        if size > SEEN_BYTES:
            found.left_out.append(
                f"report {report.id} is {size} bytes long; programs see {SEEN_BYTES}"
            )
            continue
        if len(found.reports) == NR_REPORTS or len(found.fields) + len(kinds) > NR_FIELDS:
            found.left_out.append(f"report {report.id}: the device has too many")
            continue
        index = len(found.reports)
        found.reports.append((report.id, size))
        found.moves.append(sum(map(_bits_of, filter(_is_movement, report.fields))))
        found.owned.append(set())
        for kind, each in kinds:
            _add(found, index, kind, each)
        found.axes += [(index, each) for each in report.fields if _is_axis(each)]
    return found


def build_places(rules: Rules, places: Places, type_: Type) -> bytes:
    """The places as the program knows them: a value of the map ``all_places``, of ``type_``.

    Raises:
        WrongUse: the interface has more than there is room for.
    """
    made = Packed(type_)
    _write_places(made, places)
    _write_axes(made, rules, places)
    return made.tobytes()


# ---- what the device has


def _kind(each: Field) -> int | None:
    """What the table calls the field; None if it is none of its business."""
    if each.is_constant or not each.size or not each.count:
        return None
    if each.is_relative or not any(codes.code_of(usage) for usage in each.usages):
        return None
    if each.is_variable:
        return _BITS if each.size == 1 else None
    return _ARRAY if each.size <= _LARGEST_ARRAY_BITS else None


def _is_movement(each: Field) -> bool:
    return each.is_relative and each.is_variable and not each.is_constant


def _bits_of(each: Field) -> int:
    return (1 << each.count * each.size) - 1 << _start(each)


def _is_axis(each: Field) -> bool:
    usable = each.is_variable and not each.is_constant and 1 < each.size <= 32
    return usable and not set(AXES.values()).isdisjoint(each.usages)


def _add(found: Places, report: int, kind: int, each: Field) -> None:
    number = len(found.fields)
    found.fields.append((report, kind, each))
    report_id = found.reports[report][0]
    start = _start(each)
    count = each.count if kind == _BITS else len(each.usages)
    for n in range(count):
        usage = each.usage_of(n) if kind == _BITS else each.usages[n]
        code = codes.code_of(usage)
        if code in (codes.NO_CODE, codes.CODE_PHANTOM):
            continue
        found.owned[report].add(code)
        is_array = kind == _ARRAY
        value = each.values.logical_minimum + n if is_array else start + n
        before = found.slots.get(code)
        if before is None or (before.is_array and not is_array):
            found.slots[code] = Slot(report_id, report, number, value, is_array)


def _start(each: Field) -> int:
    """The field's first bit, the id's byte included."""
    return each.offset + (8 if each.report_id else 0)


def _nobody(each: Field) -> int:
    """The value of an array field that means that nothing is pressed."""
    low, n = each.values.logical_minimum, len(each.usages)
    index = 0 - low
    if not 0 <= index < n or not each.usages[index] & 0xFFFF:
        return 0
    return next(v for v in range(1 << each.size) if not 0 <= v - low < n)


# ---- as the program knows it


def _write_places(table: Packed, places: Places) -> None:
    table["nr_reports"], table["nr_fields"] = len(places.reports), len(places.fields)
    for n, (report_id, size) in enumerate(places.reports):
        table["reports"][n]["id"], table["reports"][n]["size"] = report_id, size
        words = [places.moves[n] >> bit & _WORD for bit in range(0, 8 * SEEN_BYTES, 64)]
        table["reports"][n]["moves"].put(0, words)
    first = 0
    for n, (report, kind, each) in enumerate(places.fields):
        row = table["fields"][n]
        row["report"], row["kind"], row["size"] = report, kind, each.size
        row["count"], row["at"], row["first"] = each.count, _start(each), first
        number = each.count if kind == _BITS else len(each.usages)
        if first + number > NR_USAGES:
            raise WrongUse(f"the device has more than {NR_USAGES} usages in its key fields")
        row["nr_codes"] = number
        usages = map(each.usage_of, range(number)) if kind == _BITS else each.usages
        table["codes"].put(first, list(map(codes.code_of, usages)))
        if kind == _ARRAY:
            row["minimum"], row["none"] = each.values.logical_minimum, _nobody(each)
        first += number
    for code in range(len(table["slots"])):
        table["slots"][code]["report"] = NO_REPORT
    for code, slot in places.slots.items():
        row = table["slots"][code]
        row["report"], row["field"], row["value"] = slot.report, slot.field, slot.value


def _write_axes(table: Packed, rules: Rules, places: Places) -> None:
    """Every field of such an axis, in the reports that are in the table."""
    number = 0
    for name, scale in rules.scales.items():
        for report, each in places.axes:
            if AXES[name] not in each.usages:
                continue
            n = each.usages.index(AXES[name])
            if n >= each.count or number == NR_AXES:
                continue
            row = table["axes"][number]
            row["report"], row["size"], row["at"] = report, each.size, _start(each) + n * each.size
            row["scale"] = round(scale * _ONE)
            row["minimum"] = each.values.logical_minimum
            row["maximum"] = each.values.logical_maximum
            row["is_relative"] = each.is_relative
            number += 1
    table["nr_axes"] = number
