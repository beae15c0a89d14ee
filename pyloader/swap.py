"""The steps of a change of scheduler. The one module that attaches and detaches.

In order, each a step that a killed process may leave behind:

1. the new one is loaded, verified and pinned as the place ``next`` (nothing has changed);
2. detach the old one's link (the kernel's own scheduler runs);
3. attach the new one and pin its link (the new one runs);
4. confirm by sysfs that it runs, watch it for the trial time;
5. rename: ``current`` becomes ``previous``, ``next`` becomes ``current``.

``tidy`` finishes or undoes what it finds, so the next command works whatever
happened to the one before. All of it under the writers' lock.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from pyloader import bpffs, exitrecord, foreign, history, keep, libbpf, sysfs
from pyloader.attached import Attached
from pyloader.bpffs import Place
from pyloader.errors import AttachError, Busy, Ejected, Interrupted, ScxhidError
from pyloader.object import explain_attach
from pyloader.running import is_live, open_ops, ops_id

Record = exitrecord.ExitRecord | exitrecord.ExitVariable | None

_CONFIRM_NS = 5_000_000_000
_POLL_S = 0.02


@dataclass(frozen=True)
class Times:
    """How long it took, ns: the attach; and from the detach of the old one until the new ran."""

    attach_ns: int
    gap_ns: int | None


def tidy() -> Attached | None:
    """Finish or undo what an interrupted command or an ejection left.

    Returns the scheduler of ours that runs then, as ``running.current`` would.
    """
    now = sysfs.read()
    place, new = bpffs.current(), bpffs.upcoming()
    if new.exists():
        if is_live(new, now):
            become_current(new)
        else:
            new.clear()
    if not place.exists():
        return None
    if not place.is_attached():
        place.move_to(bpffs.previous())
        return None
    live = is_live(place, now)
    attached = Attached(place)
    info = attached.exit_info()
    if live:
        return None if info else attached
    event = "stopped" if info and info.was_asked_for else "ejected"
    history.add(event, attached.name, info)
    attached.close()
    place.clear()
    return None


def forget_copies() -> None:
    """Drop the copies of objects that are no longer loaded."""
    places = (bpffs.current(), bpffs.previous(), bpffs.upcoming())
    keep.forget_all_but({ops_id(place) for place in places if place.ops_name()})


def become_current(new: Place) -> None:
    """Step 5: the names follow what runs."""
    old = bpffs.current()
    if old.exists():
        old.unpin_link()
        old.move_to(bpffs.previous())
    new.move_to(bpffs.current())


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


def change(new: Attached, old: Attached | None, trial_ns: int, attach: Callable[[], int]) -> Times:
    """Steps 2 to 5: ``attach`` gives the descriptor of the new link. On failure the old is back."""
    new.forget_exit()
    seq = sysfs.read().enable_seq
    started = time.monotonic_ns()
    link = None
    try:
        if old:
            detach(old)
        began = time.monotonic_ns()
        link = attach()
        ended = time.monotonic_ns()
        new.place.pin_link(link)
        confirm(new.name, new.exit_record, seq)
        watch(new.name, new.exit_record, trial_ns)
    except (ScxhidError, OSError, KeyboardInterrupt) as error:
        if link is not None:  # the caller may hold it too: unpinning alone would not take it off
            with suppress(OSError):
                libbpf.detach_link(link)
        raise _undo(new, old, error) from None
    finally:
        if link is not None:
            os.close(link)
    if old:
        history.add("stopped", old.name, old.exit_info())
        old.close()
    new.close()
    become_current(new.place)
    history.add("attached", new.name)
    return Times(ended - began, ended - started if old else None)


def detach(running: Attached) -> None:
    """Step 2; when it returns, the kernel's own scheduler runs."""
    fd = running.place.open(running.place.link)
    try:
        libbpf.detach_link(fd)
    except libbpf.CallFailed as error:
        raise AttachError(f"{running.name} could not be taken off: {error}") from None
    finally:
        os.close(fd)


