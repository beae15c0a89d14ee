"""Which scheduler of ours runs, as sysfs and the pins tell it. Reads only."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import TypeVar

from pyloader import bpffs, libbpf, sysfs
from pyloader.attached import Attached
from pyloader.bpffs import Place
from pyloader.errors import Gone, Unsupported
from pyloader.exitinfo import ExitInfo

_T = TypeVar("_T")


def current() -> Attached | None:
    """The scheduler of ours that runs; None if none does. NotPermitted without root."""

    def look() -> Attached | None:
        now = sysfs.read()
        # While one is being put on, it is pinned as the next one already.
        for place in (bpffs.current(), bpffs.upcoming()):
            if place.exists() and is_live(place, now):
                attached = Attached(place)
                if attached.exit_info() is None:
                    return attached
        return None

    return _steady(look)


def fallen() -> tuple[str, ExitInfo | None] | None:
    """A scheduler of ours that is pinned but no longer runs, and why it ended."""

    def look() -> tuple[str, ExitInfo | None] | None:
        place = bpffs.current()
        if not place.is_attached():
            return None
        attached = Attached(place)
        info = attached.exit_info()
        if info is None and is_live(place, sysfs.read()):
            return None
        return attached.name, info

    return _steady(look)


def require_current() -> Attached:
    """The scheduler of ours that runs; Gone, saying what runs instead, if none does."""
    require_sched_ext()
    running = current()
    if running is None:
        ops = sysfs.read().ops
        what = f"{ops}, which is not ours, runs" if ops else "the kernel's own runs"
        raise Gone(f"no scheduler of scxhid is attached ({what}); `scxhid sched use NAME` does it")
    return running


def require_sched_ext() -> None:
    """Unsupported unless the running kernel has sched_ext."""
    if not sysfs.read().is_supported:
        raise Unsupported(
            f"this kernel ({os.uname().release}) has no sched_ext (CONFIG_SCHED_CLASS_EXT); "
            "`scxhid doctor` says what can be done"
        )


def is_live(place: Place, now: sysfs.SchedExt) -> bool:
    """Whether the link pinned at ``place`` is that of the scheduler that runs."""
    name = place.ops_name()
    if name is None or not place.is_attached() or not now.runs(name):
        return False
    fd = place.open(place.link)
    try:
        return libbpf.link_info(fd).map_id != 0  # 0: detached since
    finally:
        os.close(fd)


def open_ops(place: Place) -> int:
    """A new descriptor of the struct_ops map pinned at ``place``; the caller closes it."""
    pins = place.pins("ops")
    if not pins:
        raise Gone(f"nothing is pinned at {place.path}")
    return place.open(next(iter(pins.values())))


def ops_id(place: Place) -> int:
    """The kernel's id of that map."""
    fd = open_ops(place)
    try:
        return libbpf.map_info(fd).id
    finally:
        os.close(fd)


def _steady(look: Callable[[], _T]) -> _T:
    """Look again when another command moves the pins at that very moment."""
    for _ in range(5):
        try:
            return look()
        except (Gone, FileNotFoundError):
            time.sleep(0.02)
    return look()
