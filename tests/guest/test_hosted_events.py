"""CPUs that come and go, cgroups, suspend: what the kernel tells the host reaches the policy."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.guest import kernel
from tests.guest.command import done, sched_status, use
from tests.guest.conftest import Program
from tests.guest.groups import crowd
from tests.guest.running import assert_runs
from tests.guest.workers import busy, long_asleep, sleepy, working

_CPUS = Path("/sys/devices/system/cpu")
_POWER = Path("/sys/power")


@pytest.fixture
def events(program: Program) -> str:
    return program("hosted_events")


@pytest.fixture
def all_cpus_afterwards() -> Generator[list[Path]]:
    """The switches of all CPUs that can be taken off; they are on again at the end."""
    switches = sorted(_CPUS.glob("cpu[1-9]*/online"))
    if not switches:
        pytest.skip("the machine has one CPU, or none that can be taken off")
    yield switches
    for switch in switches:
        switch.write_text("1")


def stats() -> dict[str, int]:
    return done("sched", "stats", "--json").json["total"]


def test_every_callback_reaches_the_policy(events: str, all_cpus_afterwards: list[Path]) -> None:
    use(events)
    before = kernel.enable_seq()
    with working([busy, busy, sleepy]) as workers, crowd() as groups:
        first, second = groups.group("first", 100), groups.group("second", 100)
        pid = groups.start(first)
        second.take(pid)
        second.set_weight(300)
        for online in ("0", "1"):
            all_cpus_afterwards[0].write_text(online)
        workers.all_go_on(within_s=5)
    found = stats()
    # Tasks came to sched_ext before this policy was current, when the host was attached.
    unseen = {name for name, count in found.items() if not count} - {"disable"}
    assert not unseen, found
    assert kernel.enable_seq() == before


def test_a_cpu_that_goes_and_comes_back_while_schedulers_are_swapped(
    simple: str, events: str, all_cpus_afterwards: list[Path]
) -> None:
    use(events)
    use(simple)
    before = kernel.enable_seq()
    with flickering(all_cpus_afterwards), working([busy, busy, sleepy]) as workers:
        for _ in range(10):
            done("sched", "back")
        workers.all_go_on(within_s=10)
    assert kernel.enable_seq() == before
    assert sched_status()["last_exit"] is None


def test_a_swap_while_all_cpus_but_one_are_off(
    simple: str, events: str, all_cpus_afterwards: list[Path]
) -> None:
    use(simple)
    before = kernel.enable_seq()
    with working([busy, busy, sleepy, long_asleep]) as workers:
        for switch in all_cpus_afterwards:
            switch.write_text("0")
        use(events)
        workers.all_go_on(within_s=10)
        for switch in all_cpus_afterwards:
            switch.write_text("1")
        done("sched", "back")
        workers.all_go_on(within_s=10)
    assert_runs("simple", "hosted")
    assert kernel.enable_seq() == before


def test_suspend_and_resume(simple: str, events: str) -> None:
    if not (_POWER / "pm_test").exists() or "freeze" not in (_POWER / "state").read_text():
        pytest.skip("the kernel cannot rehearse a suspend (CONFIG_PM_DEBUG)")
    use(events)
    use(simple)
    before = kernel.enable_seq()
    (_POWER / "pm_test").write_text("freezer")  # freezes all tasks, thaws them 5 s later
    try:
        with working([busy, busy, sleepy]) as workers:
            (_POWER / "state").write_text("freeze")
            workers.all_go_on(within_s=10)
            done("sched", "back")
            workers.all_go_on(within_s=10)
    finally:
        (_POWER / "pm_test").write_text("none")
    assert_runs("hosted_events", "hosted")
    assert kernel.enable_seq() == before


@contextmanager
def flickering(switches: list[Path]) -> Generator[None]:
    """Takes CPUs off and on again, one after the other, in another process."""
    pid = os.fork()
    if pid == 0:
        while True:
            for switch in switches:
                switch.write_text("0")
                time.sleep(0.05)
                switch.write_text("1")
                time.sleep(0.05)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
