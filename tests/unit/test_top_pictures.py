"""The screen as it is drawn, against pictures that somebody has looked at.

``SCXHID_DRAW=1`` draws them anew; look at them before they are committed. The plugin that compares
pictures of Textual's programs asks for a pytest that is older than ours.
"""

from __future__ import annotations

import os
import re
import time
from pathlib import Path

import pytest

from tests.unit.top_screen import Screen, Steps, drive

PICTURES = Path(__file__).with_name("pictures")

CASES = {
    "overview-80x24": ((80, 24), 4, ""),
    "overview-120x40": ((120, 40), 16, ""),
    "overview-200x60": ((200, 60), 64, ""),
    "overview-many-80x24": ((80, 24), 512, ""),
    "schedulers-120x40": ((120, 40), 4, "2"),
    "knobs-80x24": ((80, 24), 4, "3"),
    "devices-120x40": ((120, 40), 4, "4 down"),
    "statistics-120x40": ((120, 40), 4, "5"),
    "tasks-80x24": ((80, 24), 4, "6 down enter"),
    "question-80x24": ((80, 24), 4, "2 enter"),
    "input-first-120x40": ((120, 40), 16, ""),
    "input-first-80x24": ((80, 24), 4, "4"),
}


@pytest.fixture(autouse=True)
def greenwich(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()


@pytest.mark.parametrize("case", CASES)
def test_it_looks_as_it_did(case: str) -> None:
    size, cpus, keys = CASES[case]
    drawn: list[str] = []

    async def do(screen: Screen) -> None:
        screen.machine.knobs["slice_us"] = 20000
        await screen.more(6)
        if case.startswith("input-first"):
            screen.machine.input_first = screen.machine.at
        else:
            screen.machine.scheduler, screen.machine.since = "simple", screen.machine.at
        await screen.more(6)
        for key in keys.split():
            await screen.press(key)
            await screen.until(lambda: screen.app.focused)
        await screen.more(2)
        screen.app._feed.interval = 1.0
        screen.app.present()
        await screen.pilot.pause()
        drawn.append(screen.app.export_screenshot(title=case))

    drive(do, size=size, machine=Steps(cpus, 30))
    # Each picture has a number of its own in its names.
    picture = re.sub(r"terminal-\d+", "terminal", drawn[0])
    path = PICTURES / f"{case}.svg"
    if os.environ.get("SCXHID_DRAW"):
        PICTURES.mkdir(exist_ok=True)
        path.write_text(picture)
    assert path.read_text() == picture, f"{path} is drawn differently"
