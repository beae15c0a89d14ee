"""What a device of uhid lets through to the kernel."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyloader.hid import uhid
from pyloader.hid.parser import parse
from tests.hid_descriptors import FEATURE, KEYBOARD, REPORT_COUNT, REPORT_SIZE, USAGE, item, nkro

_HEAD = 6  # of an input report: its kind and its length


@given(st.integers(0, 4000))
def test_the_room_for_a_report_is_that_of_the_longest_of_any_kind(size: int) -> None:
    longer = item(REPORT_SIZE, 8) + item(REPORT_COUNT, size) + item(USAGE, 1) + item(FEATURE, 2)
    room = uhid.room(parse(KEYBOARD[:-1] + longer + KEYBOARD[-1:]))
    assert room % 64 == 0
    assert 0 <= room - max(8, size) < 64


@pytest.mark.parametrize("rdesc", [KEYBOARD, nkro(3)])
def test_reports_are_cut_where_the_kernel_has_no_room(
    rdesc: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = tmp_path / "uhid"
    written.touch()
    monkeypatch.setattr(uhid, "PATH", str(written))
    room = uhid.room(parse(rdesc))
    with uhid.Uhid("A keyboard", rdesc, longest=room) as device:
        at = written.stat().st_size
        device.send(b"x" * room)
        device.send(b"y" * 4096)
    sent = written.read_bytes()[at:]
    assert len(sent) == 2 * (_HEAD + room)
    assert sent.endswith(room.to_bytes(2, "little") + b"y" * room)
