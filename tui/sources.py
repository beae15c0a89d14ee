"""What a feed may be given: the machine, the machine with a recording of it, or a recording."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import numpy as np

from pyloader.closing import Closing
from pyloader.errors import ScxhidError
from pyloader.view.recording import Recorder, Recording
from pyloader.view.snapshot import Snapshot
from tui.feed import Source


class Recorded(Closing):
    """Records all that ``source`` gives. A disk that is full ends the recording, not the screen."""

    def __init__(self, source: Source, recorder: Recorder) -> None:
        self._source, self._recorder = source, recorder
        self.failed = ""

    def start(self) -> None:
        self._source.start()

    def take(self) -> Snapshot | None:
        snapshot = self._source.take()
        if snapshot is not None and not self.failed:
            try:
                self._recorder.add(snapshot)
            except ScxhidError as error:
                self.failed = str(error)
        return snapshot

    def choose(self, pid: int | None) -> None:
        self._source.choose(pid)

    def tap(self, device: str | None, masked: bool) -> None:
        """Recordings are masked, whatever the screen shows: it stays so while one is made."""
        self._source.tap(device, masked=True)

    @property
    def note(self) -> str:
        """A few words for the header."""
        if self.failed:
            return "recording ended"
        recorder = self._recorder
        hour = recorder.bytes_an_hour / 1e6
        return f"recording {recorder.written / 1e6:.1f} MB" + (f", {hour:.0f} MB/h" if hour else "")

    def close(self) -> None:
        self._source.close()
        self._recorder.close()


class Replay(Closing):
    """A recording, snapshot by snapshot."""

    def __init__(self, recording: Recording) -> None:
        self._recording = recording
        self._next = 0
        self._lock = threading.Lock()

    def start(self) -> None:
        """It is there."""

    @property
    def spacing(self) -> float:
        """Between snapshots, s: the middle one of all."""
        gaps = np.diff(self._recording.times)
        return float(np.median(gaps)) if len(gaps) else 1.0

    @property
    def note(self) -> str:
        return f"recording, {self._next} of {len(self._recording)}"

    def take(self) -> Snapshot | None:
        with self._lock:
            if self._next >= len(self._recording):
                return None
            self._next += 1
            return self._recording[self._next - 1]

    def seek(self, at: float, before: int) -> Sequence[Snapshot]:
        """Go on after the last snapshot that is not later than ``at`` (s since the epoch).

        Returns that one and at most ``before`` of those before it, oldest first.
        """
        with self._lock:
            found = int(np.searchsorted(self._recording.times, at, side="right"))
            self._next = max(1, found)
            first = max(0, self._next - 1 - before)
            return [self._recording[n] for n in range(first, self._next)]

    def choose(self, pid: int | None) -> None:
        """Nothing can be measured afterwards."""

    def tap(self, device: str | None, masked: bool) -> None:
        """Nor that."""

    def close(self) -> None:
        with self._lock:
            self._recording.close()
