"""What the screen changes, by the functions of the commands; each call blocks until it is done.

They run in a thread of their own, so that no key waits for them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from pyloader.errors import Gone, WrongUse


@dataclass(frozen=True)
class Scheduler:
    """One of the library, as its source tells of it."""

    name: str
    about: str
    good_for: str
    ignores: tuple[str, ...]
    knobs: int


class Controls(Protocol):
    """What can be done from the screen. Each returns a sentence on what was done, or raises
    ScxhidError, in which case what ran before runs on."""

    def library(self) -> tuple[Scheduler, ...]: ...

    def use(self, name: str) -> str: ...

    def back(self) -> str: ...

    def stop(self) -> str: ...

    def set_knob(self, name: str, text: str) -> str: ...

    def remap(self, device: str, path: str) -> str: ...

    def detach(self, device: str) -> str: ...

    def input_first(self, on: bool) -> str: ...


class Live:
    """The running machine."""

    def library(self) -> tuple[Scheduler, ...]:
        """Every scheduler that comes with scxhid; one that cannot be opened says why."""
        from pyloader.catalog import schedulers
        from pyloader.errors import ScxhidError

        found: list[Scheduler] = []
        for name, source in schedulers().items():
            try:
                spec = source.open()
            except ScxhidError as error:
                found.append(Scheduler(name, f"cannot be opened: {error}", "", (), 0))
                continue
            about = spec.about
            found.append(
                Scheduler(name, about.what, about.good_for, about.ignores or (), len(spec.knobs))
            )
        return tuple(found)

    def use(self, name: str) -> str:
        """Swap to it; it is watched in the background for as long as a trial takes."""
        from pyloader import sched
        from pyloader.catalog import find_scheduler

        spec = find_scheduler(name).open()
        options = sched.UseOptions(trial_ns=sched.default_trial_ns(spec), wait=False)
        return _said(sched.use(spec, options=options))

    def back(self) -> str:
        from pyloader import sched

        return _said(sched.back())

    def stop(self) -> str:
        from pyloader import sched

        name = sched.stop()
        if name is None:
            raise Gone("no scheduler of scxhid runs")
        return f"{name} was taken off: the kernel's own runs (b puts it back)"

    def set_knob(self, name: str, text: str) -> str:
        from pyloader import sched

        done = sched.set_knobs({name: text})
        old, new = done.changed[name]
        how = " by a swap to a fresh copy" if done.swap else ""
        return f"{name}: {_word(old)} → {_word(new)}{how}"

    def remap(self, device: str, path: str) -> str:
        """Apply the rules of a file to the device; they take the place of others between two
        reports."""
        from pyloader.hid.remap.apply import apply
        from pyloader.hid.remap.choose import chosen
        from pyloader.hid.remap.compose import find_file, read_compose
        from pyloader.hid.remap.plan import plan

        composed = read_compose(find_file(path))
        plans = [plan(each.rules, each.interfaces) for each in chosen(composed, device)]
        applied = [apply(each) for each in plans]
        warnings = [warning for each in plans for warning in each.warnings]
        slowest = max((each.ns for each in applied), default=0)
        said = f"the rules of {path} count after {slowest / 1e6:.1f} ms"
        return "; ".join([said, *warnings])

    def detach(self, device: str) -> str:
        """Take all programs of ours and of udev-hid-bpf off the device."""
        from pyloader.hid.detach import detach
        from pyloader.hid.device import find_device

        gone = detach(find_device(device))
        return f"{', '.join(gone)} taken off" if gone else "nothing is attached to it"

    def input_first(self, on: bool) -> str:
        """Switch it on with the settings that it has by itself, or off."""
        from pyloader.input_first import change

        if not on:
            return "input first is off" if change.off() else "input first was off already"
        told: list[str] = []
        change.on(tell=told.append)
        return "; ".join(["input first is on: whom a report wakes runs before others", *told])


class Nothing:
    """A recording: nothing can be changed there."""

    def use(self, name: str) -> str:
        raise _no()

    def back(self) -> str:
        raise _no()

    def stop(self) -> str:
        raise _no()

    def set_knob(self, name: str, text: str) -> str:
        raise _no()

    def remap(self, device: str, path: str) -> str:
        raise _no()

    def detach(self, device: str) -> str:
        raise _no()

    def input_first(self, on: bool) -> str:
        raise _no()

    def library(self) -> tuple[Scheduler, ...]:
        return Live().library()


def _no() -> WrongUse:
    return WrongUse("a recording cannot be changed")


def _said(done: Any) -> str:
    before = f" in place of {done.previous}" if done.previous else ""
    if done.gapless:
        return f"{done.name} runs{before}, without a gap"
    gap = f", after {done.gap_ns / 1e6:.1f} ms of neither" if done.gap_ns else ""
    return f"{done.name} runs{before}{gap}"


def _word(value: Any) -> str:
    return {True: "on", False: "off"}[value] if isinstance(value, bool) else str(value)
