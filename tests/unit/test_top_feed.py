"""The feed of the screen, which may stand still while an editor has the terminal."""

from __future__ import annotations

import threading
import time
from typing import Any, cast

from tui.feed import Arrived, Feed
from vm.bench.made_up import MadeUp


class Still:
    """A screen that takes what is posted, and comes to none of it."""

    def __init__(self) -> None:
        self.posted: list[Any] = []

    def post_message(self, message: Any) -> None:
        self.posted.append(message)


class Counted(MadeUp):
    """Tells that it was closed."""

    def __init__(self) -> None:
        super().__init__(cpus=1)
        self.closed = threading.Event()

    def close(self) -> None:
        self.closed.set()


def posted(screen: Still, number: int) -> None:
    """Wait until it is so many, and see that it stays so."""
    end = time.monotonic() + 20
    while len(screen.posted) < number:
        assert time.monotonic() < end, f"{len(screen.posted)} of {number}"
        time.sleep(0.01)
    time.sleep(0.1)
    assert len(screen.posted) == number


def test_a_screen_that_stands_still_is_not_flooded() -> None:
    screen, machine = Still(), Counted()
    feed = Feed(cast("Any", screen), machine, interval=0.0005)
    feed.start()
    try:
        posted(screen, 300)
        feed.arrived = 10  # it goes on
        posted(screen, 310)
        assert all(isinstance(each, Arrived) for each in screen.posted)
    finally:
        feed.stop()
    assert machine.closed.is_set()
