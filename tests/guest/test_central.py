"""``central``: one CPU decides, and another does when that one is gone."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from tests.guest import kernel
from tests.guest.command import done, sched_status, scxhid, use
from tests.guest.conftest import Program
from tests.guest.processes import Child, hogs

CPUS = os.cpu_count() or 1

needs_kick = pytest.mark.skipif(not kernel.CAN_KICK, reason="this kernel lets nobody wake a CPU")
needs_two = pytest.mark.skipif(CPUS < 2, reason="there is nobody to decide for")


def decisions() -> list[int]:
    """How often each CPU has decided."""
    return done("sched", "stats", "--json").json["per_cpu"]["decisions"]


@needs_kick
@needs_two
def test_one_cpu_decides_for_all(program: Program) -> None:
    use(program("central"), "central_cpu=1")
    with hogs(per_cpu=3) as pids:
        time.sleep(0.5)
        before = [kernel.process_ns(pid) for pid in pids]
        time.sleep(3)
        used = [kernel.process_ns(pid) - then for pid, then in zip(pids, before, strict=True)]
        by_cpu = decisions()
    print(f"decisions: {by_cpu}; CPU time: {[round(ns / 1e9, 2) for ns in used]} s")
    assert by_cpu[1] > 100
    assert sum(by_cpu) == by_cpu[1]
    assert min(used) > 0.7 * max(used)


@needs_kick
@needs_two
def test_another_takes_over_while_the_central_cpu_is_offline(program: Program) -> None:
    use(program("central"), "central_cpu=1")
    online = Path("/sys/devices/system/cpu/cpu1/online")
    with hogs(per_cpu=2):
        time.sleep(0.3)
        online.write_text("0")
        try:
            before = decisions()
            time.sleep(1.5)
            after = decisions()
        finally:
            online.write_text("1")
        assert sum(after) - sum(before) > 20
        assert after[1] == before[1]
        time.sleep(0.5)
        last = decisions()
        assert last[1] > after[1], "back online, it decides again"
        assert done("sched", "stats", "--json").json["total"]["takeovers"] == 2
    assert kernel.ops() == "central"


@needs_kick
@needs_two
def test_a_cpu_that_was_offline_still_takes_the_scheduler_off(program: Program) -> None:
    """A kick from a CPU that is going offline would be the last one that it ever carries out.

    If it was, the machine is lost here: the kernel waits for it with the scheduler attached.
    """
    use(program("central"))
    online = Path("/sys/devices/system/cpu/cpu1/online")
    for _ in range(40):
        online.write_text("0")
        online.write_text("1")
    allowed = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {1})
        done("sched", "stop")
    finally:
        os.sched_setaffinity(0, allowed)
    assert kernel.state() == "disabled"


@needs_kick
@needs_two
def test_workers_help_themselves_while_the_central_cpu_does_not_answer(program: Program) -> None:
    """A real-time task holds it for a second."""
    use(program("central"), "central_cpu=1")

    def hold() -> None:
        os.sched_setaffinity(0, {1})
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(50))
        until = time.monotonic() + 1
        while time.monotonic() < until:
            pass

    with hogs(per_cpu=2):
        holder = Child(lambda _: hold())
        holder.result()
        helped = done("sched", "stats", "--json").json["total"]["helped_themselves"]
    print(f"helped themselves {helped} times in a second")
    assert helped > 5
    assert kernel.ops() == "central"


@needs_kick
def test_a_lone_task_is_left_alone(program: Program) -> None:
    """Nobody waits, so nobody is interrupted."""
    use(program("central"))
    with hogs(per_cpu=1):
        time.sleep(0.5)
        before = done("sched", "stats", "--json").json["total"]["preempted"]
        time.sleep(1)
        after = done("sched", "stats", "--json").json["total"]["preempted"]
    print(f"{after - before} slices ended in a second")
    assert after - before < 100


@pytest.mark.ejects
def test_it_is_used_or_refused_in_words_where_nobody_can_wake_a_cpu(program: Program) -> None:
    outcome = scxhid("sched", "use", program("central"), "--trial", "0")
    if kernel.CAN_KICK:
        assert outcome.status == 0
        assert sched_status()["ops"] == "central"
        return
    assert outcome.status != 0
    assert "scx_bpf_kick_cpu" in outcome.err
    assert not sched_status()["ops"]
