"""What a user does with schedulers: use one, go back, stop, turn knobs.

The steps of a change, and what a killed command leaves behind, are in ``swap``.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

from pyloader import bpffs, hosted, keep, lock, sysfs
from pyloader.attached import Attached
from pyloader.catalog import find_host
from pyloader.errors import BadValue, Busy, CannotHost, NotPermitted
from pyloader.input_first import marks
from pyloader.running import current, fallen, require_current, require_sched_ext
from pyloader.spec import ObjectSpec
from pyloader.swap import after, gapless, names, plain
from pyloader.swap.gapless import Change
from pyloader.swap.side import Side, confirm, wait_for_end
from pyloader.swap.standby import OPS, loaded_next
from pyloader.swap.tidy import tidy

__all__ = [
    "SetResult",
    "UseOptions",
    "UseResult",
    "back",
    "collect",
    "current",
    "fallen",
    "hold",
    "require_current",
    "set_knobs",
    "stop",
    "use",
]

HOST_TIMEOUT_MS = 3000
TRIAL_TIMEOUT_MS = 5000
"""The watchdog's timeout that an object made elsewhere gets for a trial, if its own is longer."""
_KERNELS_TIMEOUT_MS = 30_000  # of a scheduler that does not say: kernel/sched/ext

Tell = Callable[[str], None]


@dataclass(frozen=True)
class UseOptions:
    """How to change.

    ``trial_ns``: how long the new scheduler is watched before the call returns; what ran
    before is put back if it is thrown out meanwhile. ``wait`` False leaves the trial to a
    small process of its own. ``direct``: without the host, also where it could be hosted.
    """

    trial_ns: int = 0
    replace: bool = False
    keep_knobs: bool = False
    direct: bool = False
    wait: bool = True
    on_trial: Callable[[str, int], None] | None = None
    """Called with the name and the time in ns when a trial that is waited for begins."""


_DEFAULT = UseOptions()


@dataclass(frozen=True)
class UseResult:
    """What a change did; times in ns.

    ``gap_ns`` is the time in which neither ran, from the detach of the old one until
    the kernel had enabled the new one; None if none of ours ran before, or if the change
    was gapless: ``gapless`` tells of that. ``load_ns`` is 0 where nothing had to be
    loaded, ``attach_ns`` of a gapless change the time until the old one was drained.
    """

    name: str
    previous: str | None
    is_hosted: bool
    load_ns: int
    attach_ns: int
    gap_ns: int | None
    gapless: Change | None = None
    kept_knobs: Mapping[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True)
class SetResult:
    """Knobs that were changed: old and new value by name, and the swap if one was needed."""

    changed: Mapping[str, tuple[Any, Any]]
    swap: UseResult | None


def default_trial_ns(spec: ObjectSpec, direct: bool = False) -> int:
    """1.5 times the watchdog's timeout and a second: a shorter trial cannot see a stall.

    The watchdog looks every half of its timeout.
    """
    if not direct and not why_not_hosted(spec):
        timeout_ms = HOST_TIMEOUT_MS
    else:
        timeout_ms = _timeout_ms(spec)
    return timeout_ms * 1_500_000 + 1_000_000_000


def why_not_hosted(spec: ObjectSpec) -> str:
    """Why a scheduler cannot be hosted, in words; empty if it can."""
    return hosted.why_not(spec, spec.sole_ops(OPS), _passed_on())


@cache
def _passed_on() -> frozenset[str]:
    """The callbacks that the host passes on; read once, since it is looked for among sources."""
    arrays = [name for name in find_host().open().maps if name.startswith("on_")]
    return frozenset(name.removeprefix("on_") for name in arrays)


