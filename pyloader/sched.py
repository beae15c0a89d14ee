"""Which scheduler runs: attach, swap, go back, stop. The one module that changes it.

A change in order, each step one that a killed process may leave behind:

1. load and verify the new one, pin it as the place ``next`` (nothing has changed);
2. detach the old one's link (the kernel's own scheduler runs);
3. attach the new one and pin its link (the new one runs);
4. confirm by sysfs that it runs, watch it for the trial time;
5. rename: ``current`` becomes ``previous``, ``next`` becomes ``current``.

``tidy`` finishes or undoes what it finds, so the next command works whatever
happened to the one before.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pyloader import bpffs, exitinfo, foreign, history, keep, libbpf, lock, sysfs, values
from pyloader.attached import Attached
from pyloader.bpffs import Place
from pyloader.errors import (
    AttachError,
    BadValue,
    Busy,
    Ejected,
    Gone,
    NotPermitted,
    ScxhidError,
    Unsupported,
)
from pyloader.exitinfo import ExitInfo
from pyloader.object import BpfObject, explain_attach
from pyloader.spec import ObjectSpec, data_section

OPS = "sched_ext_ops"
_CONFIRM_NS = 5_000_000_000
_POLL_S = 0.02

Tell = Callable[[str], None]
Record = exitinfo.ExitRecord | exitinfo.ExitVariable | None


@dataclass(frozen=True)
class UseOptions:
    """How to change: ``trial_ns`` is how long the new scheduler is watched before it is kept."""

    trial_ns: int = 0
    replace: bool = False
    keep_knobs: bool = False


@dataclass(frozen=True)
class UseResult:
    """What a change did; times in ns.

    ``gap_ns`` is the time in which neither ran, from the detach of the old one until
    the kernel had enabled the new one; None if none of ours ran before.
    """

    name: str
    previous: str | None
    load_ns: int
    attach_ns: int
    gap_ns: int | None
    kept_knobs: Mapping[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True)
class SetResult:
    """Knobs that were changed: old and new value by name, and the swap if one was needed."""

    changed: Mapping[str, tuple[Any, Any]]
    swap: UseResult | None


# --- what runs -------------------------------------------------------------------------------


def _is_live(place: Place, now: sysfs.SchedExt) -> bool:
    """Whether the scheduler pinned at ``place`` is the one that runs."""
    name = place.ops_name()
    if name is None or not place.is_attached() or not now.runs(name):
        return False
    fd = place.open(place.link)
    try:
        return libbpf.link_info(fd).map_id != 0  # 0: detached, or left alone by an ejection
    finally:
        os.close(fd)


def current() -> Attached | None:
    """The scheduler of ours that runs; None if none does. Reads only."""
    now = sysfs.read()
    for place in (bpffs.current(), bpffs.upcoming()):
        if place.exists() and _is_live(place, now):
            attached = Attached(place)
            if attached.exit_info() is None:
                return attached
    return None


def fallen() -> tuple[str, ExitInfo | None] | None:
    """A scheduler of ours that is pinned but no longer runs, and why. Reads only."""
    place = bpffs.current()
    if not place.is_attached():
        return None
    attached = Attached(place)
    info = attached.exit_info()
    if info is None and _is_live(place, sysfs.read()):
        return None
    return attached.name, info


def require_current() -> Attached:
    """The scheduler of ours that runs; Gone, saying what runs instead, if none does."""
    running = current()
    if running is None:
        now = sysfs.read()
        if not now.is_supported:
            raise _unsupported()
        what = f"{now.ops}, which is not ours, runs" if now.ops else "the kernel's own runs"
        raise Gone(f"no scheduler of scxhid is attached ({what}); `scxhid sched use NAME` does it")
    return running


def _unsupported() -> Unsupported:
    return Unsupported(
        f"this kernel ({os.uname().release}) has no sched_ext (CONFIG_SCHED_CLASS_EXT); "
        "`scxhid doctor` says what can be done"
    )


def tidy() -> None:
    """Finish or undo what an interrupted command or an ejection left. Needs the lock."""
    now = sysfs.read()
    place, new = bpffs.current(), bpffs.upcoming()
    if new.exists():
        if _is_live(new, now):
            _become_current(new)
        else:
            new.clear()
    if place.is_attached() and not _is_live(place, now):
        attached = Attached(place)
        info = attached.exit_info()
        event = "stopped" if info and info.was_asked_for else "ejected"
        history.add(event, attached.name, info)
        attached.close()
        place.clear()
    elif place.exists() and not place.is_attached():
        place.move_to(bpffs.previous())
    keep.forget_all_but(_loaded_ids())


def _loaded_ids() -> set[int]:
    places = (bpffs.current(), bpffs.previous(), bpffs.upcoming())
    return {_ops_id(place) for place in places if place.exists() and place.ops_name()}


def _ops_id(place: Place) -> int:
    fd = _open_ops(place)
    try:
        return libbpf.map_info(fd).id
    finally:
        os.close(fd)


def _open_ops(place: Place) -> int:
    return place.open(next(iter(place.pins("ops").values())))


def _become_current(new: Place) -> None:
    old = bpffs.current()
    if old.exists():
        old.unpin_link()
        old.move_to(bpffs.previous())
    new.move_to(bpffs.current())


def collect() -> None:
    """Write an ejection that nobody has seen yet into the history, if this user may."""
    try:
        if fallen():
            with lock.writer(wait_s=0):
                tidy()
    except (NotPermitted, Busy):
        return


# --- changing it -----------------------------------------------------------------------------


def use(
    spec: ObjectSpec,
    globals_: Mapping[str, Any] | None = None,
    options: UseOptions = UseOptions(),
    tell: Tell | None = None,
) -> UseResult:
    """Attach the scheduler of ``spec``, in place of the one that runs.

    ``globals_`` are values of knobs or variables by name.

    Whatever fails before the change changes nothing; what fails after it puts the old
    one back. Raises Unsupported, NotPermitted, Busy, BadObject, BadValue, VerifierError,
    LoadError, AttachError, Ejected.
    """
    if not sysfs.read().is_supported:
        raise _unsupported()
    name = spec.sole_ops(OPS).name
    bpffs.make_root()
    with lock.writer(on_wait=tell):
        tidy()
        old = current()
        if old is None:
            _make_way(options.replace)
        given = globals_ or {}
        kept = _carried(spec, old, given) if options.keep_knobs and old else {}
        started = time.monotonic_ns()
        with spec.load({**kept, **given}) as standby:
            load_ns = time.monotonic_ns() - started
            place = bpffs.upcoming()
            place.fill(_pins(standby, name))
            keep.keep(_ops_id(place), spec)
            new = Attached(place)
            result = _change(new, old, options.trial_ns, lambda: _attach(standby, name))
    return UseResult(**{**vars(result), "load_ns": load_ns, "kept_knobs": kept})


def parse_values(spec: ObjectSpec, texts: Mapping[str, str]) -> dict[str, Any]:
    """What a user typed for knobs, or for variables without tags, as values in range."""
    parsed: dict[str, Any] = {}
    for name, text in texts.items():
        var, knob = spec.variable(name), spec.knobs.get(name)
        parsed[name] = knob.parse(text) if knob else values.parse(var.type, text, name)
    return parsed


def hold(
    spec: ObjectSpec,
    globals_: Mapping[str, Any],
    options: UseOptions,
    on_running: Callable[[str], None],
) -> None:
    """Attach without a pin and stay until Ctrl-C or the scheduler's end; then put the old one back.

    Raises what ``use`` raises; Ejected if the scheduler ends by itself.
    """
    if not sysfs.read().is_supported:
        raise _unsupported()
    name = spec.sole_ops(OPS).name
    with lock.writer():
        if bpffs.current().exists():
            tidy()
        old = current()
        if old is None:
            _make_way(options.replace)
        with spec.load(globals_) as standby:
            record = standby.exit_record
            seq = sysfs.read().enable_seq
            if old:
                _detach(old)
            try:
                standby.attach(name)
                _confirm(name, record, seq)
                on_running(name)
                while _runs(name, record):
                    time.sleep(_POLL_S)
            except KeyboardInterrupt:
                pass
            finally:
                standby.close()
                if old:
                    _put_back(old)


def back(options: UseOptions = UseOptions(), tell: Tell | None = None) -> UseResult:
    """Attach the previous scheduler again: it has stayed loaded. Gone if there is none."""
    with lock.writer(on_wait=tell):
        tidy()
        place = bpffs.previous()
        if not place.exists():
            raise Gone("there is no previous scheduler to go back to")
        old = current()
        if old is None:
            _make_way(options.replace)
        place.move_to(bpffs.upcoming())
        new = Attached(bpffs.upcoming())
        return _change(new, old, options.trial_ns, lambda: _attach_again(new))


def stop(tell: Tell | None = None) -> str | None:
    """Take our scheduler off; the kernel's own runs. Returns its name, None if none ran.

    It stays loaded as the previous one, so ``back`` puts it on again.
    """
    if not sysfs.read().is_supported:
        raise _unsupported()
    with lock.writer(on_wait=tell):
        tidy()
        running = current()
        if running is None:
            return None
        _detach(running)
        history.add("stopped", running.name, running.exit_info())
        running.close()
        bpffs.current().unpin_link()
        bpffs.current().move_to(bpffs.previous())
        return running.name


def set_knobs(
    texts: Mapping[str, str],
    options: UseOptions = UseOptions(),
    tell: Tell | None = None,
) -> SetResult:
    """Turn knobs of the scheduler that runs: ``texts`` is what the user typed, by name.

    All are checked before any is touched. Live ones change at once; load-time ones
    together by one swap to a fresh copy of the same object, which keeps the others.
    Variables without tags are set the same way.
    """
    running = require_current()
    wanted: dict[str, Any] = {}
    for name, text in texts.items():
        var, knob = running.variable(name), running.knobs.get(name)
        wanted[name] = knob.parse(text) if knob else values.parse(var.type, text, name)
    before = {name: running.variables[name].value for name in wanted}
    changed = {name: (before[name], value) for name, value in wanted.items()}
    if all(running.variables[name].section.writable for name in wanted):
        with lock.writer(on_wait=tell):
            for name, value in wanted.items():
                running.variables[name].value = value
        return SetResult(changed, None)
    spec = keep.get(_ops_id(running.place), running.name)
    everything = {**running.constants(), **running.knob_values(), **wanted}
    return SetResult(changed, use(spec, everything, options, tell))


# --- the steps -------------------------------------------------------------------------------


def _pins(standby: BpfObject, ops: str) -> dict[str, dict[str, int]]:
    fds = standby.map_fds()
    sections = {
        data_section(name).removeprefix("."): fd
        for name, fd in fds.items()
        if data_section(name) != name or name.startswith(".")
    }
    maps = {
        name: fd
        for name, fd in fds.items()
        if data_section(name) == name and not name.startswith(".") and name not in standby.spec.ops
    }
    return {"ops": {ops: fds[ops]}, "sections": sections, "maps": maps}


def _carried(spec: ObjectSpec, old: Attached, given: Mapping[str, Any]) -> dict[str, Any]:
    """Values of the old one's knobs that the new one has too: same name, same type, in range."""
    kept: dict[str, Any] = {}
    for name, value in old.knob_values().items():
        knob = spec.knobs.get(name)
        if knob is None or name in given or knob.type != old.knobs[name].type:
            continue
        try:
            kept[name] = knob.check(value)
        except BadValue:
            continue
    return kept


