"""Two commands at once: one waits, says for whom, and gives up in the end."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from typing import Any

import pytest

from pyloader import lock
from tests.guest import kernel
from tests.guest.command import sched_status, scxhid, use
from tests.guest.conftest import Program
from tests.guest.processes import Child
from tests.guest.running import assert_runs, policy


def holder(seconds: float) -> Child:
    """Another process that has the writers' lock for a while."""

    def hold(tell: Callable[[Any], None]) -> None:
        with lock.writer():
            tell("held")
            time.sleep(seconds)

    child = Child(hold)
    assert child.hear() == "held"
    return child


def test_a_second_command_waits_for_the_first(simple: str) -> None:
    first = holder(1.5)
    outcome = use(simple)
    assert f"waiting for another scxhid command (process {first.pid})" in outcome.err
    assert policy() == "simple"
    first.wait()


@pytest.mark.slow
def test_a_second_command_gives_up_after_ten_seconds(simple: str) -> None:
    first = holder(60)
    outcome = scxhid("sched", "use", simple)
    assert outcome.status == 1
    assert f"(process {first.pid}) has been changing what runs for over 10 s" in outcome.err
    assert kernel.state() == "disabled"
    assert sched_status()["mode"] == "none"  # who only looks does not wait
    first.kill()
    use(simple)  # a killed process leaves no lock behind


@pytest.mark.slow
def test_two_swaps_at_once_happen_one_after_the_other(simple: str, program: Program) -> None:
    other = program("exits_by_itself")
    use(simple)
    before = kernel.enable_seq()
    first = Child(lambda _: scxhid("sched", "use", other).status)
    second = Child(lambda _: scxhid("sched", "use", simple).status)
    assert (first.result(), second.result()) == (0, 0)
    # The one that is not hosted is attached; so is the host again, if it comes after that one.
    assert kernel.enable_seq() - before in (1, 2)
    last = policy()
    assert last in ("simple", "exits_by_itself")
    assert_runs(last, "hosted" if last == "simple" else "direct")


def test_no_pin_runs_until_ctrl_c_and_then_the_old_one_is_back(
    simple: str, program: Program
) -> None:
    use(simple, "slice_us=3000")
    other = program("exits_by_itself")
    child = Child(lambda _: scxhid("sched", "use", other, "--no-pin"))
    kernel.wait_for("the one that is not pinned", lambda: kernel.ops() == "exits_by_itself")
    time.sleep(1)
    child.signal(signal.SIGINT)
    outcome = child.result()
    assert outcome.status == 0
    assert "exits_by_itself runs; Ctrl-C takes it off" in outcome.err
    assert outcome.err.endswith("simple was put back and runs\n")
    assert policy() == "simple"
    assert sched_status()["knobs_changed"] == {"slice_us": 3000}


@pytest.mark.ejects
def test_no_pin_ends_with_the_scheduler(program: Program) -> None:
    other = program("exits_by_itself")
    outcome = scxhid("sched", "use", other, "leave=on", "code=5", "--no-pin")
    assert outcome.status == 1
    assert "leaving as asked, with code 5" in outcome.err
    kernel.wait_disabled()


def test_a_killed_no_pin_leaves_the_kernels_own(program: Program) -> None:
    other = program("exits_by_itself")
    child = Child(lambda _: scxhid("sched", "use", other, "--no-pin"))
    kernel.wait_for("the one that is not pinned", lambda: kernel.ops() == "exits_by_itself")
    child.kill()
    kernel.wait_disabled()
    assert not kernel.pins()
    assert sched_status()["mode"] == "none"


def test_ctrl_c_in_a_trial_puts_the_old_one_back(simple: str, program: Program) -> None:
    use(simple)
    other = program("exits_by_itself")
    child = Child(lambda _: scxhid("sched", "use", other, "--trial", "60"))
    kernel.wait_for("the one on trial", lambda: kernel.ops() == "exits_by_itself")
    time.sleep(1)
    child.signal(signal.SIGINT)
    outcome = child.result()
    assert outcome.status == 130
    assert outcome.err.endswith(
        "interrupted, so exits_by_itself was taken off; simple runs again\n"
    )
    assert policy() == "simple"
    assert sched_status()["policy"] == "simple"
