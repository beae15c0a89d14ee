"""A kernel without HID: every command that needs it says so in the same plain sentence."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from pyloader import sysfs
from pyloader.errors import Unsupported
from pyloader.hid.device import NO_HID, devices, find_device, require_hid
from pyloader.probes.input import InputProbe
from pyloader.view.collector import Collector
from pyloader.view.devices import DevicesReader
from pyloader.view.recording import pack, unpack
from pyloader.view.snapshot import Snapshot
from tests.unit.conftest import Outcome
from tests.unit.test_cli import Scxhid
from tests.unit.top_screen import Screen, Steps, drive


@pytest.fixture
def bus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The place of ``/sys/bus/hid``, where nothing is."""
    path = tmp_path / "hid"
    monkeypatch.setattr(sysfs, "_HID", str(path))
    return path


def test_a_bus_without_devices_is_not_a_kernel_without_hid(bus: Path) -> None:
    with pytest.raises(Unsupported, match="this kernel has no HID"):
        require_hid()
    (bus / "devices").mkdir(parents=True)
    require_hid()
    assert devices() == []
    with pytest.raises(Exception, match="there is no HID device at all"):
        find_device("mouse")


COMMANDS = [
    ("hid", "list"),
    ("hid", "list", "--json"),
    ("hid", "info", "mouse"),
    ("hid", "attach", "axes", "--device", "mouse"),
    ("hid", "detach", "mouse"),
    ("hid", "record", "mouse"),
    ("hid", "remap", "RULES"),
    ("hid", "remap", "RULES", "--check"),
    ("hid", "remap", "RULES", "--device", "mouse"),
]


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_commands_say_so(words: tuple[str, ...], bus: Path, scxhid: Scxhid, tmp_path: Path) -> None:
    rules = tmp_path / "rules.toml"
    rules.write_text('[keys]\na = "b"\n')
    done = scxhid(*(str(rules) if word == "RULES" else word for word in words))
    assert done == Outcome(3, "", f"scxhid: {NO_HID}\n")


def test_the_probe_says_so_before_the_kernel_is_asked(bus: Path) -> None:
    with pytest.raises(Unsupported, match="this kernel has no HID"):
        InputProbe()


def test_what_top_misses_is_told_in_that_sentence(bus: Path) -> None:
    with Collector() as collector:
        collector.start()
        seen = collector.take()
    assert f"input latency is not measured: {NO_HID}" in seen.missing
    assert seen.hid is None
    assert unpack(pack(seen)).hid is None


def test_devices_of_a_bus_that_is_empty_are_none_but_told(bus: Path) -> None:
    (bus / "devices").mkdir(parents=True)
    with DevicesReader() as reader:
        assert reader.read() == ()


@pytest.mark.parametrize(("hid", "says_so"), [(None, True), ((), False)])
def test_the_devices_pane_says_so(hid: tuple[()] | None, says_so: bool) -> None:
    class Without(Steps):
        def take(self) -> Snapshot | None:
            seen = super().take()
            return seen and replace(seen, hid=hid)

    async def do(screen: Screen) -> None:
        await screen.press("4")
        assert "there is no HID device" in screen.text()
        assert ("this kernel has no HID" in screen.text()) is says_so

    drive(do, machine=Without())
