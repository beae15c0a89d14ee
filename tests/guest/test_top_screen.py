"""``scxhid top`` on a terminal in the machine: everything from the keyboard, and read back."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Generator
from itertools import groupby
from pathlib import Path

import pytest

from pyloader import sysfs
from pyloader.libbpf import links
from pyloader.view.recording import Recording
from tests.guest.command import done
from tests.guest.test_top_input import MOVEMENT, plugged, reader
from tests.terminal import Terminal

# An emulated machine takes its time to start a Python with all that a screen imports.
STARTS_S = 90.0


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    return tmp_path / "evening.top"


@pytest.fixture
def terminal(recording: Path) -> Generator[Terminal]:
    command = [str(Path(sys.executable).with_name("scxhid")), "top", "--record", str(recording)]
    with Terminal(command) as terminal:
        terminal.shows("woken → running", "● ", within_s=STARTS_S)
        yield terminal


def test_all_is_done_from_the_keyboard(terminal: Terminal, recording: Path) -> None:
    terminal.shows("scheduler the kernel's own", "CPUs", "p50 ")
    terminal.press("2")
    terminal.shows("interactive", "simple", "one queue for all CPUs")
    terminal.press("/")
    terminal.shows("Only rows with")
    terminal.press("simple", "Enter")
    terminal.shows("filter “simple”")
    terminal.press("Enter")
    terminal.shows("Swap from the kernel's own to simple?")
    terminal.press("y")
    terminal.shows("scheduler simple hosted by scxhid")
    assert sysfs.read().state == "enabled"

    terminal.press("3")
    screen = terminal.shows("knobs of simple", "slice_us")
    before = done("sched", "knobs", "--json").json["slice_us"]["value"]
    terminal.press("Home", "Right")
    knobs = terminal.until(lambda screen: re.search(r"\* slice_us +(\d+)", screen))
    shown = re.search(r"\* slice_us +(\d+)", knobs)
    assert shown
    assert done("sched", "knobs", "--json").json["slice_us"]["value"] == int(shown[1]) > before
    terminal.press("u")
    terminal.until(lambda screen: re.search(rf"  slice_us +{before}", screen))
    assert done("sched", "knobs", "--json").json["slice_us"]["value"] == before

    terminal.press("5")
    terminal.shows("statistics of simple", "dispatch queues", "local 0", "global 0")
    terminal.press("6")
    screen = terminal.shows("tasks that ran or waited", "scxhid")
    terminal.press("1")
    # A knob that is turned and undone between two looks was never seen to be turned.
    terminal.until(lambda screen: "▾simple" in screen or "▾slice_us=" in screen)
    with plugged("on the screen") as mouse, reader(mouse):
        for _ in range(40):
            mouse.uhid.send(MOVEMENT)
            time.sleep(0.05)
        screen = terminal.shows("Mouse on the", "fixups", "wait")
        line = next(line for line in screen.splitlines() if "Mouse on the" in line)
        assert "unread" not in line
        terminal.press("4")
        terminal.shows("Mouse on the", "no program is on it")
        # Its reports are read from the look on that comes after the key.
        terminal.until(lambda screen: "X 1  Y 1" in screen or mouse.uhid.send(MOVEMENT))
        terminal.press("i")
        terminal.shows("Switch input first on?", "before others for a moment")
        terminal.press("y")
        terminal.shows("scheduler simple  input first  hosted by scxhid")
        terminal.until(lambda screen: "1 task in" in screen or mouse.uhid.send(MOVEMENT))
        assert done("input", "show", "--json").json["on"]
        terminal.press("i", "Enter")
        terminal.shows("simple hosted by scxhid")
        terminal.press("1")
    terminal.press("x")
    terminal.shows("Take simple off")
    terminal.press("Enter")
    terminal.shows("scheduler the kernel's own", "before: simple")
    assert sysfs.read().ops is None

    terminal.press("C-c")
    screen = terminal.shows("ended with 0", f"{recording}: recording")
    assert "MB/h" in screen
    assert not [link.id for link in links()], "a probe is still attached"
    with Recording(recording) as seen:
        names = [seen[n].scheduler.name for n in range(len(seen))]
        first = [seen[n].input_first for n in range(len(seen))]
    assert names[0] is None
    assert "simple" in names
    assert names[-1] is None
    switched = [on for on, _ in groupby(each.is_on for each in first if each)]
    assert switched == [False, True, False]
