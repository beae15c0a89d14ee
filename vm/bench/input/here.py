"""Input latency on this machine: whether it can, and that all is afterwards as it was."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Generator
from contextlib import contextmanager

from pyloader import sysfs
from pyloader.errors import Busy, NotPermitted, ScxhidError, Unsupported
from vm.bench.input import path
from vm.bench.input.rounds import Plan, Samples, measure
from vm.bench.input.ways import KERNEL, Way, in_force

_UHID = "/dev/uhid"


def why_not() -> ScxhidError | None:
    """Why this machine cannot measure; None if it can. Unsupported, NotPermitted or Busy."""
    from pyloader import sched

    if not sysfs.read().is_supported:
        return Unsupported("this kernel has no sched_ext")
    if not os.path.exists(_UHID):
        return Unsupported(f"there is no {_UHID}; `modprobe uhid` makes it")
    if os.geteuid():
        return NotPermitted("measuring on this machine takes root")
    other = sysfs.read().ops
    if other and sched.current() is None:
        return Busy(
            f"{other} runs, which scxhid did not attach and could not put back; end it first"
        )
    return None


def run(plan: Plan, tell: Callable[[str], None]) -> Samples:
    """Measure. What ran before runs again afterwards, also after Ctrl-C.

    Raises:
        Unsupported, NotPermitted, Busy: what ``why_not`` says, or a scheduler or input first cannot
            be loaded on this kernel.
        ScxhidError: something could not be measured.
    """
    error = why_not()
    if error:
        raise error
    path.prepare()
    with _scheduler_put_back(), _input_first_put_back():
        if any(way.is_first for way in plan.ways):
            # A kernel that has not what it takes is told of now, and not after minutes.
            with in_force(Way(KERNEL, is_first=True), plan.knobs):
                pass
        return measure(plan, tell)


@contextmanager
def _scheduler_put_back() -> Generator[None]:
    """It stays loaded meanwhile, with its knobs and rules, where ``scxhid sched back`` finds it
    too."""
    from pyloader import sched

    stopped = sched.stop()
    try:
        yield
    finally:
        if stopped:
            with _undisturbed():
                sched.back()


@contextmanager
def _input_first_put_back() -> Generator[None]:
    """With its knobs and devices; its counts begin anew."""
    from pyloader.input_first import change, state

    running = state.opened()
    if running is None:
        yield
        return
    knobs = {name: str(value) for name, value in running.changed_knobs().items()}
    chosen = [each for each in state.seen_devices(running) if each.choice is not None]
    only = [str(each.model) for each in chosen if each.choice]
    without = [str(each.model) for each in chosen if not each.choice]
    running.close()
    change.off()
    try:
        yield
    finally:
        with _undisturbed():
            change.on(knobs, only, without)


@contextmanager
def _undisturbed() -> Generator[None]:
    """Without Ctrl-C: what is half put back helps nobody."""
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = [signal.signal(number, signal.SIG_IGN) for number in numbers]
    try:
        yield
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)
