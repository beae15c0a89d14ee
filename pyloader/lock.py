"""One writer at a time: an advisory lock that a killed process cannot leave behind."""

from __future__ import annotations

import fcntl
import os
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress

from pyloader.errors import Busy, NotPermitted, ScxhidError
from pyloader.places import run_dir

_mine = threading.local()


@contextmanager
def writer(wait_s: float = 10.0, on_wait: Callable[[str], None] | None = None) -> Generator[None]:
    """Hold the lock of all commands that change what is attached.

    Waits up to ``wait_s`` seconds for another command, telling ``on_wait`` once who
    it is; Busy after that. A thread that holds it already may take it again.
    """
    if getattr(_mine, "is_held", False):
        yield
        return
    path = run_dir() / "lock"
    try:
        path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except PermissionError:
        raise NotPermitted(f"{path} cannot be written: run scxhid as root") from None
    except OSError as error:
        raise ScxhidError(
            f"the lock {path} cannot be made ({error.strerror}), nothing was changed; "
            "SCXHID_RUN_DIR can name another directory"
        ) from None
    try:
        _acquire(fd, wait_s, on_wait)
        with suppress(OSError):  # on a full disk the lock holds without its holder's name
            os.ftruncate(fd, 0)
            os.pwrite(fd, str(os.getpid()).encode(), 0)
        _mine.is_held = True
        yield
    finally:
        _mine.is_held = False
        os.close(fd)  # which also unlocks


def _acquire(fd: int, wait_s: float, on_wait: Callable[[str], None] | None) -> None:
    deadline = time.monotonic() + wait_s
    while True:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            holder = os.pread(fd, 32, 0).decode() or "unknown"
        if on_wait:
            on_wait(f"waiting for another scxhid command (process {holder})")
            on_wait = None
        if time.monotonic() > deadline:
            raise Busy(
                f"another scxhid command (process {holder}) has been changing what runs "
                f"for over {wait_s:g} s; nothing was changed, try again when it is done"
            )
        time.sleep(0.05)
