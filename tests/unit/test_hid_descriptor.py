"""Report descriptors: understood as the kernel understands them, whatever a device sends."""

from __future__ import annotations

import time

import pytest
from hidtools.hid import HidField, ReportDescriptor
from hypothesis import given, settings

from pyloader.hid.describe import item_lines, ranges
from pyloader.hid.descriptor import Descriptor, Field, extract
from pyloader.hid.items import BadDescriptor, items
from pyloader.hid.parser import HID_MAX_USAGES, parse
from tests.hid_descriptors import (
    COLLECTION,
    DELIMITER,
    END,
    INPUT,
    KEYBOARD,
    LOGICAL_MAX,
    MOUSE,
    POP,
    PUSH,
    REPORT_COUNT,
    REPORT_ID,
    REPORT_SIZE,
    USAGE,
    USAGE_MAX,
    USAGE_MIN,
    USAGE_PAGE,
    item,
)
from tests.unit.hid_descriptors import anything, well_formed

ONE_BIT = item(LOGICAL_MAX, 1) + item(REPORT_SIZE, 1) + item(REPORT_COUNT, 1)


def fields(data: bytes) -> list[Field]:
    return parse(data).fields("input")


def test_a_mouse() -> None:
    buttons, padding, axes = fields(MOUSE)
    assert list(buttons.usages) == [0x90001, 0x90002, 0x90003]
    assert (padding.offset, padding.size, len(padding.usages)) == (3, 5, 0)
    assert list(axes.usages) == [0x10030, 0x10031, 0x10038]
    assert axes.is_relative
    assert axes.is_signed
    assert [extract(axes, bytes([0, 0xFF, 5, 0]), n) for n in range(3)] == [-1, 5, 0]


@pytest.mark.parametrize("prefix", range(0xF0, 0x100))
def test_the_kernel_takes_every_item_of_tag_15_for_a_long_one(prefix: int) -> None:
    [found] = items(bytes([prefix, 1, 7, 0]))
    assert (found.is_long, found.tag, found.data) == (True, 7, b"\0")
    with pytest.raises(BadDescriptor, match="refuses long items"):
        parse(MOUSE + bytes([prefix, 1, 7, 0]))


def test_the_page_may_follow_its_usages() -> None:
    [field] = fields(ONE_BIT + item(USAGE, 4) + item(USAGE_PAGE, 9) + item(INPUT, 2))
    assert list(field.usages) == [0x90004]


def test_a_usage_of_four_bytes_brings_its_page() -> None:
    data = item(USAGE_PAGE, 1) + ONE_BIT + item(USAGE, 0xC00E9, 4) + item(INPUT, 2)
    assert list(fields(data)[0].usages) == [0xC00E9]


def test_what_was_pushed_comes_back() -> None:
    data = ONE_BIT + item(PUSH) + item(REPORT_SIZE, 8) + item(POP) + item(USAGE, 1) + item(INPUT, 2)
    assert fields(data)[0].size == 1


def test_of_alternatives_the_first_counts() -> None:
    data = ONE_BIT + item(DELIMITER, 1) + item(USAGE, 1) + item(DELIMITER, 0)
    data += item(DELIMITER, 1) + item(USAGE, 2) + item(DELIMITER, 0) + item(INPUT, 2)
    assert list(fields(data)[0].usages) == [1]


def test_a_main_item_closes_a_delimiter() -> None:
    data = ONE_BIT + item(DELIMITER, 1) + item(USAGE, 1) + item(INPUT, 2)
    assert len(fields(data)) == 1
    with pytest.raises(BadDescriptor, match="not open"):
        parse(data + item(DELIMITER, 0))


def test_the_last_usage_stands_for_all_that_follow() -> None:
    data = item(LOGICAL_MAX, 1) + item(REPORT_SIZE, 1) + item(REPORT_COUNT, 3)
    [field] = fields(data + item(USAGE, 7) + item(USAGE, 8) + item(INPUT, 2))
    assert [field.usage_of(n) for n in range(3)] == [7, 8, 8]


def test_reports_are_numbered_from_the_first_id_on() -> None:
    data = item(REPORT_ID, 2) + ONE_BIT + item(USAGE, 1) + item(INPUT, 2)
    found = parse(data)
    assert found.size_bytes(found.reports["input", 2]) == 2
    assert parse(MOUSE).size_bytes(parse(MOUSE).reports["input", 0]) == 4


def test_a_range_of_too_many_usages_is_cut_where_the_kernel_cuts_it() -> None:
    data = ONE_BIT + item(USAGE_MIN, 0) + item(USAGE_MAX, 0xFFFF) + item(INPUT, 2)
    assert len(fields(data)[0].usages) == HID_MAX_USAGES


