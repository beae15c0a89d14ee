"""A command killed at any step: something known runs, ``status`` says what, the next command works.

The steps are the calls that change something in the kernel or in the BPF file system.
A first, unharmed swap lists them; then a forked command is killed before each of them.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest import mock

import pyloader.libbpf
from pyloader import bpffs, history, keep, swap
from tests.guest import kernel
from tests.guest.command import done, sched_status, scxhid
from tests.guest.conftest import Program
from tests.guest.processes import Child, forked

CHANGING = [
    (pyloader.libbpf.Object, "load"),
    (pyloader.libbpf.Map, "attach_struct_ops"),
    (pyloader.libbpf, "pin"),
    (pyloader.libbpf, "detach_link"),
    (pyloader.libbpf, "link_struct_ops"),
    (pyloader.libbpf, "update"),
    (bpffs.Place, "pin_link"),
    (bpffs.Place, "unpin_link"),
    (keep, "keep"),
    (history, "add"),
    (swap, "confirm"),
    (swap, "become_current"),
    (os, "unlink"),
    (os, "rmdir"),
    (os, "mkdir"),
    (os, "rename"),
]


@contextmanager
def before_each_step(act: Callable[[str], None]) -> Generator[None]:
    """Call ``act`` with the step's name before each call that changes something."""
    with ExitStack() as patches:
        for owner, name in CHANGING:
            patches.enter_context(mock.patch.object(owner, name, _with(getattr(owner, name), act)))
        yield


def _with(call: Any, act: Callable[[str], None]) -> Any:
    def step(*arguments: Any, **named: Any) -> Any:
        act(call.__name__)
        return call(*arguments, **named)

    return step


def steps_of(*words: str) -> list[str]:
    """The names of the steps of a command, from a run of it in another process."""

    def run() -> list[str]:
        seen: list[str] = []
        with before_each_step(seen.append):
            done(*words)
        return seen

    return forked(run)


def killed_before(number: int, *words: str) -> bool:
    """Run the command in another process that dies before its step ``number``, if it has one."""

    def run(_: Callable[[Any], None]) -> None:
        left = [number]

        def count(_: str) -> None:
            if left[0] == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            left[0] -= 1

        with before_each_step(count):
            scxhid(*words)

    return Child(run).wait() == -signal.SIGKILL


def worth_killing(steps: list[str]) -> list[int]:
    """Of a run of the same step (pins of many maps) the first and the last."""
    around = ["", *steps, ""]
    return [n for n, step in enumerate(steps) if {around[n], around[n + 2]} != {step}]


def assert_true_status(allowed: set[str]) -> str:
    """What runs after the kill, if ``status`` tells the same as the kernel."""
    kernel.wait_for("the kernel to settle", lambda: kernel.state() in ("enabled", "disabled"))
    runs, found = kernel.ops(), sched_status()
    assert runs in allowed
    if runs:
        assert (found["mode"], found["ops"], found["policy"]) == ("direct", runs, runs)
    else:
        assert (found["state"], found["mode"], found["policy"]) == ("disabled", "none", None)
    return runs


def test_a_swap_killed_at_each_step(simple: str, program: Program) -> None:
    swap_to = ("sched", "use", program("exits_by_itself"))
    done("sched", "use", simple)
    done("sched", "use", simple)  # so that there is a previous one to be cleared
    steps = steps_of(*swap_to)
    assert {"load", "pin", "detach_link", "attach_struct_ops", "rename"} <= set(steps)
    outcomes: dict[str, str] = {}
    for number in worth_killing(steps):
        done("sched", "use", simple)
        at = f"{number} {steps[number]}"
        # How many pins the last steps remove depends on what was the previous scheduler.
        killed = killed_before(number, *swap_to)
        outcomes[at] = assert_true_status(
            {"simple", "exits_by_itself", ""} if killed else {"exits_by_itself"}
        )
        done("sched", "log")
        assert_true_status({outcomes[at]})
    kept, changed, neither = (
        [at for at, runs in outcomes.items() if runs == name]
        for name in ("simple", "exits_by_itself", "")
    )
    first_detach = steps.index("detach_link")
    assert all(int(at.split()[0]) <= first_detach for at in kept), outcomes
    assert len(kept) >= 4, outcomes
    assert changed, outcomes
    assert len(neither) <= 6, outcomes


def test_back_killed_at_each_step(simple: str, program: Program) -> None:
    done("sched", "use", program("exits_by_itself"))
    done("sched", "use", simple)
    steps = steps_of("sched", "back")
    for number in worth_killing(steps)[::2]:
        done("sched", "use", program("exits_by_itself"))
        done("sched", "use", simple)
        killed_before(number, "sched", "back")
        assert_true_status({"simple", "exits_by_itself", ""})


def test_stop_killed_at_each_step(simple: str) -> None:
    done("sched", "use", simple)
    steps = steps_of("sched", "stop")
    assert "detach_link" in steps
    for number in worth_killing(steps):
        done("sched", "use", simple)
        assert killed_before(number, "sched", "stop")
        assert_true_status({"simple", ""})
        done("sched", "stop")
        assert kernel.state() == "disabled"
