"""``hid record --both``: reports before and after the programs, while they are what they are."""

from __future__ import annotations

import json
import os
import select
import signal
import time
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from pyloader.hid import recording
from pyloader.hid.attachments import attachments
from tests.guest.command import Outcome, done, scxhid
from tests.guest.conftest import Program
from tests.guest.hid import Plugged, wait_for
from tests.guest.hid_reports import after, mouse_report, reader, signed
from tests.guest.processes import Child
from tests.hid_descriptors import (
    COLLECTION,
    END,
    INPUT,
    LOGICAL_MAX,
    LOGICAL_MIN,
    MOUSE,
    REPORT_COUNT,
    REPORT_SIZE,
    USAGE,
    USAGE_PAGE,
    item,
    stick,
)

LONG_BYTES = 4000
LONG = (
    item(USAGE_PAGE, 0xFF00, 2) + item(USAGE, 1) + item(COLLECTION, 1) + item(USAGE, 2)
    + item(LOGICAL_MIN, 0) + item(LOGICAL_MAX, 255, 2) + item(REPORT_SIZE, 8)
    + item(REPORT_COUNT, LONG_BYTES, 2) + item(INPUT, 2) + item(END)
)  # fmt: skip


@pytest.fixture
def mouse() -> Generator[Plugged]:
    with Plugged("A mouse on two taps", MOUSE) as plugged:
        assert plugged.is_bound()
        yield plugged


class Recording:
    """``hid record DEVICE --both WORDS…`` that has begun, in another process."""

    def __init__(self, plugged: Plugged, *words: str) -> None:
        command = ("hid", "record", plugged.sysname, "--both", *words)

        def record(_: object) -> Outcome:
            plugged.uhid.close()  # the device is the parent's, to unplug it as well
            return scxhid(*command)

        self.child = Child(record)
        wait_for(lambda: len(taps(plugged)) == 2)

    def end(self, number: int = signal.SIGINT) -> Outcome:
        self.child.signal(number)
        return self.result()

    def result(self) -> Outcome:
        return self.child.result()


def taps(plugged: Plugged) -> list[str]:
    number = plugged.device.number
    return [each.ops for each in attachments() if each.is_tap and each.number == number]


def lines(outcome: Outcome) -> list[dict[str, Any]]:
    return [json.loads(line) for line in outcome.out.splitlines()]


def read(path: Path) -> recording.Recording:
    return recording.read(path.read_text().splitlines(), path.name)


def attach(plugged: Plugged, program: str, *knobs: str) -> None:
    done("hid", "attach", program, "--device", plugged.sysname, *knobs)


def test_two_recordings_hold_what_was_sent_and_what_came_out(
    mouse: Plugged, tmp_path: Path
) -> None:
    attach(mouse, "debounce", "press_ms=200", "release_ms=200")
    chatter = [mouse_report(n % 2, *((n, -n) if n > 4 else ())) for n in (1, 2, 3, 4, 5, 6, 8)]
    with reader(mouse) as fd:
        made = Recording(mouse, "-o", str(tmp_path / "worn.hid"))
        for report in chatter:
            mouse.uhid.send(report)
        time.sleep(0.6)  # until the release comes in a report of its own
        outcome = made.end()
        came_out = list(iter(lambda: after(fd, 0.1), b""))
    assert outcome.status == 0
    sides = [read(tmp_path / name) for name in ("worn.before.hid", "worn.hid")]
    assert [[r.data for r in side.reports] for side in sides] == [chatter, came_out]
    assert [report[0] for report in came_out] == [1] * 7 + [0]  # the last is debounce's own
    assert "7 reports before, 8 after: 4 changed, 0 dropped, 1 sent by programs" in outcome.err
    for side in sides:
        assert (side.devices[0].name, side.devices[0].rdesc) == (mouse.device.name, MOUSE)
        assert sorted(r.at_ns for r in side.reports) == [r.at_ns for r in side.reports]
    assert sides[0].reports[0].at_ns == 0
    assert (tmp_path / "worn.before.hid").stat().st_mode & 0o777 == 0o600
    for name, count in (("worn.before.hid", 7), ("worn.hid", 8)):
        assert f"{count} reports sent" in done("hid", "replay", str(tmp_path / name), "--now").err


