"""After a change: the trial, and putting back what ran before.

Nothing but a process of ours can put a scheduler back after an ejection: the command
that changed it, for the time of the trial; the small process that ``--no-wait`` leaves
behind for that; or ``--watch``.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from pyloader import bpffs, history, lock, sysfs
from pyloader.attached import Attached
from pyloader.bpffs import Place
from pyloader.errors import AttachError, Ejected, Gone, Interrupted, ScxhidError
from pyloader.exitinfo import ExitInfo
from pyloader.running import current, current_id
from pyloader.spec import ObjectSpec
from pyloader.swap import gapless, names, plain
from pyloader.swap.side import Side, wait_disabled
from pyloader.swap.standby import fresh_copy, loaded_next
from pyloader.swap.tidy import tidy

_POLL_S = 0.05
_LOOK_NS = 1_000_000_000
_LOCK_S = 60.0
_RESTARTS = 3
_RESTARTS_WITHIN_NS = 60_000_000_000

Tell = Callable[[str], None]


@dataclass(frozen=True)
class Put:
    """What a change has put on: ``id`` is the kernel's of its struct_ops map.

    ``before`` is that of what it replaced, None if the kernel's own ran. ``ops`` is the
    name that sysfs shows while it runs.
    """

    id: int
    name: str
    before: int | None
    ops: str

    @classmethod
    def of(cls, attached: Attached, before: int | None) -> Put:
        """What is attached, after ``before``."""
        return cls(attached.place.ops_id(), attached.name, before, Side(attached).ops)


class _Look:
    """Whether what was put on still runs: sysfs each time, the pins (dearer) now and then."""

    def __init__(self, put: Put) -> None:
        self._put, self._due_ns = put, 0

    def runs_on(self) -> bool:
        if not sysfs.read().runs(self._put.ops):
            return False
        if time.monotonic_ns() < self._due_ns:
            return True
        self._due_ns = time.monotonic_ns() + _LOOK_NS
        return current_id() == self._put.id


def stay(put: Put, trial_ns: int) -> bool:
    """Watch what was put on for the time of its trial; True if it runs then.

    Raises Ejected, with what runs then, if it is thrown out meanwhile; Interrupted after
    Ctrl-C, with what ran before put back. Returns False at once when another command has
    changed what runs.
    """
    deadline = time.monotonic_ns() + trial_ns
    look = _Look(put)
    try:
        while True:
            if not look.runs_on() and not _ran_on(put):
                return False
            if time.monotonic_ns() >= deadline:
                return True
            time.sleep(_POLL_S)
    except KeyboardInterrupt:
        raise Interrupted(_revert(put)) from None


def stay_in_background(put: Put, trial_ns: int) -> None:
    """The same in a small process of its own, which ends with the trial."""
    pid = os.fork()
    if pid:
        os.waitpid(pid, 0)
        return
    status = 1
    try:
        os.setsid()
        if os.fork() == 0:
            null = os.open(os.devnull, os.O_RDWR)
            for fd in range(3):
                os.dup2(null, fd)
            with suppress(ScxhidError):
                stay(put, trial_ns)
        status = 0
    finally:
        os._exit(status)  # nothing of the command that it was forked from may run again


def watch(put: Put, tell: Tell) -> None:
    """Stay until Ctrl-C, or until nothing of ours runs, and put back what can be.

    One that asks to be started again (after CPU hotplug, say) is, at most 3 times within
    a minute; after an ejection the one before it is put back. What runs at Ctrl-C runs on.
    """
    restarts: list[int] = []
    look = _Look(put)
    while True:
        if look.runs_on():
            time.sleep(_POLL_S)
            continue
        fresh = fresh_copy(bpffs.current())
        try:
            if not _ran_on(put):
                tell(f"{put.name} is no longer what runs; the watch is over")
                return
            continue
        except (Ejected, AttachError) as error:
            tell(str(error))
            wants = isinstance(error, Ejected) and error.info.asks_restart
        now = time.monotonic_ns()
        restarts = [at for at in restarts if now - at < _RESTARTS_WITHIN_NS]
        if wants and fresh and len(restarts) < _RESTARTS:
            restarts.append(now)
            with lock.writer(_LOCK_S):
                if tidy() is None:
                    _start(*fresh)
                    put = Put.of(Attached(bpffs.current()), None)
                    look = _Look(put)
                    tell(f"{put.name} asked for it and was started again")
                    continue
        elif wants:
            tell(f"{put.name} asks to be started again for the {_RESTARTS + 1}th time: left off")
        running = current()
        if running is None:
            return
        put = Put.of(running, None)
        look = _Look(put)


def _ran_on(put: Put) -> bool:
    """Look closer at what seems to have changed: True if ``put`` runs, False if another does.

    Ejected, with what was put back, if it was thrown out.
    """
    if sysfs.read().state not in ("enabled", "disabled"):
        wait_disabled()
    with lock.writer(_LOCK_S):
        place = bpffs.current()
        info: ExitInfo | None = None
        if _id(place) == put.id:
            attached = Attached(place)
            info = attached.exit_info()
            running = tidy()
            if running is not None:
                return running.place.ops_id() == put.id
            if info and info.was_asked_for:
                return False
        elif tidy() is not None or _id(bpffs.previous()) != put.before or put.before is None:
            return False
        restored = put_back_previous(put.before)
        if info is None:
            raise AttachError(f"{put.name} ended by itself and recorded no reason; {restored}")
        words = f"{put.name} was thrown out: {info.sentence()}{_blame(put.name)}"
        raise Ejected(f"{words}; {restored}", info)


def _blame(name: str) -> str:
    """Whose queue the stalled task was in, if the history of the last ejection tells."""
    for entry in reversed(history.read()):
        if entry["event"] == "ejected":
            who = entry.get("blamed")
            return f" (the task waited in a queue of {who})" if who and who != name else ""
    return ""


def put_back_previous(expected: int | None) -> str:
    """Put the previous scheduler back, loaded afresh; in words what runs now.

    ``expected`` is the id that it must have. Does not raise; the lock is held.
    """
    place = bpffs.previous()
    if expected is None or _id(place) != expected:
        return "the kernel's own scheduler runs"
    name = Attached(place).name
    try:
        wait_disabled()
        fresh = fresh_copy(place)
        if fresh:
            _start(*fresh)
            place.clear()
        else:
            place.move_to(bpffs.upcoming())
            side = Side(Attached(bpffs.upcoming()))
            plain.change(side, None, side.attach)
    except (ScxhidError, OSError) as error:
        return f"{name} could not be put back ({error}), the kernel's own scheduler runs"
    history.add("put_back", name)
    return f"{name} was put back and runs"


def _start(spec: ObjectSpec, values: Mapping[str, Any], to_be_hosted: bool) -> None:
    """Load it afresh and attach it, where nothing runs."""
    with loaded_next(spec, values, to_be_hosted) as standby:
        side = Side(Attached(bpffs.upcoming()), standby)
        plain.change(side, None, side.attach)


def _revert(put: Put) -> str:
    """Take off what is on trial, put back what ran before it; in words what runs now."""
    with lock.writer(_LOCK_S):
        running = tidy()
        if running is None or running.place.ops_id() != put.id:
            return "interrupted; another command has changed what runs"
        place = bpffs.previous()
        if put.before is None or _id(place) != put.before:
            plain.retire(Side(running))
            names.drop(bpffs.previous())
            return f"interrupted, so {put.name} was taken off; the kernel's own scheduler runs"
        restored = Attached(place).name
        go_back(running)
        names.drop(bpffs.previous())
        return f"interrupted, so {put.name} was taken off; {restored} runs again"


def go_back(running: Attached | None) -> plain.Times | gapless.Change:
    """Make the previous scheduler the current one; Gone if there is none. The lock is held."""
    place = bpffs.previous()
    if not place.exists():
        raise Gone("there is no previous scheduler to go back to")
    new = bpffs.upcoming()
    place.move_to(new)
    attached = Attached(new)
    if running and running.is_hosted and attached.is_hosted:
        return gapless.change(attached, running)
    fresh = None if attached.is_hosted else fresh_copy(new)
    side = Side(attached)
    try:
        return plain.change(side, Side(running) if running else None, side.attach)
    except Ejected:
        # What a loaded copy knows of the CPUs (ops.hotplug_seq), or keeps in its maps from the
        # last time, may be out of date.
        if not fresh:
            raise
    running = tidy()
    spec, values, _ = fresh
    with loaded_next(spec, values, to_be_hosted=False) as standby:
        side = Side(Attached(new), standby)
        return plain.change(side, Side(running) if running else None, side.attach)


def _id(place: Place) -> int | None:
    try:
        return place.ops_id() if place.exists() else None
    except (ScxhidError, OSError):
        return None