@pytest.mark.parametrize(
    ("data", "offset", "words"),
    [
        (MOUSE[:-1], len(MOUSE) - 1, "a collection is not closed"),
        (MOUSE[:-2], len(MOUSE) - 2, "2 collections are not closed"),
        (item(END), 0, "closed that is not open"),
        (item(POP), 0, "pop without a push"),
        (item(PUSH) * 5, 4, "more than 4 pushes"),
        (item(REPORT_SIZE, 257), 0, "a field of 257 bits"),
        (item(REPORT_COUNT, 0x3001), 0, "12289 values"),
        (item(REPORT_ID, 0), 0, "0 is no report id"),
        (item(REPORT_ID, 256), 0, "256 is no report id"),
        (item(DELIMITER, 1) * 2, 2, "a delimiter inside a delimiter"),
        (item(DELIMITER, 0), 0, "closed that is not open"),
        (item(DELIMITER, 1), 2, "a delimiter is not closed"),
        (b"\xfe\x02\x10ab", 0, "long items"),
        (b"\xfe\xff\x10ab", 0, "cut off"),
        (b"\x27\x01", 0, "cut off"),
        (b"\xc4", 0, "no global item 12"),
        (item(LOGICAL_MAX, 0) + item(0x14, 5) + item(INPUT, 2), 4, "5 to 0 is empty"),
        (
            item(REPORT_SIZE, 255) + item(REPORT_COUNT, 0x3000) + item(INPUT, 2),
            5,
            "longer than 16383 bytes",
        ),
    ],
)
def test_what_the_kernel_refuses_is_refused_at_the_same_item(
    data: bytes, offset: int, words: str
) -> None:
    with pytest.raises(BadDescriptor, match=words) as refused:
        parse(data)
    assert refused.value.offset == offset


def test_a_thousand_nested_collections_are_nothing_special() -> None:
    data = item(COLLECTION, 1) * 1000 + item(END) * 1000
    assert parse(data).collections[-1].level == 999


def test_the_worst_four_kilobytes_take_no_time() -> None:
    worst = item(USAGE_MIN, 1) + item(USAGE_MAX, 0x2FFF) + item(INPUT, 2)
    started = time.process_time()
    parse((ONE_BIT + worst * 600)[:4096])
    assert time.process_time() - started < 5


def test_a_field_wider_than_32_bits_is_listed_but_has_no_value() -> None:
    data = item(LOGICAL_MAX, 1) + item(REPORT_SIZE, 33) + item(REPORT_COUNT, 1)
    [field] = fields(data + item(USAGE, 1) + item(INPUT, 2))
    with pytest.raises(ValueError, match="33 bits"):
        extract(field, bytes(8), 0)


@settings(max_examples=1000, deadline=None)
@given(anything)
def test_any_bytes_are_understood_or_refused(data: bytes) -> None:
    try:
        found = parse(data)
    except BadDescriptor:
        return
    for report in found.reports.values():
        ends = [f.offset + f.size * f.count for f in report.fields]
        assert max(ends, default=0) <= report.bits
        for field in report.fields:
            if field.size <= 32 and field.count:
                extract(field, bytes(report.bits // 8 + 1), field.count - 1)
    assert len(list(item_lines(data))) == len(list(items(data)))


@settings(max_examples=300, deadline=None)
@given(anything)
def test_runs_of_usages_are_the_usages(data: bytes) -> None:
    try:
        found = parse(data)
    except BadDescriptor:
        return
    for field in found.fields("input"):
        assert [u for a, b in ranges(field.usages) for u in range(a, b + 1)] == list(field.usages)


Row = tuple[str, int, int, int, int, int, int, int, bool, tuple[int, ...]]


def ours(found: Descriptor) -> list[Row]:
    """A row for each value of a variable field, one for each array."""
    rows: list[Row] = []
    for report in found.reports.values():
        skip = 8 if found.is_numbered[report.kind] else 0
        for f in report.fields:
            if not f.usages:
                continue
            v = f.values
            same = (f.flags, v.logical_minimum, v.logical_maximum)
            if not f.is_variable:
                at = skip + f.offset
                rows.append(
                    (report.kind, report.id, at, f.size, f.count, *same, True, tuple(f.usages))
                )
                continue
            for n in range(f.count):
                at = skip + f.offset + n * f.size
                rows.append((report.kind, report.id, at, f.size, 1, *same, False, (f.usage_of(n),)))
    return sorted(rows)


def theirs(data: bytes) -> list[Row]:
    found = ReportDescriptor.from_bytes(data)
    rows: list[Row] = []
    kinds = ("input", found.input_reports), ("output", found.output_reports)
    for kind, reports in (*kinds, ("feature", found.feature_reports)):
        for report in reports.values():
            rows += [_row(kind, f) for f in report if f.usages or f.usage & 0xFFFF]
    return sorted(rows)


def _row(kind: str, f: HidField) -> Row:
    number = max(f.report_ID, 0)
    same = (f.type, f.logical_min, f.logical_max)
    usages = tuple(f.usages) if f.is_array else (f.usage,)
    return (kind, number, f.start, f.size, f.count, *same, f.is_array, usages)


@pytest.mark.parametrize("data", [MOUSE, KEYBOARD])
def test_real_devices_are_read_as_hid_tools_reads_them(data: bytes) -> None:
    assert ours(parse(data)) == theirs(data)


@settings(max_examples=150, deadline=None)
@given(well_formed())
def test_every_field_is_the_one_that_hid_tools_finds(data: bytes) -> None:
    assert ours(parse(data)) == theirs(data)
