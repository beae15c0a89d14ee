"""The map of marks that all schedulers share, whichever of them was loaded first."""

from __future__ import annotations

import os
from collections.abc import Generator
from contextlib import contextmanager

from pyloader import bpffs, libbpf
from pyloader.bpffs import Place
from pyloader.spec import ObjectSpec

NAME = "input_marks"


@contextmanager
def shared(spec: ObjectSpec) -> Generator[dict[str, int]]:
    """What ``spec`` is to share with all that is loaded, for ``ObjectSpec.load``: the marks, if it
    reads or writes them and there are any. The caller holds the writers' lock."""
    path = _path() if NAME in spec.maps else None
    fd = bpffs.open_pin(path) if path else -1
    try:
        yield {NAME: fd} if path else {}
    finally:
        if path:
            os.close(fd)


def are_read_by(place: Place) -> bool:
    """Whether what is pinned there reads the very marks that input first writes, if it is on."""
    mine, theirs = bpffs.input_mark().pins("maps").get(NAME), place.pins("maps").get(NAME)
    return mine is not None and theirs is not None and _id(mine) == _id(theirs)


def _path() -> str | None:
    places = (bpffs.input_mark(), bpffs.current(), bpffs.upcoming(), bpffs.previous())
    found = (place.pins("maps").get(NAME) for place in places)
    return next((path for path in found if path), None)


def _id(path: str) -> int:
    fd = bpffs.open_pin(path)
    try:
        return libbpf.map_info(fd).id
    finally:
        os.close(fd)
