"""``hid list`` and ``hid info``: devices as they say themselves, and as they were fixed."""

from __future__ import annotations

import os
import re
import subprocess
import time
from collections.abc import Generator
from pathlib import Path

import pytest

from pyloader import ObjectSpec
from pyloader.hid import recording
from pyloader.hid.descriptor import Descriptor
from pyloader.hid.items import BadDescriptor
from pyloader.hid.parser import parse
from pyloader.hid.recording import Recorded, Report
from tests.guest.command import done, scxhid
from tests.guest.conftest import Program
from tests.guest.hid import Plugged, wait_for
from tests.hid_descriptors import KEYBOARD, MOUSE, at_random

DEBUG = Path("/sys/kernel/debug/hid")
NOISE = 120  # descriptors
SCXHID = ".venv/bin/scxhid"


@pytest.fixture
def mouse() -> Generator[Plugged]:
    with Plugged("A mouse of the tests", MOUSE, bus=3, vendor=0x1234, product=0xABCD) as plugged:
        assert plugged.is_bound()
        yield plugged


def test_devices_are_listed_with_their_nodes(mouse: Plugged) -> None:
    with Plugged("A keyboard of the tests", KEYBOARD):
        listed = done("hid", "list", "--json").json["devices"]
        rows = {row["name"]: row for row in listed}
        assert set(rows) >= {"A mouse of the tests", "A keyboard of the tests"}
        found = rows["A mouse of the tests"]
        assert (found["bus"], found["vendor"], found["product"]) == ("USB", 0x1234, 0xABCD)
        assert found["driver"] == "hid-generic"
        assert found["programs"] == []
        for node in [found["hidraw"], *(each["event"] for each in found["inputs"])]:
            assert Path("/dev", node).exists()
        said = done("hid", "list").out
        assert re.search(
            rf"{mouse.sysname} +USB +A mouse of the tests +hid-generic +input/event", said
        )


def test_a_device_is_named_in_many_ways(mouse: Plugged) -> None:
    for words in (mouse.sysname, mouse.sysname.lower(), "1234:abcd", "mouse of"):
        assert done("hid", "info", words, "--json").json["device"] == mouse.sysname


def test_a_name_that_fits_two_or_none_is_wrong_use(mouse: Plugged) -> None:
    with Plugged("A mouse of the tests too", MOUSE):
        several = scxhid("hid", "info", "of the tests")
        assert (several.status, several.out) == (2, "")
        assert f"{mouse.sysname} (A mouse of the tests)" in several.err
        none = scxhid("hid", "info", "A house of the tests")
        assert none.status == 2
        assert "did you mean A mouse of the tests" in none.err
        assert scxhid("hid", "info", "").status == 2


def test_what_it_sends_is_told_field_by_field(mouse: Plugged) -> None:
    said = done("hid", "info", mouse.sysname).out
    assert "input report, 4 bytes, of Mouse" in said
    assert re.search(r"0–2 +3 × 1 bit +Button 1 … Button 3 +0…1 variable absolute", said)
    assert re.search(r"8–31 +3 × 8 bit +X, Y, Wheel +-127…127 variable relative", said)
    assert "programs: none" in said
    assert "as it was fixed" not in said
    items = done("hid", "info", mouse.sysname, "--items").out
    assert re.search(r"42  25 7f +Logical Maximum: 127", items)


def test_a_fixup_of_somebody_else_is_seen(mouse: Plugged, program: Program) -> None:
    spec = ObjectSpec.open(program("hid_fixup"))
    fields = {"fixup": {"hid_id": mouse.device.number}}
    with spec.load(fields=fields) as loaded:
        loaded.attach("fixup")
        wait_for(lambda: mouse.device.node.is_bound)
        found = done("hid", "info", mouse.sysname, "--json").json
        [attached] = found["programs"]
        assert attached["name"] == "fixup"
        assert attached["callbacks"] == ["hid_rdesc_fixup"]
        assert attached["tool"] is None
        assert found["descriptor"]["collections"][0]["name"] == "Joystick"
        assert found["original"]["collections"][0]["name"] == "Mouse"
        assert bytes.fromhex(found["original"]["hex"]) == MOUSE
        said = done("hid", "info", mouse.sysname).out
        assert said.index("of Mouse") < said.index("as it was fixed") < said.index("of Joystick")
        assert "program fixup (rdesc_fixup), " in said
        assert "fixup (another)" in done("hid", "list").out
    wait_for(lambda: mouse.device.rdesc == MOUSE)
    assert done("hid", "info", mouse.sysname, "--json").json["programs"] == []


def test_a_user_sees_devices_but_not_programs(mouse: Plugged) -> None:
    command = f"exec {SCXHID} hid info {mouse.sysname}"
    run = subprocess.run(
        ["setpriv", "--reuid=65534", "--clear-groups", "sh", "-c", command],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "HOME": "/tmp"},
    )
    assert run.returncode == 0, run.stderr
    assert "of Mouse" in run.stdout
    assert "only root may see them" in run.stdout
    assert "cannot be read" in run.stderr


def test_the_kernel_takes_and_refuses_the_same_descriptors() -> None:
    if not DEBUG.exists():
        subprocess.run(["mount", "-t", "debugfs", "debugfs", "/sys/kernel/debug"], check=True)
    taken = 0
    for seed in range(NOISE):
        data = at_random(seed)
        try:
            ours = parse(data, max_buffer=4096)
        except BadDescriptor:
            ours = None
        with Plugged(f"noise {seed}", data) as plugged:
            bound = plugged.is_bound(0.3 if ours else 0.02)
            assert bound == bool(ours), f"seed {seed}: {data.hex()}"
            if ours:
                taken += 1
                assert fields_of(ours) == kernels_fields(plugged.sysname), f"seed {seed}"
    assert NOISE / 8 < taken < NOISE