def test_the_recording_from_before_tries_other_programs_on_the_same_reports(
    mouse: Plugged, tmp_path: Path
) -> None:
    attach(mouse, "wheel", "invert=on")
    made = Recording(mouse, "-o", str(tmp_path / "wheel.hid"))
    sent = [mouse_report(0, 0, 0, n) for n in (1, -2, 3)]
    for report in sent:
        mouse.uhid.send(report)
    made.end()
    outputs = []
    for name in ("wheel.before.hid", "wheel.hid"):
        found = read(tmp_path / name)
        with Plugged("Played back", found.devices[0].rdesc) as other:
            assert other.is_bound()
            attach(other, "wheel", "scale=2000")
            with reader(other) as fd:
                for report in found.reports:
                    other.uhid.send(report.data)
                outputs.append([signed(after(fd, 5)[3]) for _ in sent])
    assert outputs == [[2, -4, 6], [-2, 4, -6]]


def test_each_report_is_told_with_what_became_of_it(mouse: Plugged) -> None:
    attach(mouse, "rate_limit", "per_second=3")
    made = Recording(mouse, "--json")
    for report in (mouse_report(0, 1), mouse_report(0, 2), mouse_report(1), mouse_report(1, 4)):
        mouse.uhid.send(report)
    time.sleep(2)
    *found, end = lines(made.end())
    assert [(row["what"], row["before"], row["after"]) for row in found] == [
        ("same", "00010000", "00010000"),
        ("dropped", "00020000", None),
        ("changed", "01000000", "01020000"),
        ("dropped", "01040000", None),
        ("injected", None, "01040000"),
    ]
    assert found[2]["changed"] == {"X": [0, 2]}
    counted = {"before": 4, "after": 3, "changed": 1, "dropped": 2, "injected": 1, "lost": 0}
    assert end == {"reports": counted, "files": None}


def test_side_by_side_in_columns() -> None:
    with Plugged("A stick on two taps", stick(8, 0, 255, 3)) as pad:
        assert pad.is_bound()
        attach(pad, "axes", "invert_x=on")
        made = Recording(pad, "-n", "2")
        pad.uhid.send(bytes([3, 1, 128, 128, 128, 128]))
        pad.uhid.send(bytes([3, 0, 0, 128, 128, 128]))
        pad.uhid.send(bytes([3, 0, 10, 128, 128, 128]))
        outcome = made.result()
    head, _, second = outcome.out.splitlines()
    assert head.split() == ["TIME", "BEFORE", "AFTER"]
    time_, rest = second.split("  ", 1)[0], second[14:]
    assert time_.strip() == "" or float(second[:12]) > 0
    assert rest == "03 00 00 80 80 80  03 00 ff 80 80 80  X 0 → 255"
    assert "2 reports before" in outcome.err


def test_who_is_attached_later_is_in_the_recording_too(mouse: Plugged) -> None:
    made = Recording(mouse, "--json")
    mouse.uhid.send(mouse_report(0, 0, 0, 1))
    attach(mouse, "wheel", "invert=on")
    newest = max(each.holder.link_id for each in attachments() if not each.is_tap)
    wait_for(lambda: newest < min(i for i in tap_links(mouse)))
    mouse.uhid.send(mouse_report(0, 0, 0, 2))
    done("hid", "detach", mouse.sysname, "wheel")
    mouse.uhid.send(mouse_report(0, 0, 0, 3))
    outcome = made.end()
    *found, _ = lines(outcome)
    ways = [(row["what"], row["before"][-2:], row["after"][-2:]) for row in found]
    assert ways == [("same", "01", "01"), ("changed", "02", "fe"), ("same", "03", "03")]
    assert "wheel has been attached: from " in outcome.err


def tap_links(plugged: Plugged) -> list[int]:
    number = plugged.device.number
    found = [a.holder.link_id for a in attachments() if a.is_tap and a.number == number]
    return found if len(found) == 2 else [0]


def test_the_taps_are_no_programs_of_the_user(mouse: Plugged) -> None:
    attach(mouse, "wheel")
    made = Recording(mouse, "--json")
    assert "wheel (scxhid), recording (scxhid)" in done("hid", "list").out
    said = done("hid", "info", mouse.sysname).out
    for name in ("tap_before", "tap_after"):
        assert f"program recording: {name} (device_event), process " in said
    assert [row["program"] for row in done("status", "--json").json["hid"]] == ["wheel"]
    done("hid", "detach", mouse.sysname)
    assert len(taps(mouse)) == 2
    mouse.uhid.send(mouse_report(1))
    assert [row["what"] for row in lines(made.end())[:-1]] == ["same"]
    assert taps(mouse) == []


def test_killed_it_leaves_nothing(mouse: Plugged) -> None:
    made = Recording(mouse)
    assert not any(each.holder.pins for each in attachments())
    made.child.kill()
    wait_for(lambda: taps(mouse) == [])


