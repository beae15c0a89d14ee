"""The table of what objects of udev-hid-bpf are for, as far as it can be checked without them."""

from __future__ import annotations

import pytest

from pyloader.hid.parser import parse
from tests.guest.replays import Replay, replays

ALL = [
    pytest.param(each, id=name)
    for name, replay in replays().items()
    for each in (replay, *replay.also)
]


@pytest.mark.parametrize("replay", ALL)
def test_each_tells_its_object_from_none_or_why_it_cannot(replay: Replay) -> None:
    ranges = replay.declared.values()
    differs = replay.without != replay.attached or any(one != other for one, other in ranges)
    assert differs == (not replay.unseen)
    assert bool(replay.steps) == (not replay.unseen)


@pytest.mark.parametrize("replay", ALL)
def test_no_report_is_longer_than_the_device_declares(replay: Replay) -> None:
    for step in replay.steps:
        declared = parse(replay.descriptor)
        report = declared.reports["input", step.report[0]]
        assert len(step.report) == declared.size_bytes(report)
