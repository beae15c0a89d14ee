"""What a user does with schedulers: use one, go back, stop, turn knobs.

The steps of a change, and what a killed command leaves behind, are in ``swap``.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pyloader import bpffs, keep, lock, swap, sysfs, values
from pyloader.attached import Attached
from pyloader.errors import BadValue, Busy, Gone, NotPermitted
from pyloader.object import BpfObject
from pyloader.running import current, fallen, ops_id, require_current, require_sched_ext
from pyloader.spec import ObjectSpec, OpsSpec, data_section

__all__ = [
    "SetResult",
    "UseOptions",
    "UseResult",
    "back",
    "collect",
    "current",
    "fallen",
    "hold",
    "parse_values",
    "require_current",
    "set_knobs",
    "stop",
    "use",
]

OPS = "sched_ext_ops"

Tell = Callable[[str], None]


@dataclass(frozen=True)
class UseOptions:
    """How to change: ``trial_ns`` is how long the new scheduler is watched before it is kept."""

    trial_ns: int = 0
    replace: bool = False
    keep_knobs: bool = False


_DEFAULT = UseOptions()


@dataclass(frozen=True)
class UseResult:
    """What a change did; times in ns.

    ``gap_ns`` is the time in which neither ran, from the detach of the old one until
    the kernel had enabled the new one; None if none of ours ran before. ``load_ns``
    is 0 where nothing had to be loaded.
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


def parse_values(spec: ObjectSpec, texts: Mapping[str, str]) -> dict[str, Any]:
    """What a user typed for knobs, or for variables without tags, as values in range."""
    parsed: dict[str, Any] = {}
    for name, text in texts.items():
        var, knob = spec.variable(name), spec.knobs.get(name)
        parsed[name] = knob.parse(text) if knob else values.parse(var.type, text, name)
    return parsed


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
    ops = spec.sole_ops(OPS)
    bpffs.make_root()
    with lock.writer(on_wait=tell):
        old = swap.tidy()
        given = globals_ or {}
        kept = _carried(spec, old, given) if options.keep_knobs and old else {}
        started = time.monotonic_ns()
        with spec.load({**kept, **given}) as standby:
            load_ns = time.monotonic_ns() - started
            if old is None:
                swap.make_way(options.replace)
            place = bpffs.upcoming()
            place.fill(_pins(standby, ops))
            keep.keep(ops_id(place), spec)
            previous = old.name if old else None
            times = swap.change(
                Attached(place), old, options.trial_ns, lambda: os.dup(standby.attach(ops.name).fd)
            )
            swap.forget_copies()
    return UseResult(ops.kernel_name, previous, load_ns, times.attach_ns, times.gap_ns, kept)


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
        old = swap.tidy()
        after = "the kernel's own scheduler runs"
        with spec.load(globals_) as standby:
            if old is None:
                swap.make_way(options.replace)
            seq = sysfs.read().enable_seq
            try:
                if old:
                    swap.detach(old)
                standby.attach(ops.name)
                swap.confirm(name, standby.exit_record, seq)
                on_running(name)
                swap.watch(name, standby.exit_record, None)
            except KeyboardInterrupt:
                pass
            finally:
                standby.close()
                if old:
                    after = swap.put_back(old)
        return after


def back(options: UseOptions = _DEFAULT, tell: Tell | None = None) -> UseResult:
    """Attach the previous scheduler again: it has stayed loaded. Gone if there is none."""
    require_sched_ext()
    bpffs.make_root()
    with lock.writer(on_wait=tell):
        old = swap.tidy()
        place = bpffs.previous()
        if not place.exists():
            raise Gone("there is no previous scheduler to go back to")
        if old is None:
            swap.make_way(options.replace)
        place.move_to(bpffs.upcoming())
        new = Attached(bpffs.upcoming())
        times = swap.change(new, old, options.trial_ns, lambda: swap.attach_again(new))
        return UseResult(new.name, old.name if old else None, 0, times.attach_ns, times.gap_ns)


def stop(tell: Tell | None = None) -> str | None:
    """Take our scheduler off; the kernel's own runs. Returns its name, None if none ran.

    It stays loaded as the previous one, so ``back`` puts it on again.
    """
    require_sched_ext()
    with lock.writer(on_wait=tell):
        running = swap.tidy()
        if running is None:
            return None
        swap.retire(running)
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
    wanted: dict[str, Any] = {}
    for name, text in texts.items():
        var, knob = running.variable(name), running.knobs.get(name)
        wanted[name] = knob.parse(text) if knob else values.parse(var.type, text, name)
        values.encode(var.type, wanted[name], name)
    changed = {name: (running.variables[name].value, value) for name, value in wanted.items()}
    if all(running.variables[name].section.writable for name in wanted):
        with lock.writer(on_wait=tell):
            for name, value in wanted.items():
                running.variables[name].value = value
        return SetResult(changed, None)
    spec = keep.get(ops_id(running.place), running.name)
    everything = {**running.constants(), **running.knob_values(), **wanted}
    return SetResult(changed, use(spec, everything, options, tell))


def collect() -> None:
    """Write an ejection that nobody has seen yet into the history, if this user may."""
    try:
        if fallen():
            with lock.writer(wait_s=0):
                swap.tidy()
    except (NotPermitted, Busy):
        return


def _pins(standby: BpfObject, ops: OpsSpec) -> dict[str, dict[str, int]]:
    """What to pin, by folder and name: the ops, the data sections, the other maps."""
    folders: dict[str, dict[str, int]] = {"ops": {}, "sections": {}, "maps": {}}
    for name, fd in standby.map_fds().items():
        section = data_section(name)
        if name == ops.name:
            folders["ops"][ops.kernel_name] = fd
        elif section.startswith("."):
            folders["sections"][section[1:]] = fd
        else:
            folders["maps"][name] = fd
    return folders


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