def use(
    spec: ObjectSpec,
    globals_: Mapping[str, Any] | None = None,
    options: UseOptions = _DEFAULT,
    tell: Tell | None = None,
) -> UseResult:
    """Attach the scheduler of ``spec``, in place of the one that runs.

    ``globals_`` are values of knobs or variables by name. Whatever fails before the
    change changes nothing; what fails after it puts the old one back. Raises
    Unsupported, NotPermitted, Busy, BadObject, BadValue, VerifierError, LoadError,
    AttachError, Ejected.
    """
    require_sched_ext()
    spec.sole_ops(OPS)
    bpffs.make_root()
    with lock.writer(on_wait=tell):
        old = tidy()
        before = old.place.ops_id() if old else None
        given = globals_ or {}
        kept = _carried(spec, old, given, tell) if options.keep_knobs and old else {}
        result = _put_on(spec, {**kept, **given}, options, old, tell)
        result = replace(result, kept_knobs=kept)
        put = after.Put.of(Attached(bpffs.current()), before)
        names.forget_copies()
    _trial(put, options, tell)
    return result


def _put_on(
    spec: ObjectSpec,
    given: Mapping[str, Any],
    options: UseOptions,
    old: Attached | None,
    tell: Tell | None,
) -> UseResult:
    """Load it and change to it, hosted where that is possible. The lock is held."""
    if not options.direct and not why_not_hosted(spec):
        try:
            return _change(spec, given, options, old, tell, to_be_hosted=True)
        except CannotHost as error:
            if tell:
                tell(f"{error}; attaching it without the host")
    return _change(spec, given, options, old, tell, to_be_hosted=False)


def _change(
    spec: ObjectSpec,
    given: Mapping[str, Any],
    options: UseOptions,
    old: Attached | None,
    tell: Tell | None,
    to_be_hosted: bool,
) -> UseResult:
    previous = old.name if old else None
    started = time.monotonic_ns()
    fields = {} if to_be_hosted else _lowered_timeout(spec, options)
    with loaded_next(spec, given, to_be_hosted, fields) as standby:
        new = Attached(bpffs.upcoming())
        if tell:
            for line in standby.notes:
                tell(line)
        load_ns = time.monotonic_ns() - started
        if old is None:
            try:  # not before: what the verifier refuses should replace nothing
                plain.make_way(options.replace)
            except BaseException:
                new.place.clear()
                raise
        if old and old.is_hosted and to_be_hosted:
            done = gapless.change(new, old)
            return UseResult(new.name, previous, True, load_ns, done.drain_ns, None, gapless=done)
        side = Side(new, standby)
        times = plain.change(side, Side(old) if old else None, side.attach)
        return UseResult(new.name, previous, to_be_hosted, load_ns, times.attach_ns, times.gap_ns)


def _trial(put: after.Put, options: UseOptions, tell: Tell | None) -> None:
    if options.wait:
        if options.on_trial and options.trial_ns:
            options.on_trial(put.name, options.trial_ns)
        if not after.stay(put, options.trial_ns) and tell:
            tell(f"another command has changed what runs since {put.name} was put on")
    elif options.trial_ns:
        after.stay_in_background(put, options.trial_ns)


def hold(
    spec: ObjectSpec,
    globals_: Mapping[str, Any],
    options: UseOptions,
    on_running: Callable[[str], None],
) -> str:
    """Attach without a pin and stay until Ctrl-C or the scheduler's end; then put the old one back.

    Needs no BPF file system. Returns in words what runs after Ctrl-C. Raises what
    ``use`` raises; Ejected if the scheduler ends by itself.
    """
    require_sched_ext()
    ops = spec.sole_ops(OPS)
    name = ops.kernel_name
    with lock.writer():
        attached = tidy()
        old = Side(attached) if attached else None
        then = "the kernel's own scheduler runs"
        with marks.shared(spec) as maps, spec.load(globals_, shared=maps) as standby:
            if old is None:
                plain.make_way(options.replace)
            seq = sysfs.read().enable_seq
            try:
                if old:
                    old.detach()
                standby.attach(ops.name)
                confirm(name, name, standby.exit_record, seq)
                on_running(name)
                wait_for_end(name, standby.exit_record)
            except KeyboardInterrupt:
                pass
            finally:
                standby.close()
                if old:
                    then = plain.put_back(old)
        return then