def retire(running: Attached) -> None:
    """Take it off for good: the kernel's own runs, and it is the previous one from now on."""
    detach(running)
    history.add("stopped", running.name, running.exit_info())
    running.close()
    running.place.unpin_link()
    running.place.move_to(bpffs.previous())


def attach_again(standby: Attached) -> int:
    """Attach what is pinned and loaded; the link's descriptor."""
    fd = open_ops(standby.place)
    try:
        return libbpf.link_struct_ops(fd)
    except libbpf.CallFailed as error:
        raise explain_attach(standby.name, error) from None
    finally:
        os.close(fd)


def _pin(place: Place, link: int) -> None:
    try:
        place.pin_link(link)
    finally:
        os.close(link)


def runs(name: str, record: Record) -> bool:
    """Whether it runs now; Ejected with the reason if it has ended."""
    _raise_if_ended(name, record)
    return sysfs.read().runs(name)


def _raise_if_ended(name: str, record: Record) -> None:
    info = record.read() if record else None
    if info:
        raise Ejected(f"{name} was thrown out: {info.sentence()}", info)


def confirm(name: str, record: Record, seq_before: int) -> None:
    """Wait until sysfs says that it runs: an attach that succeeded does not mean that."""
    deadline = time.monotonic_ns() + _CONFIRM_NS
    while True:
        _raise_if_ended(name, record)
        now = sysfs.read()
        if now.runs(name) and now.enable_seq > seq_before:
            return
        if time.monotonic_ns() > deadline:
            raise AttachError(
                f"{name} was attached but does not run: sched_ext is {now.state}, and it "
                "recorded no reason; the kernel log (dmesg) may have one"
            )
        time.sleep(_POLL_S)


def watch(name: str, record: Record, trial_ns: int | None) -> None:
    """Stay for the trial, or for ever (None); Ejected or AttachError if it ends meanwhile."""
    deadline = None if trial_ns is None else time.monotonic_ns() + trial_ns
    while deadline is None or time.monotonic_ns() < deadline:
        if not runs(name, record):
            # The record is written by ops.exit, which the kernel calls on its way to "disabled":
            # under load that is over a second after the state has left "enabled".
            _wait_disabled()
            if not runs(name, record):
                raise AttachError(f"{name} ended by itself and recorded no reason")
        time.sleep(_POLL_S)


def _undo(new: Attached, old: Attached | None, error: BaseException) -> BaseException:
    """Take the new one off, put the old one back on, and say in the error what runs now."""
    if isinstance(error, Ejected):
        history.add("ejected", new.name, error.info)
    new.close()
    new.place.clear()
    restored = put_back(old) if old else "the kernel's own scheduler runs"
    if isinstance(error, Ejected):
        return Ejected(f"{error}; {restored}", error.info)
    if isinstance(error, KeyboardInterrupt):
        return Interrupted(f"interrupted, so {new.name} was taken off; {restored}")
    kind = type(error) if isinstance(error, ScxhidError) else AttachError
    return kind(f"{error}; {restored}")


def put_back(old: Attached) -> str:
    """Attach again what ran before; in words what runs now. Does not raise."""
    try:
        if is_live(old.place, sysfs.read()):
            return f"{old.name} runs on"
        _wait_disabled()
        seq = sysfs.read().enable_seq
        old.forget_exit()
        old.place.unpin_link()
        _pin(old.place, attach_again(old))
        confirm(old.name, old.exit_record, seq)
    except (ScxhidError, OSError) as error:
        return f"{old.name} could not be put back ({error}), the kernel's own scheduler runs"
    history.add("put_back", old.name)
    return f"{old.name} was put back and runs"


def _wait_disabled() -> None:
    deadline = time.monotonic_ns() + _CONFIRM_NS
    while sysfs.read().state != "disabled" and time.monotonic_ns() < deadline:
        time.sleep(_POLL_S)
