"""Recordings: what is written is read again, also by hid-tools; what is none is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from parse import parse as parse_line

from pyloader.hid.recording import BadRecording, Recorded, Report, head, line, read
from tests.hid_descriptors import MOUSE

DEVICE = Recorded(0, "A mouse, with: marks", "usb-1/input0", 3, 0x46D, 0xC52B, MOUSE)
HEAD = list(head(DEVICE))

reports = st.lists(
    st.tuples(st.integers(0, 10**7), st.binary(max_size=64)).map(
        lambda pair: Report(pair[0] * 1000, 0, pair[1])
    ),
    max_size=20,
)


@given(reports)
def test_what_is_written_is_read_again(sent: list[Report]) -> None:
    found = read([*HEAD, *map(line, sent)], "x")
    assert found.devices == {0: DEVICE}
    assert found.reports == sent


def test_hid_tools_reads_the_lines() -> None:
    # The forms are those of hidtools.cli.replay.
    assert parse_line("D: {idx:d}", HEAD[0])["idx"] == 0
    described = parse_line("R: {length:d} {desc}", HEAD[1])
    assert (described["length"], bytes.fromhex(described["desc"])) == (len(MOUSE), MOUSE)
    assert parse_line("N: {name}", HEAD[2])["name"] == DEVICE.name
    ids = parse_line("I: {bus:x} {vid:x} {pid:x}", HEAD[4])
    assert (ids["bus"], ids["vid"], ids["pid"]) == (3, 0x46D, 0xC52B)
    event = parse_line(
        "E: {sec:d}.{usec:d} {len:2d}{data}", line(Report(1_000_002_000, 0, b"\1\xff"))
    )
    assert (event["sec"], event["usec"], event["len"], event["data"]) == (1, 2, 2, " 01 ff")


def test_several_devices_and_remarks() -> None:
    other = list(head(Recorded(1, "other", "", 5, 1, 2, MOUSE)))
    lines = [
        "# a remark",
        *HEAD,
        *other,
        "D: 0",
        "E: 0.5 1 aa",
        "",
        "D: 1",
        "E: 000001.000000 1 bb",
    ]
    found = read(lines, "x")
    assert [report.device for report in found.reports] == [0, 1]
    assert [report.at_ns for report in found.reports] == [5_000, 1_000_000_000]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "x is not a recording: it describes no device"),
        ("hello\nworld", "x is not a recording"),
        ("N: only a name", r"x has no report descriptor \(R:\) of device 0"),
        ("R: 3 05 01", "x: line 1 says 3 bytes and has 2"),
        ("R: two 05 01", "x: line 1 is not of the form of 'R' lines"),
        ("R: 2 05 zz", "x: line 1 is not of the form of 'R' lines"),
        ("R: 2 05 01\nE: 0.0 1 aa\nI: 3 046d", "x: line 3 is not of the form of 'I' lines"),
        ("E: 0.0 1 aa", "x: line 1 has a report of a device that was not described"),
        ("R: 1 05\nE: soon 1 aa", "x: line 2 is not of the form of 'E' lines"),
        ("R: 1 05\nE: -1.0 1 aa", "x: line 2 has a time before"),
        (f"R: 5000 {'00' * 5000}", "x: line 1 has 5000 bytes, of 4096 at most"),
    ],
)
def test_what_is_no_recording_is_refused_with_its_line(text: str, words: str) -> None:
    with pytest.raises(BadRecording, match=words):
        read(text.splitlines(), "x")


@given(st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        read(text.splitlines(), "x")
    except BadRecording as error:
        assert str(error).startswith("x")  # noqa: PT017