Row = tuple[str, int, int, int, int, int, int | None, int | None]


def fields_of(found: Descriptor) -> list[Row]:
    """Kind, id, usages, bits, values, place and range of each field that is not padding."""
    rows: list[Row] = []
    for (kind, number), report in found.reports.items():
        for f in report.fields:
            if f.usages:
                low, high = _s32(f.values.logical_minimum), _s32(f.values.logical_maximum)
                limits = (low, high) if low != high else (None, None)  # as the kernel prints it
                count = max(len(f.usages), f.count)
                rows.append((kind, number, count, f.size, f.count, f.offset, *limits))
    return sorted(rows, key=str)


def kernels_fields(sysname: str) -> list[Row]:
    """The same as debugfs shows it (hid_dump_device in drivers/hid/hid-debug.c)."""
    text = (DEBUG / sysname / "rdesc").read_text(errors="replace")
    rows: list[Row] = []
    kind, number = "", 0
    for line in text.splitlines():
        title = re.match(r"\s*(INPUT|OUTPUT|FEATURE)(?:\((\d+)\))?\[", line)
        if title:
            kind, number = title[1].lower(), int(title[2] or 0)
        if re.match(r"\s*Field\(\d+\)", line):
            said: dict[str, int] = {}
        value = re.match(r"\s*(Usage|Logical M\w+|Report \w+)\((-?\d+)\)", line)
        if value:
            said[value[1]] = int(value[2])
            if value[1] == "Report Offset":
                get = said.get
                limits = get("Logical Minimum"), get("Logical Maximum")
                size, count = said["Report Size"], said["Report Count"]
                at = said["Report Offset"]
                rows.append((kind, number, said["Usage"], size, count, at, *limits))
    return sorted(rows, key=str)


def _s32(value: int) -> int:
    return (value & 0xFFFFFFFF ^ 0x80000000) - 0x80000000


@pytest.mark.slow
def test_what_was_recorded_is_sent_again(mouse: Plugged, tmp_path: Path) -> None:
    """Two recordings: of the mouse, and of the device that plays the first back."""
    sent = [bytes([n % 8, n, 256 - n, 0]) for n in range(1, 21)]
    first, second = tmp_path / "first.hid", tmp_path / "second.hid"
    recorder = Recorder(mouse.sysname, "-o", str(first), "-n", "20")
    for report in sent:
        mouse.uhid.send(report)
        time.sleep(0.01)
    assert recorder.end() == (0, "20 reports recorded\n")
    assert first.stat().st_mode & 0o777 == 0o600
    found = recording.read(first.read_text().splitlines(), "first")
    assert [r.data for r in found.reports] == sent
    assert found.devices[0].rdesc == MOUSE
    took_ns = found.reports[-1].at_ns
    assert 0.19e9 <= took_ns < 5e9

    player = subprocess.Popen(
        [SCXHID, "hid", "replay", str(first), "--wait", "5"], stderr=subprocess.PIPE, text=True
    )
    assert player.stderr
    sysname = player.stderr.readline().split()[0]
    assert sysname != mouse.sysname
    recorder = Recorder(sysname, "-o", str(second), "-n", "20")
    assert recorder.end()[0] == 0
    assert "20 reports sent" in player.communicate(timeout=30)[1]
    assert player.returncode == 0
    again = recording.read(second.read_text().splitlines(), "second")
    assert [r.data for r in again.reports] == sent
    assert again.devices[0].rdesc == MOUSE
    assert 0.8 < again.reports[-1].at_ns / took_ns < 1.5


def test_replay_at_once_and_of_nonsense(mouse: Plugged, tmp_path: Path) -> None:
    slow = tmp_path / "slow.hid"
    lines = [
        *recording.head(Recorded(0, "Slow", "", 3, 1, 2, MOUSE)),
        recording.line(Report(0, 0, bytes(4))),
    ]
    lines += [recording.line(Report(3_600_000_000_000, 0, bytes(4)))]
    slow.write_text("\n".join(lines))
    played = done("hid", "replay", str(slow), "--now")
    assert "2 reports sent" in played.err
    slow.write_text("R: 3 05 01\n")
    assert scxhid("hid", "replay", str(slow)).status == 1
    slow.write_text("R: 1 c0\nE: 0.0 1 00\n")
    refused = scxhid("hid", "replay", str(slow))
    assert refused.status == 2
    assert "the kernel refuses the recorded descriptor" in refused.err
    assert scxhid("hid", "replay", str(tmp_path / "absent")).status == 1


def test_a_device_that_is_unplugged_ends_its_recording() -> None:
    with Plugged("Short", MOUSE) as plugged:
        assert plugged.is_bound()
        recorder = Recorder(plugged.sysname)
        plugged.uhid.send(bytes(4))
    status, said = recorder.end()
    assert status == 1
    assert "has been unplugged" in said


class Recorder:
    """``hid record WORDS…`` that has begun."""

    def __init__(self, *words: str) -> None:
        self._process = subprocess.Popen(
            [SCXHID, "hid", "record", *words],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self._process.stderr
        assert "recording" in self._process.stderr.readline()

    def end(self) -> tuple[int, str]:
        """Exit status, and what it said last."""
        _, err = self._process.communicate(timeout=30)
        return self._process.returncode, err
