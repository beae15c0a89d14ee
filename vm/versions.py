"""Kernel versions: read, ordered, grouped into series."""

from __future__ import annotations

import re
from typing import NamedTuple

from pyloader.errors import WrongUse


class Order(NamedTuple):
    """What two versions are compared by: numbers, then pre-releases first, then the rest."""

    numbers: tuple[int, ...]
    released: bool
    candidate: int
    rest: tuple[tuple[bool, int, str], ...]


_VERSION = re.compile(r"(\d+(?:\.\d+)*)(?:[-~]?rc(\d+))?(.*)", re.DOTALL)
_PIECE = re.compile(r"\d+|\D+")


def order(version: str) -> Order:
    """A key that sorts kernel releases from old to new (7.3-rc2 < 7.3 < 7.3.1 < 7.10).

    Raises:
        WrongUse: ``version`` does not begin with a number.
    """
    found = _VERSION.fullmatch(version)
    if found is None:
        raise WrongUse(f"{version!r} is no kernel version; write it like 7.3 or 6.18.15")
    numbers = [int(number) for number in found[1].split(".")]
    while numbers[-1] == 0 and len(numbers) > 1:
        numbers.pop()
    rest = tuple(
        (piece.isdecimal(), int(piece) if piece.isdecimal() else 0, piece)
        for piece in _PIECE.findall(found[3])
    )
    return Order(tuple(numbers), found[2] is None, int(found[2] or 0), rest)


def series(version: str) -> str:
    """Major and minor number of a release: 7.3 for 7.3.4+deb13-amd64."""
    found = re.match(r"(\d+)(?:\.(\d+))?", version)
    if found is None:
        raise WrongUse(f"{version!r} is no kernel version; write it like 7.3 or 6.18.15")
    return f"{int(found[1])}.{int(found[2] or 0)}"
