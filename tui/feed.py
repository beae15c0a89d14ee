"""Where snapshots come from: a thread that takes them and posts each to the screen.

The one way for data: source → snapshot → message → widgets. The screen never waits for it.
"""

from __future__ import annotations

import threading
import time
from typing import Protocol

from textual.app import App
from textual.message import Message

from pyloader.view.snapshot import Snapshot

#: How soon something is to be seen, s.
_FIRST_S = 0.3
#: Snapshots that may wait for the screen, which stands still while an editor has the terminal.
_WAITING = 300


class Source(Protocol):
    """What a feed asks: the next snapshot, or None after the last one (of a recording)."""

    def start(self) -> None:
        """Attach what measures; called once, before ``take``."""
        ...

    def take(self) -> Snapshot | None: ...

    def choose(self, pid: int | None) -> None:
        """Measure the waits of this task by themselves, from now on."""
        ...

    def tap(self, device: str | None, masked: bool) -> None:
        """Read the reports of this device, from now on; key values are not shown if ``masked``."""
        ...

    def close(self) -> None: ...


class Arrived(Message):
    """A snapshot, and what taking it has cost: CPU time of the thread, in s."""

    def __init__(self, snapshot: Snapshot, cost_s: float) -> None:
        self.snapshot = snapshot
        self.cost_s = cost_s
        super().__init__()


class Ended(Message):
    """There is nothing more; ``why`` is empty at the end of a recording."""

    def __init__(self, why: str = "") -> None:
        self.why = why
        super().__init__()


class Feed:
    """Takes a snapshot every ``interval`` seconds until it is stopped.

    If the screen does not come to them, the next one is of all the time that went by.
    """

    def __init__(self, app: App[None], source: Source, interval: float) -> None:
        self._app = app
        self.source = source
        self._interval = interval
        self._wake = threading.Event()
        self._stopped = False
        self._held = False
        self._posted = 0
        self.arrived = 0
        """Snapshots that the screen has come to."""
        self._thread = threading.Thread(target=self._run, name="collector", daemon=True)

    @property
    def interval(self) -> float:
        return self._interval

    @interval.setter
    def interval(self, seconds: float) -> None:
        self._interval = seconds
        self._wake.set()

    def hold(self, held: bool) -> None:
        """Take nothing until it goes on: a recording waits for its viewer."""
        self._held = held
        self._wake.set()

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Let it end, and wait for that: the probes are off then."""
        self._stopped = True
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join(timeout=5)

    def _run(self) -> None:
        try:
            self.source.start()
            due = time.monotonic() + min(self._interval, _FIRST_S)
            self._sleep_until(due)
            while not self._stopped:
                if self._held:
                    self._sleep_until(time.monotonic() + 3600)
                    continue
                if self._posted - self.arrived >= _WAITING:
                    self._sleep_until(time.monotonic() + self._interval)
                    continue
                began = time.thread_time()
                snapshot = self.source.take()
                if snapshot is None:
                    self._app.post_message(Ended())
                    return
                self._posted += 1
                self._app.post_message(Arrived(snapshot, time.thread_time() - began))
                due = max(due + self._interval, time.monotonic())
                self._sleep_until(due)
        except Exception as error:  # the screen tells it; a thread that dies alone would not
            self._app.post_message(Ended(f"{type(error).__name__}: {error}"))
        finally:
            self.source.close()

    def _sleep_until(self, due: float) -> None:
        while not self._stopped and (left := due - time.monotonic()) > 0:
            if self._wake.wait(left):
                self._wake.clear()
                return
