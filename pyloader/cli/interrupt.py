"""Ctrl-C as something that can be asked for, where work in hand must be brought to its end."""

from __future__ import annotations

import signal
from collections.abc import Callable, Generator
from contextlib import contextmanager


@contextmanager
def until_interrupted() -> Generator[Callable[[], bool]]:
    """Whether SIGINT or SIGTERM has come. A wait is not cut short by them: keep it short."""
    came: list[int] = []

    def note(number: int, _frame: object) -> None:
        came.append(number)

    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(number, note) for number in numbers]
    try:
        yield lambda: bool(came)
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)
