"""A change that is undone unless somebody at the terminal says that it is to stay."""

from __future__ import annotations

import os
import select
import signal
import sys
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import TypeVar

import click

_T = TypeVar("_T")

#: Besides Ctrl-C: a terminal that hangs up, and `kill`.
_ENDING = (signal.SIGINT, signal.SIGHUP, signal.SIGTERM)
_NOT_KEPT = 1


def on_trial(
    do: Callable[[], _T], tell: Callable[[_T], None], undo: Callable[[_T], str], seconds: float
) -> None:
    """Do something, tell of it, and undo it unless somebody says so within so many seconds.

    ``undo`` returns in words what is true then. It is called as well where the terminal is gone,
    and at signals that would end the process; those that come while ``do`` or ``undo`` is at work
    wait for it. Where it was called the command ends with status 1, or 128 and the signal's number.
    """
    with _Endings() as endings:
        change = do()
        why_not: str | None = "the terminal is gone"
        with suppress(OSError, _Ended), endings.raised():
            tell(change)
            why_not = _ask(seconds)
        if why_not is None:
            return
        now = undo(change)
    if endings.number is not None:
        why_not = f"ended by {signal.Signals(endings.number).name}"
    _say(f"scxhid: {why_not}: {now}")
    raise click.exceptions.Exit(_NOT_KEPT if endings.number is None else 128 + endings.number)


class _Ended(Exception):
    """A signal that ends the process has come."""


class _Endings:
    """Signals that would end the process are noted instead, where they are not ignored."""

    def __init__(self) -> None:
        self.number: int | None = None
        self._is_raised = False
        self._before: dict[int, object] = {}

    def __enter__(self) -> _Endings:
        for number in _ENDING:
            if signal.getsignal(number) is not signal.SIG_IGN:
                self._before[number] = signal.signal(number, self._note)
        return self

    def __exit__(self, *_: object) -> None:
        for number, before in self._before.items():
            signal.signal(number, before)  # pyright: ignore[reportArgumentType]

    @contextmanager
    def raised(self) -> Generator[None]:
        """Meanwhile one ends what is under way, also one that came before."""
        self._is_raised = True
        try:
            if self.number is not None:
                raise _Ended
            yield
        finally:
            self._is_raised = False

    def _note(self, number: int, _: FrameType | None) -> None:
        if self.number is None:
            self.number = number
        if self._is_raised:
            self._is_raised = False
            raise _Ended


def _ask(seconds: float) -> str | None:
    """Why it is not to stay; None if it is."""
    end = time.monotonic() + seconds
    click.echo(f"keep them? Enter y within {seconds:g} s: ", nl=False)
    while (left := end - time.monotonic()) > 0 and select.select([sys.stdin], [], [], left)[0]:
        line = sys.stdin.readline()
        if line.strip().lower() in ("y", "yes"):
            return None
        if not line or line.strip().lower() in ("n", "no"):
            return "not kept"
    return f"nobody said so within {seconds:g} s"


def _say(sentence: str) -> None:
    """Where that can be read still; else whatever waits to be written is dropped."""
    try:
        click.echo()  # after what was asked
        click.echo(sentence, err=True)
    except OSError:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        for stream in (sys.stdout, sys.stderr):
            os.dup2(nowhere, stream.fileno())
