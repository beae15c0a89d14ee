"""Signals that end a benchmark as Ctrl-C does."""

from __future__ import annotations

import signal
import sys
from typing import NoReturn


def end_in_order() -> None:
    """Let SIGTERM and SIGHUP leave by way of the ``finally`` blocks, which end the machine and
    remove its files."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _end)


def _end(number: int, frame: object) -> NoReturn:
    sys.exit(128 + number)