def _make_way(replace: bool) -> None:
    """Busy if somebody else's scheduler runs, unless it may be, and can be, taken off."""
    now = sysfs.read()
    if now.state == "disabled" or not now.ops:
        return
    holder = foreign.holder_of(now.ops)
    held = f"held by {holder.in_words()}" if holder else "held by somebody else"
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
        pin.unlink(missing_ok=True)
    history.add("replaced", now.ops)


def _attach(standby: BpfObject, name: str) -> int:
    return os.dup(standby.attach(name).fd)


def _attach_again(new: Attached) -> int:
    fd = _open_ops(new.place)
    try:
        return libbpf.link_struct_ops(fd)
    except libbpf.CallFailed as error:
        raise explain_attach(new.name, error) from None
    finally:
        os.close(fd)


def _detach(running: Attached) -> None:
    fd = running.place.open(running.place.link)
    try:
        libbpf.detach_link(fd)
    except libbpf.CallFailed as error:
        raise AttachError(f"{running.name} could not be taken off: {error}") from None
    finally:
        os.close(fd)


def _change(
    new: Attached, old: Attached | None, trial_ns: int, attach: Callable[[], int]
) -> UseResult:
    """Steps 2 to 5; on failure the old one is put back."""
    new.forget_exit()
    seq = sysfs.read().enable_seq
    started = time.monotonic_ns()
    try:
        if old:
            _detach(old)
        began = time.monotonic_ns()
        link = attach()
        ended = time.monotonic_ns()
        try:
            new.place.pin_link(link)
        finally:
            os.close(link)
        _confirm(new.name, new.exit_record, seq)
        _watch(new.name, new.exit_record, trial_ns)
    except (ScxhidError, OSError, KeyboardInterrupt) as error:
        raise _undo(new, old, error) from None
    if old:
        history.add("stopped", old.name, old.exit_info())
        old.close()
    name = new.name
    new.close()
    _become_current(new.place)
    history.add("attached", name)
    return UseResult(
        name, old.name if old else None, 0, ended - began, ended - started if old else None
    )


