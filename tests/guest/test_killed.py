"""A command killed at any step: something known runs, ``status`` says what, the next command works.

Here at the steps that decide; with ``-m slow`` at every step of every change.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from tests.guest import kernel
from tests.guest.command import done, sched_status, use
from tests.guest.conftest import Program
from tests.guest.running import HOST, HOST_OPS, NO_SLOT, host_variable, policy, slots
from tests.guest.steps import deciding, killed_before, steps_of, worth_killing
from tests.guest.workers import busy, sleepy, working

Words = tuple[str, ...]


@dataclass(frozen=True)
class Change:
    """A command that is killed: ``before`` are the commands that lead to where it begins."""

    name: str
    before: tuple[Words, ...]
    command: Words
    allowed: frozenset[tuple[str, str]]
    """(policy, mode) that may run after the kill, one of them only if it was not killed."""
    after: tuple[str, str]
    must_have: frozenset[str]


SIMPLE = ("simple", "hosted")
ERROR = ("hosted_error", "hosted")
PLAIN = ("exits_by_itself", "direct")
NONE = ("", "none")

_USE = ("sched", "use")
_QUICK = ("--trial", "0")

#: The two that the rest are variations of; all of them: -m slow.
TOLD_BY = ("hosted to hosted", "hosted to plain")

CHANGES = [
    Change(
        "hosted to hosted",
        ((*_USE, "simple", *_QUICK),),
        (*_USE, "hosted_error", *_QUICK),
        frozenset({SIMPLE, ERROR}),
        ERROR,
        frozenset({"load", "pin", "update", "run", "switch", "drain", "rename"}),
    ),
    Change(
        "none to hosted",
        (("sched", "stop"),),
        (*_USE, "simple", *_QUICK),
        frozenset({NONE, SIMPLE}),
        SIMPLE,
        frozenset({"load", "pin", "attach_struct_ops", "pin_link", "rename"}),
    ),
    Change(
        "plain to hosted",
        ((*_USE, "exits_by_itself", *_QUICK),),
        (*_USE, "simple", *_QUICK),
        frozenset({PLAIN, NONE, SIMPLE}),
        SIMPLE,
        frozenset({"detach_link", "attach_struct_ops", "pin_link", "rename"}),
    ),
    Change(
        "hosted to plain",
        ((*_USE, "simple", *_QUICK),),
        (*_USE, "exits_by_itself", *_QUICK),
        frozenset({SIMPLE, NONE, PLAIN}),
        PLAIN,
        frozenset({"detach_link", "attach_struct_ops", "pin_link", "rename"}),
    ),
    Change(
        "plain to plain",
        ((*_USE, "simple", "--direct", *_QUICK),),
        (*_USE, "exits_by_itself", *_QUICK),
        frozenset({("simple", "direct"), NONE, PLAIN}),
        PLAIN,
        frozenset({"detach_link", "attach_struct_ops", "pin_link", "rename"}),
    ),
    Change(
        "back, hosted to hosted",
        ((*_USE, "hosted_error", *_QUICK), (*_USE, "simple", *_QUICK)),
        ("sched", "back"),
        frozenset({SIMPLE, ERROR}),
        ERROR,
        frozenset({"switch", "drain", "rename"}),
    ),
    Change(
        "back, hosted to plain",
        ((*_USE, "exits_by_itself", *_QUICK), (*_USE, "simple", *_QUICK)),
        ("sched", "back"),
        frozenset({SIMPLE, NONE, PLAIN}),
        PLAIN,
        frozenset({"detach_link", "link_struct_ops", "rename"}),
    ),
    Change(
        "stop",
        ((*_USE, "simple", *_QUICK),),
        ("sched", "stop"),
        frozenset({SIMPLE, NONE}),
        NONE,
        frozenset({"detach_link", "rename"}),
    ),
    Change(
        "set a load-time knob",
        ((*_USE, "simple", *_QUICK),),
        ("sched", "set", "fifo=on"),
        frozenset({SIMPLE}),
        SIMPLE,
        frozenset({"load", "pin", "switch", "drain", "rename"}),
    ),
]


def runs_now() -> tuple[str, str]:
    """What runs, if ``status`` tells the same as the kernel."""
    kernel.wait_for("the kernel to settle", lambda: kernel.state() in ("enabled", "disabled"))
    name, found = policy(), sched_status()
    mode = "none" if not name else "hosted" if kernel.ops() == HOST_OPS else "direct"
    ops = kernel.ops() or None
    assert (found["policy"] or "", found["ops"], found["mode"]) == (name, ops, mode)
    return name, mode


def assert_tidy() -> None:
    """No pin and no slot is left of what neither runs nor is the previous one."""
    places = {pin.relative_to(kernel.PINS / "sched").parts[0] for pin in kernel.pins()}
    assert places <= {"current", "previous", "host"}, places
    if not HOST.exists():
        return
    assert host_variable("draining_slot") == NO_SLOT
    in_use = [slot for slot in slots() if slot[3]]
    assert len(in_use) <= 2, in_use


def kill_at(change: Change, program: Program, which: Callable[[list[str]], list[int]]) -> None:
    """Kill the command at the steps that ``which`` chooses, and look each time."""

    def named(words: Words) -> Words:
        paths = {"simple", "hosted_error", "exits_by_itself"}
        return tuple(program(word) if word in paths else word for word in words)

    def begin() -> None:
        for words in change.before:
            done(*named(words))

    use(program("simple"))
    command = named(change.command)
    begin()
    steps = steps_of(*command)
    assert change.must_have <= set(steps), steps
    assert runs_now() == change.after
    outcomes: dict[str, tuple[str, str]] = {}
    with working([busy, sleepy]) as workers:
        for number in which(steps):
            begin()
            killed = killed_before(number, *command)
            at = f"{number} {steps[number] if killed else 'to the end'}"
            outcomes[at] = runs_now()
            assert outcomes[at] in (change.allowed if killed else {change.after}), outcomes
            workers.all_go_on(within_s=5)
            done("sched", "stop" if number % 2 else "log")
            runs_now()
        begin()
        assert_tidy()
    assert len(set(outcomes.values())) >= min(2, len(change.allowed)), outcomes


@pytest.mark.parametrize(
    "change",
    [change for change in CHANGES if change.name in TOLD_BY],
    ids=lambda change: change.name,
)
def test_killed_at_a_step_that_decides(change: Change, program: Program) -> None:
    kill_at(change, program, deciding)


@pytest.mark.slow
@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.name)
def test_killed_at_every_step(change: Change, program: Program) -> None:
    kill_at(change, program, worth_killing)
