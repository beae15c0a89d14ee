"""A plain change: detach one, attach another, with the kernel's own scheduler in between.

In order, each a step that a killed process may leave behind:

1. the new one is loaded, verified and pinned as the place ``next`` (nothing has changed);
2. detach the old one's link (the kernel's own scheduler runs);
3. attach the new one (it runs for as long as this process lives);
4. confirm by sysfs that it runs, and pin its link;
5. the names follow: ``current`` becomes ``previous``, ``next`` becomes ``current``.

All of it under the writers' lock.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from pyloader import bpffs, foreign, history, libbpf, sysfs
from pyloader.attached import Attached
from pyloader.errors import AttachError, Busy, Ejected, Interrupted, ScxhidError
from pyloader.running import is_live
from pyloader.swap import names
from pyloader.swap.side import Side, wait_disabled
from pyloader.swap.standby import fresh_copy, loaded_next
from pyloader.swap.urgent import urgent


@dataclass(frozen=True)
class Times:
    """How long it took, ns: the attach; and from the detach of the old one until the new ran."""

    attach_ns: int
    gap_ns: int | None


def make_way(replace: bool) -> None:
    """Busy if somebody else's scheduler runs, unless it may be, and can be, taken off."""
    now = sysfs.read()
    if now.state == "disabled" or not now.ops:
        return
    holder = foreign.holder_of_scheduler()
    held = f"held by {holder.in_words()}" if holder else "held by somebody who cannot be seen"
    if not replace or holder is None:
        raise Busy(
            f"another scheduler, {now.ops}, is attached, {held}; nothing was changed: "
            "stop it there, or take it off with --replace"
        )
    try:
        libbpf.detach_link_by_id(holder.link_id)
    except libbpf.CallFailed as error:
        raise Busy(f"{now.ops}, {held}, cannot be taken off: {error}") from None
    for pin in holder.pins:
        with suppress(FileNotFoundError):
            os.unlink(pin)
    history.add("replaced", now.ops)


def change(new: Side, old: Side | None, attach: Callable[[], int]) -> Times:
    """Steps 2 to 5: ``attach`` gives the descriptor of the new link. On failure the old is back."""
    try:
        new.prepare()
    except BaseException:  # what runs has not been touched
        new.close()
        new.forget_link()
        new.attached.place.clear()
        raise
    seq = sysfs.read().enable_seq
    started = time.monotonic_ns()
    link = None
    try:
        with urgent():
            if old:
                old.detach()
            began = time.monotonic_ns()
            link = attach()
            new.start()
            ended = time.monotonic_ns()
        new.confirm(seq)
        new.place.unpin_link()  # the host's, from before
        new.place.pin_link(link)
    except (ScxhidError, OSError, KeyboardInterrupt) as error:
        if link is not None:  # the caller may hold it too: unpinning alone would not take it off
            with suppress(OSError):
                libbpf.detach_link(link)
        raise _undo(new, old, error) from None
    finally:
        if link is not None:
            os.close(link)
    if old:
        history.add("stopped", old.name, old.attached.exit_info())
        old.forget_link()
        old.close()
    new.close()
    names.become_current(new.attached.place)
    history.add("attached", new.name)
    return Times(ended - began, ended - started if old else None)


def retire(running: Side) -> None:
    """Take it off for good: the kernel's own runs, and it is the previous one from now on."""
    running.detach()
    history.add("stopped", running.name, running.attached.exit_info())
    running.close()
    running.forget_link()
    names.retire(running.attached.place)


def put_back(old: Side) -> str:
    """Attach again what ran before; in words what runs now. Does not raise."""
    try:
        if is_live(old.attached.place, sysfs.read()):
            return f"{old.name} runs on"
        wait_disabled()
        try:
            _attach(old)
        except Ejected:
            fresh = None if old.is_hosted else fresh_copy(old.attached.place)
            if not fresh:
                raise
            # Its maps may still hold what they held when it was taken off.
            wait_disabled()
            with loaded_next(*fresh) as standby:
                _attach(Side(Attached(bpffs.upcoming()), standby))
                bpffs.upcoming().move_to(old.attached.place)
    except (ScxhidError, OSError) as error:
        return f"{old.name} could not be put back ({error}), the kernel's own scheduler runs"
    history.add("put_back", old.name)
    return f"{old.name} was put back and runs"


def _attach(side: Side) -> None:
    """Attach, confirm, pin; the names stay."""
    seq = sysfs.read().enable_seq
    side.prepare()
    side.place.unpin_link()
    link = side.attach()
    try:
        side.start()
        side.confirm(seq)
        side.place.pin_link(link)
    finally:
        os.close(link)


def _undo(new: Side, old: Side | None, error: BaseException) -> BaseException:
    """Take the new one off, put the old one back on, and say in the error what runs now."""
    if isinstance(error, Ejected):
        history.add("ejected", new.name, error.info)
    new.close()
    new.forget_link()
    new.attached.place.clear()
    restored = put_back(old) if old else "the kernel's own scheduler runs"
    return in_words(error, new.name, restored)


def in_words(error: BaseException, name: str, restored: str) -> BaseException:
    """The error with what runs now; that of a Ctrl-C says what became of ``name``."""
    if isinstance(error, Ejected):
        return Ejected(f"{error}; {restored}", error.info)
    if isinstance(error, KeyboardInterrupt):
        return Interrupted(f"interrupted, so {name} was taken off; {restored}")
    kind = type(error) if isinstance(error, ScxhidError) else AttachError
    return kind(f"{error}; {restored}")