def _runs(name: str, record: Record) -> bool:
    """Whether it runs now; Ejected with the reason if it has ended."""
    info = record.read() if record else None
    if info:
        raise Ejected(f"{name} was thrown out: {info.sentence()}", info)
    return sysfs.read().runs(name)


def _confirm(name: str, record: Record, seq_before: int) -> None:
    """Wait until sysfs says that it runs: an attach that succeeded does not mean that."""
    deadline = time.monotonic_ns() + _CONFIRM_NS
    while not (_runs(name, record) and sysfs.read().enable_seq > seq_before):
        if time.monotonic_ns() > deadline:
            state = sysfs.read().state
            raise AttachError(
                f"{name} was attached but does not run: sched_ext is {state}, and it "
                "recorded no reason; the kernel log (dmesg) may have one"
            )
        time.sleep(_POLL_S)


def _watch(name: str, record: Record, trial_ns: int) -> None:
    """Stay for the trial; Ejected or AttachError if it ends meanwhile."""
    deadline = time.monotonic_ns() + trial_ns
    while time.monotonic_ns() < deadline:
        # sysfs may tell a moment before the record is complete: ask twice.
        if not _runs(name, record):
            time.sleep(10 * _POLL_S)
            if not _runs(name, record):
                raise AttachError(f"{name} ended during the trial and recorded no reason")
        time.sleep(_POLL_S)


