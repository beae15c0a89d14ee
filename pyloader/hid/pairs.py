"""Reports before and after a device's programs, each with what became of it.

Both copies of a report come with the same *context*. The kernel handles one report of a device at a
time, but a program may send another one before the one it was called for is done, and that one then
passes all programs first.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

_LONGEST_NS = 1_000_000_000  # no program takes so long with a report: it has been dropped


class Tapped(NamedTuple):
    """One copy. ``source`` is 0 for a report of the device, else a program sent it."""

    at_ns: int
    context: int
    source: int
    is_after: bool
    data: bytes


@dataclass(slots=True)
class Passage:
    """A report and what became of it: ``after`` is None if a program dropped it.

    ``before`` is what the first program saw, at ``at_ns``; ``is_injected`` says that a program sent
    it. ``after_ns`` is when it left the last one.
    """

    at_ns: int
    before: bytes
    is_injected: bool
    after: bytes | None = None
    after_ns: int = 0

    @property
    def what(self) -> str:
        """``same``, ``changed``, ``dropped``, or ``injected`` where the device sent none."""
        if self.is_injected:
            return "injected"
        if self.after is None:
            return "dropped"
        return "same" if self.after == self.before else "changed"


@dataclass(slots=True)
class _Waiting:
    passage: Passage
    context: int
    is_done: bool = False


class Pairing:
    """Takes copies in the order in which they were made; gives passages in order of ``at_ns``."""

    def __init__(self) -> None:
        self._waiting: deque[_Waiting] = deque()
        self._under_way: list[_Waiting] = []  # each was sent while the one before it was

    def put(self, tapped: Tapped) -> None:
        """One copy. An after without its before, which found no room, is left out."""
        index = next(
            (n for n, each in enumerate(self._under_way) if each.context == tapped.context), None
        )
        if tapped.is_after:
            if index is not None:
                passage = self._under_way[index].passage
                passage.after, passage.after_ns = tapped.data, tapped.at_ns
                self._end(index)
            return
        # Reports of the device do not interrupt each other, and a context is of one at a time.
        if not tapped.source:
            self._end(0)
        elif index is not None:
            self._end(index)
        new = _Waiting(Passage(tapped.at_ns, tapped.data, bool(tapped.source)), tapped.context)
        self._waiting.append(new)
        self._under_way.append(new)

    def _end(self, index: int) -> None:
        """What is under way from there on has come to its end."""
        for each in self._under_way[index:]:
            each.is_done = True
        del self._under_way[index:]

    def done(self, now_ns: int | None = None) -> Iterator[Passage]:
        """Those of which it is known what became of them; without a time, all: none will follow."""
        if now_ns is None or (
            self._under_way and now_ns - self._under_way[-1].passage.at_ns >= _LONGEST_NS
        ):
            self._end(0)
        while self._waiting and self._waiting[0].is_done:
            yield self._waiting.popleft().passage


def leaving(passages: list[Passage]) -> list[Passage]:
    """Those that came out, in the order in which they did."""
    return sorted((p for p in passages if p.after is not None), key=lambda p: p.after_ns)
