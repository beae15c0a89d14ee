"""A recording, replayed: each moment looks as it did when it was recorded."""

from __future__ import annotations

from pathlib import Path

import pytest

from pyloader.view.recording import Recorder, Recording
from pyloader.view.snapshot import Snapshot
from tests.unit.top_screen import Screen, Steps, drive
from tui.app import PANES
from tui.sources import Replay

FIRST, MORE = 12, 6


class Recorded(Steps):
    """Records what it gives, as ``tui.sources.Recorded`` does."""

    def __init__(self, path: Path) -> None:
        super().__init__(first=FIRST)
        self.recorder = Recorder(path)

    def take(self) -> Snapshot | None:
        snapshot = super().take()
        if snapshot is not None:
            self.recorder.add(snapshot)
        return snapshot


class Played(Steps):
    """The recording, as fast as it goes."""

    def __init__(self, path: Path) -> None:
        super().__init__(first=FIRST + MORE)
        self._replay = Replay(Recording(path))

    def take(self) -> Snapshot | None:
        return self._replay.take()

    def close(self) -> None:
        self._replay.close()


def moment(screen: Screen) -> list[str]:
    """All that is seen, but for which moment it is and what looking costs: the header's right."""
    lines = screen.lines()
    cuts = {0: ("●", "▮▮"), 1: ("own cost", "recording")}
    for number, words in cuts.items():
        for word in words:
            lines[number] = lines[number].split(word)[0].rstrip()
    return lines


@pytest.mark.parametrize("pane", [name.lower() for name in PANES])
def test_every_moment_looks_as_it_did(tmp_path: Path, pane: str) -> None:
    path = tmp_path / "evening.top"
    seen: list[list[str]] = []

    async def record(screen: Screen) -> None:
        for number in range(MORE):
            screen.machine.knobs["slice_us"] = 5000 + 1000 * (number // 2)
            screen.machine.input_first = 1.0 if number in (2, 3, 4) else None
            await screen.more()
            seen.append(moment(screen))

    machine = Recorded(path)
    drive(record, machine=machine, pane=pane)
    machine.recorder.close()

    async def replay(screen: Screen) -> None:
        assert moment(screen) == seen[-1]
        for number in reversed(range(MORE - 1)):
            await screen.press("left_square_bracket")
            assert moment(screen) == seen[number], f"moment {number}"

    drive(replay, machine=Played(path), pane=pane)
