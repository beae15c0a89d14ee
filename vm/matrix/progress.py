"""What is being measured, on a terminal: run n of m, and the time left. Elsewhere nothing."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Any


class Progress:
    """A line on standard error while the block lasts; ``total`` runs, ``before`` done earlier."""

    def __init__(self, total: int, before: int = 0) -> None:
        self._total, self._before = total, before
        self._done = before
        self._started = time.monotonic()
        self._bar: Any = None
        self._task: Any = None
        self._what = ""

    def __enter__(self) -> Progress:
        if sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import BarColumn, TextColumn
            from rich.progress import Progress as Bar

            self._bar = Bar(
                TextColumn("{task.completed:.0f} of {task.total:.0f}"),
                BarColumn(20),
                TextColumn("{task.fields[left]}  {task.description}"),
                console=Console(stderr=True),
                transient=True,
            )
            self._task = self._bar.add_task("", total=self._total, completed=self._before, left="")
            self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def tell(self, what: str) -> None:
        """What is done now."""
        self._what = what
        self._draw()

    def say(self, text: str) -> None:
        """A sentence that stays."""
        if self._bar is not None:
            self._bar.console.print(text, markup=False, highlight=False)
        else:
            print(text, file=sys.stderr, flush=True)

    def advance(self) -> None:
        """One more run is done."""
        self._done += 1
        self._draw()

    @property
    def left_s(self) -> float | None:
        """Seconds that the rest takes if it goes on as so far, boots included; None: not known."""
        made = self._done - self._before
        if not made:
            return None
        return (time.monotonic() - self._started) / made * (self._total - self._done)

    def _draw(self) -> None:
        if self._bar is None:
            return
        left = self.left_s
        words = f"{in_words(left)} left" if left is not None else ""
        self._bar.update(self._task, completed=self._done, description=self._what, left=words)


def in_words(seconds: float) -> str:
    """A duration as somebody who waits would say it."""
    minutes = round(seconds / 60)
    if minutes < 1:
        return "under a minute"
    if minutes < 90:
        return f"{minutes} min"
    return f"{minutes // 60} h {minutes % 60:02} min"
