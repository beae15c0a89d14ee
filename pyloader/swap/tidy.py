"""Finish or undo what an interrupted command or an ejection left.

Whatever happened to the command before, the next one starts from pins that say what runs.
"""

from __future__ import annotations

from pyloader import bpffs, history, sysfs
from pyloader.attached import Attached
from pyloader.bpffs import Place
from pyloader.hosted import Host
from pyloader.running import host_is_live, is_live
from pyloader.swap import gapless, names
from pyloader.swap.blame import blamed


def tidy() -> Attached | None:
    """Bring pins, slots and history in line with what the kernel runs.

    Returns the scheduler of ours that runs then, as ``running.current`` would. The
    caller holds the writers' lock.
    """
    now = sysfs.read()
    new, previous = bpffs.upcoming(), bpffs.previous()
    if is_live(new, now):
        names.become_current(new)
    elif new.exists():
        names.drop(new)
    if is_live(previous, now):  # a way back that was cut short after its one store
        previous.move_to(new)
        names.become_current(new)
    attached = _settle(bpffs.current(), now)
    if host_is_live(now):
        with Host() as host:
            gapless.finish(host, [p for p in _places() if p.ops_name() and p.is_policy()])
    else:
        bpffs.host().clear()
    return attached


def _places() -> tuple[Place, ...]:
    return bpffs.current(), bpffs.previous(), bpffs.upcoming()


def _settle(place: Place, now: sysfs.SchedExt) -> Attached | None:
    """What ``current`` stands for: it runs, or it was taken off, or it ended by itself."""
    if not place.exists():
        return None
    link = bpffs.host() if place.is_policy() else place
    if place.ops_name() is None:
        place.clear()
        return None
    if not link.is_attached():
        names.retire(place)
        return None
    live = is_live(place, now)
    attached = Attached(place)
    info = attached.exit_info()
    if live:
        return None if info else attached
    event = "stopped" if info and info.was_asked_for else "ejected"
    more = {"blamed": who} if info and (who := blamed(info, attached)) else {}
    history.add(event, attached.name, info, **more)
    attached.close()
    place.clear()
    return None