def _undo(new: Attached, old: Attached | None, error: BaseException) -> BaseException:
    """Take the new one off, put the old one back on, and say in the error what runs now."""
    if isinstance(error, Ejected):
        history.add("ejected", new.name, error.info)
    new.close()
    new.place.clear()
    restored = "the kernel's own scheduler runs"
    if old:
        restored = _put_back(old)
    if isinstance(error, Ejected):
        return Ejected(f"{error}; {restored}", error.info)
    if isinstance(error, KeyboardInterrupt):
        return error
    kind = type(error) if isinstance(error, ScxhidError) else AttachError
    return kind(f"{error}; {restored}")


def _put_back(old: Attached) -> str:
    seq = sysfs.read().enable_seq
    if _is_live(old.place, sysfs.read()):
        return f"{old.name} runs on"
    try:
        _wait_disabled()
        old.forget_exit()
        old.place.unpin_link()
        link = _attach_again(old)
        try:
            old.place.pin_link(link)
        finally:
            os.close(link)
        _confirm(old.name, old.exit_record, seq)
    except (ScxhidError, OSError) as error:
        return f"{old.name} could not be put back ({error}), the kernel's own scheduler runs"
    history.add("put_back", old.name)
    return f"{old.name} was put back and runs"


def _wait_disabled() -> None:
    deadline = time.monotonic_ns() + _CONFIRM_NS
    while sysfs.read().state != "disabled" and time.monotonic_ns() < deadline:
        time.sleep(_POLL_S)