def back(options: UseOptions = _DEFAULT, tell: Tell | None = None) -> UseResult:
    """Make the previous scheduler the current one again: it has stayed loaded.

    Gone if there is none.
    """
    require_sched_ext()
    bpffs.make_root()
    with lock.writer(on_wait=tell):
        old = tidy()
        before = old.place.ops_id() if old else None
        if old is None and bpffs.previous().exists():
            plain.make_way(options.replace)
        previous = old.name if old else None
        done = after.go_back(old)
        new = Attached(bpffs.current())
        put = after.Put.of(new, before)
    _trial(put, options, tell)
    if isinstance(done, Change):
        return UseResult(new.name, previous, True, 0, done.drain_ns, None, gapless=done)
    return UseResult(new.name, previous, new.is_hosted, 0, done.attach_ns, done.gap_ns)


def watch(tell: Tell) -> None:
    """Stay with what runs until Ctrl-C, and put back what can be: see ``swap.after.watch``."""
    running = require_current()
    previous = bpffs.previous()
    before = previous.ops_id() if previous.ops_name() else None
    with suppress(KeyboardInterrupt):
        after.watch(after.Put.of(running, before), tell)


def stop(tell: Tell | None = None) -> str | None:
    """Take our scheduler off; the kernel's own runs. Returns its name, None if none ran.

    It stays loaded as the previous one, so ``back`` puts it on again.
    """
    require_sched_ext()
    with lock.writer(on_wait=tell):
        running = tidy()
        if running is None:
            return None
        plain.retire(Side(running))
        return running.name


def set_knobs(
    texts: Mapping[str, str], options: UseOptions = _DEFAULT, tell: Tell | None = None
) -> SetResult:
    """Turn knobs of the scheduler that runs: ``texts`` is what the user typed, by name.

    All are checked before any is touched. Live ones change at once; load-time ones
    together by one swap to a fresh copy of the same object, which keeps the others.
    Variables without tags are set the same way.
    """
    running = require_current()
    wanted = running.parse_values(texts)
    changed = {name: (running.variables[name].value, value) for name, value in wanted.items()}
    if all(running.variables[name].section.writable for name in wanted):
        with lock.writer(on_wait=tell):
            for name, value in wanted.items():
                running.variables[name].value = value
        return SetResult(changed, None)
    spec = keep.get(running.place.ops_id(), running.name)
    everything = {**running.constants(), **running.knob_values(), **wanted}
    how = replace(options, direct=not running.is_hosted)
    return SetResult(changed, use(spec, everything, how, tell))


def collect() -> None:
    """Write an ejection that nobody has seen yet into the history, if this user may."""
    try:
        if fallen():
            with lock.writer(wait_s=0):
                tidy()
    except (NotPermitted, Busy):
        return


def _timeout_ms(spec: ObjectSpec) -> int:
    """The watchdog's timeout of a scheduler that is attached by itself, as it will be on trial."""
    given = int(spec.sole_ops(OPS).fields.get("timeout_ms") or _KERNELS_TIMEOUT_MS)
    return given if spec.about.what else min(given, TRIAL_TIMEOUT_MS)


def _lowered_timeout(spec: ObjectSpec, options: UseOptions) -> dict[str, dict[str, Any]]:
    """For a trial, a shorter timeout for an object made elsewhere; it keeps it afterwards."""
    ops = spec.sole_ops(OPS)
    given = int(ops.fields.get("timeout_ms") or _KERNELS_TIMEOUT_MS)
    lowered = _timeout_ms(spec)
    if not options.trial_ns or lowered == given or "timeout_ms" not in ops.fields:
        return {}
    return {ops.name: {"timeout_ms": lowered}}


def _carried(
    spec: ObjectSpec, old: Attached, given: Mapping[str, Any], tell: Tell | None
) -> dict[str, Any]:
    """Values of the old one's knobs that the new one has too: same name, same type, in range."""
    kept: dict[str, Any] = {}
    for name, value in old.knob_values().items():
        knob = spec.knobs.get(name)
        if knob is None or name in given or knob.type != old.knobs[name].type:
            continue
        try:
            kept[name] = knob.check(value)
        except BadValue as error:
            if tell:
                tell(f"{name} was not kept: {error}")
    return kept
