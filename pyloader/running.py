"""Which scheduler of ours runs, as sysfs and the pins tell it. Reads only."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import TypeVar

from pyloader import bpffs, hosted, libbpf, sysfs
from pyloader.attached import Attached
from pyloader.bpffs import Place
from pyloader.errors import Gone, NotPermitted, Unsupported
from pyloader.exitinfo import ExitInfo

_T = TypeVar("_T")


def current() -> Attached | None:
    """The scheduler of ours that runs; None if none does. NotPermitted without root."""

    def look() -> Attached | None:
        now = sysfs.read()
        # While one is being put on, it is pinned as the next one already; on the way back
        # the previous one runs before it is called the current one.
        for place in (bpffs.current(), bpffs.upcoming(), bpffs.previous()):
            if place.exists() and is_live(place, now):
                attached = Attached(place)
                if attached.exit_info() is None:
                    return attached
        return None

    return steady(look)


def current_name() -> str | None:
    """The name of what schedules; None for the kernel's own. Anybody may ask, but only root is told
    which of ours it is that the host runs."""
    try:
        ours = current()
    except NotPermitted:  # its name is behind a pin
        ours = None
    return ours.name if ours else sysfs.read().ops


def current_id() -> int:
    """The kernel's id of the struct_ops map of what runs; 0 if it is none of ours."""

    def look() -> int:
        now = sysfs.read()
        if now.runs(hosted.NAME):
            return _policy_id() if host_is_live(now) else 0
        for place in (bpffs.current(), bpffs.upcoming()):
            if place.exists() and is_live(place, now):
                return place.ops_id()
        return 0

    return steady(look)


def since_ns(attached: Attached) -> int:
    """Since when it runs, ns since the epoch."""
    if not attached.is_hosted:
        return attached.place.since_ns()
    since = bpffs.host().since_ns()
    with hosted.Host() as host:
        switched_at = host.read("switched_at")
    if switched_at:
        since = max(since, time.time_ns() - time.monotonic_ns() + switched_at)
    return since


def fallen() -> tuple[str, ExitInfo | None] | None:
    """A scheduler of ours that is pinned but no longer runs, and why it ended."""

    def look() -> tuple[str, ExitInfo | None] | None:
        place = bpffs.current()
        if not (bpffs.host() if place.is_policy() else place).is_attached():
            return None
        attached = Attached(place)
        info = attached.exit_info()
        if info is None and is_live(place, sysfs.read()):
            return None
        return attached.name, info

    return steady(look)


def require_current() -> Attached:
    """The scheduler of ours that runs; Gone, saying what runs instead, if none does."""
    require_sched_ext()
    running = current()
    if running is None:
        ops = sysfs.read().ops
        what = f"{ops}, which is not ours, runs" if ops else "the kernel's own runs"
        raise Gone(f"no scheduler of scxhid is attached ({what}); `scxhid sched use NAME` does it")
    return running


def of_current(read: Callable[[Attached], _T]) -> _T:
    """What ``read`` makes of the scheduler of ours that runs, also while another command swaps.

    Gone as in ``require_current``. ``read`` may be called again.
    """
    try:
        return read(require_current())
    except FileNotFoundError:
        pass
    except Gone:
        if current() is None:
            raise
    return steady(lambda: read(require_current()))


def require_sched_ext() -> None:
    """Unsupported unless the running kernel has sched_ext."""
    if not sysfs.read().is_supported:
        raise Unsupported(
            f"this kernel ({os.uname().release}) has no sched_ext (CONFIG_SCHED_CLASS_EXT); "
            "`scxhid doctor` says what can be done"
        )


def is_live(place: Place, now: sysfs.SchedExt) -> bool:
    """Whether what is pinned at ``place`` is what runs: by its own link, or in the host."""
    name = place.ops_name()
    if name is None:
        return False
    if place.is_policy():
        return host_is_live(now) and _policy_id() == place.ops_id()
    return now.runs(name) and _is_linked(place)


def host_is_live(now: sysfs.SchedExt) -> bool:
    """Whether the host that is pinned is what runs."""
    return now.runs(hosted.NAME) and _is_linked(bpffs.host())


def _policy_id() -> int:
    with hosted.Host() as host:
        return host.policy_id()


def _is_linked(place: Place) -> bool:
    if not place.is_attached():
        return False
    fd = place.open(place.link)
    try:
        return libbpf.link_info(fd).map_id != 0  # 0: detached since
    finally:
        os.close(fd)


def steady(look: Callable[[], _T]) -> _T:
    """Look again when another command moves the pins, or swaps, at that very moment."""
    for _ in range(5):
        try:
            return look()
        except (Gone, FileNotFoundError):
            time.sleep(0.02)
    return look()
