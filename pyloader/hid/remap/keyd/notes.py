"""What is said of a configuration that could not be carried over as it is."""

from __future__ import annotations

from dataclasses import dataclass, field

from pyloader.hid.remap.keyd.parse import Place


@dataclass(frozen=True)
class Note:
    """``is_lost``: nothing of it was carried over; otherwise it was, and behaves otherwise.

    ``why`` and ``instead`` are sentences without a full stop; the second may be empty.
    """

    place: Place
    is_lost: bool
    why: str
    instead: str = ""

    @property
    def said(self) -> str:
        """Both in one."""
        return f"{self.why}; {self.instead}" if self.instead else self.why


class NotCarried(Exception):
    """An action has no counterpart: ``why``, and what to do ``instead``."""

    def __init__(self, why: str, instead: str = "") -> None:
        self.why, self.instead = why, instead
        super().__init__(why)


@dataclass
class Notes:
    """All of them, in the order in which they were made."""

    found: list[Note] = field(default_factory=list[Note])
    _said: set[str] = field(default_factory=set[str])

    def lost(self, place: Place, why: str, instead: str = "") -> None:
        self.found.append(Note(place, True, why, instead))

    def differs(self, place: Place, why: str, instead: str = "") -> None:
        self.found.append(Note(place, False, why, instead))

    def differs_always(self, place: Place, why: str) -> None:
        """A difference that all of a kind have: said once, of the first."""
        if why not in self._said:
            self._said.add(why)
            self.differs(place, why)
