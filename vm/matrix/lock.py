"""One bench at a time on a computer: two would measure each other."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

from pyloader.errors import Busy
from vm.cache import cache_root, make_directory

#: Names another place for the lock.
VARIABLE = "SCXHID_BENCH_LOCK"


def place() -> Path:
    """The file that is locked; in it stands whose process holds it."""
    return Path(os.environ.get(VARIABLE, "") or cache_root() / "bench.lock")


@contextmanager
def alone() -> Generator[None]:
    """Hold the lock.

    Raises:
        Busy: another process does.
    """
    with _opened() as fd:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(fd, 32, 0).decode(errors="replace").strip() or "unknown"
            raise Busy(
                f"another scxhid bench run (process {holder}) is measuring on this machine, and two"
                " would measure each other; wait for its end (exact runs may go beside it)"
            ) from None
        _sign(fd)
        yield


@contextmanager
def waiting() -> Generator[None]:
    """Hold the lock, however long that takes."""
    with _opened() as fd:
        fcntl.flock(fd, fcntl.LOCK_EX)
        _sign(fd)
        yield


@contextmanager
def _opened() -> Generator[int]:
    path = place()
    make_directory(path.parent)
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        yield fd
    finally:
        os.close(fd)


def _sign(fd: int) -> None:
    with suppress(OSError):  # on a full disk the lock holds without its holder's number
        os.ftruncate(fd, 0)
        os.pwrite(fd, str(os.getpid()).encode(), 0)