def test_unplugged_it_says_so_and_keeps_what_was_sent(tmp_path: Path) -> None:
    with Plugged("A mouse on two taps and a loose cable", MOUSE) as plugged:
        assert plugged.is_bound()
        made = Recording(plugged, "-o", str(tmp_path / "loose"))
        plugged.uhid.send(mouse_report(1))
    outcome = made.result()
    assert outcome.status == 1
    assert outcome.errors == [
        f"scxhid: {plugged.sysname} (A mouse on two taps and a loose cable) has been unplugged"
    ]
    for name in ("loose.before", "loose"):
        assert [r.data for r in read(tmp_path / name).reports] == [mouse_report(1)]


def test_each_side_has_its_descriptor(mouse: Plugged, tmp_path: Path, program: Program) -> None:
    done("hid", "attach", program("hid_fixup"), "--device", mouse.sysname)
    Recording(mouse, "-o", str(tmp_path / "fixed.hid")).end()
    assert read(tmp_path / "fixed.before.hid").devices[0].rdesc == MOUSE
    assert read(tmp_path / "fixed.hid").devices[0].rdesc == mouse.device.rdesc != MOUSE
    made = Recording(mouse)
    done("hid", "detach", mouse.sysname)
    assert "has been given another report descriptor" in made.result().err


def test_a_fast_mouse_is_recorded_whole(mouse: Plugged, tmp_path: Path) -> None:
    attach(mouse, "wheel", "invert=on")
    made = Recording(mouse, "-o", str(tmp_path / "fast.hid"))
    sent = [mouse_report(0, n & 0x7F, n >> 7, 1) for n in range(8_000)]
    began = time.monotonic()
    for report in sent:
        mouse.uhid.send(report)
    print(f"{len(sent) / (time.monotonic() - began):.0f} reports a second")
    outcome = made.end()
    assert "8000 reports before, 8000 after: 8000 changed, 0 dropped" in outcome.err
    assert "could not be taken in" not in outcome.err
    assert [r.data for r in read(tmp_path / "fast.before.hid").reports] == sent


def test_what_finds_no_room_is_counted() -> None:
    with Plugged("A device of long reports", LONG) as plugged:
        assert plugged.is_bound()
        made = Recording(plugged, "--json")
        made.child.signal(signal.SIGSTOP)
        for n in range(1_500):
            plugged.uhid.send(bytes([n & 0xFF]) * LONG_BYTES)
        made.child.signal(signal.SIGCONT)
        *found, end = lines(made.end())
        counted = end["reports"]
        assert 0 < counted["lost"] < 1_000
        assert counted["before"] + counted["lost"] == 1_500
        assert (counted["after"], counted["dropped"]) == (counted["before"], 0)
        assert {row["what"] for row in found} == {"same"}
        assert len(found[-1]["before"]) == 2 * LONG_BYTES


def test_two_at_once_see_the_same(mouse: Plugged) -> None:
    attach(mouse, "wheel", "invert=on")
    first = Recording(mouse, "--json")
    command = ("hid", "record", mouse.sysname, "--both", "--json", "-n", "1")
    second = Child(lambda _: scxhid(*command))
    wait_for(lambda: len(taps(mouse)) == 4)
    mouse.uhid.send(mouse_report(0, 0, 0, 7))
    rows = [lines(outcome)[0] for outcome in (second.result(), first.end())]
    assert [(row["before"], row["after"]) for row in rows] == [("00000007", "000000f9")] * 2


def test_a_reader_that_goes_ends_it(mouse: Plugged) -> None:
    reading, writing = os.pipe()

    def record(_: object) -> int:
        os.close(reading)
        os.dup2(writing, 1)
        from pyloader.cli import main

        mouse.uhid.close()
        import sys

        sys.argv = ["scxhid", "hid", "record", mouse.sysname, "--both"]
        sys.stdout = os.fdopen(1, "w")
        try:
            main()
        except SystemExit as end:
            return int(end.code or 0)
        raise AssertionError("main returned")

    child = Child(record)
    os.close(writing)
    assert select.select([reading], [], [], 20)[0]
    os.read(reading, 100)
    os.close(reading)
    wait_for(lambda: len(taps(mouse)) == 2)
    mouse.uhid.send(mouse_report(1))
    assert child.result() == 1
    wait_for(lambda: taps(mouse) == [])


def test_both_into_one_pipe_and_json_of_one_side_are_wrong_use(mouse: Plugged) -> None:
    refused = scxhid("hid", "record", mouse.sysname, "--both", "-o", "-")
    assert (refused.status, "--both writes two files" in refused.err) == (2, True)
    refused = scxhid("hid", "record", mouse.sysname, "--json")
    assert (refused.status, "--json goes with --both" in refused.err) == (2, True)
