"""``interactive``: who sleeps comes first, who computes shares by weight, nobody is left behind."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median

import pytest

from tests.guest import kernel
from tests.guest.command import done, use
from tests.guest.conftest import Program
from tests.guest.processes import forked
from tests.guest.running import policy

CPU1 = Path("/sys/devices/system/cpu/cpu1/online")
PERIOD_S = 0.002

WHERE = [
    pytest.param({0}, id="pinned"),
    pytest.param({0, 1}, id="free", marks=pytest.mark.slow),
]


@pytest.fixture
def interactive(program: Program) -> str:
    return program("interactive")


@contextmanager
def busy(cpus: Sequence[set[int]], nice: Sequence[int] = ()) -> Generator[list[int]]:
    """One busy loop for each set of CPUs, with that nice value; yields their pids."""
    pids: list[int] = []
    try:
        for index, allowed in enumerate(cpus):
            pid = os.fork()
            if pid == 0:
                os.sched_setaffinity(0, allowed)
                os.nice(nice[index] if nice else 0)
                while True:
                    pass
            pids.append(pid)
        yield pids
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
        for pid in pids:
            os.waitpid(pid, 0)


def cpu_time_s(pid: int) -> float:
    """CPU time of a process so far (the first field of /proc/PID/schedstat, ns)."""
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e9


def shares(pids: Sequence[int], seconds: float) -> list[float]:
    """Which part of what they had together each of them had, over that time."""
    before = [cpu_time_s(pid) for pid in pids]
    time.sleep(seconds)
    used = [cpu_time_s(pid) - start for pid, start in zip(pids, before, strict=True)]
    return [part / sum(used) for part in used]


def lateness_s(wakes: int = 300) -> list[float]:
    """How late this process is each time that it wakes from a sleep of PERIOD_S."""
    late: list[float] = []
    for _ in range(wakes):
        due = time.monotonic() + PERIOD_S
        time.sleep(PERIOD_S)
        late.append(time.monotonic() - due)
    return late


def stat(name: str) -> int:
    return done("sched", "stats", "--json").json["total"][name]


@contextmanager
def allowed(cpus: set[int]) -> Generator[None]:
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cpus)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


@pytest.mark.parametrize("where", WHERE)
def test_a_sleeper_interrupts_the_hogs(interactive: str, simple: str, where: set[int]) -> None:
    late: list[float] = []
    for scheduler in (simple, interactive):
        use(scheduler)  # before there are hogs, under which it would take minutes
        with allowed(where), busy([{0}, {0}, {1}, {1}]):
            late.append(median(lateness_s(200)))
    assert stat("preempted") > 100
    assert late[1] < late[0] / 2, late


def test_a_sleeper_that_computes_is_a_hog(interactive: str) -> None:
    use(interactive)
    with busy([{0}, {0}]) as pids:
        pid = os.fork()
        if pid == 0:
            os.sched_setaffinity(0, {0})
            while True:  # it would take nine tenths of the CPU if it were let
                end = time.monotonic() + 9 * PERIOD_S
                while time.monotonic() < end:
                    pass
                time.sleep(PERIOD_S)
        pids.append(pid)
        time.sleep(0.3)
        assert shares(pids, 2)[2] < 0.4


def test_hogs_share_fairly_beside_a_sleeper(interactive: str) -> None:
    use(interactive)
    with allowed({0}), busy([{0}, {0}, {1}, {1}]) as pids:
        lateness_s(50)
        begin = [cpu_time_s(pid) for pid in pids]
        lateness_s(300)
        used = [cpu_time_s(pid) - start for pid, start in zip(pids, begin, strict=True)]
    for first, second in (used[:2], used[2:]):
        assert 0.9 < first / second < 1.1, used


@pytest.mark.parametrize("where", WHERE)
def test_weights_are_what_nice_says(interactive: str, where: set[int]) -> None:
    use(interactive)
    number = len(where)
    with busy([where] * (2 * number), [0] * number + [5] * number) as pids:
        time.sleep(0.3)
        got = shares(pids, 3)
    # The kernel's weights of nice 0 and 5 (sched_prio_to_weight). A CPU of the guest that the host
    # takes away for 10 ms charges them to a task; of a light one MAX_AHEAD_NS forgives a part.
    due = 335 / (1024 + 335)
    assert sum(got[number:]) == pytest.approx(due, rel=0.35), got


@pytest.mark.slow
def test_pinned_and_free_hogs_share_a_cpu(interactive: str) -> None:
    use(interactive)
    with busy([{0}, {0, 1}, {0, 1}]) as pids:
        time.sleep(0.5)
        got = shares(pids, 3)
    assert all(part == pytest.approx(1 / 3, rel=0.25) for part in got), got


def longest_wait_s(seconds: float) -> float:
    """Longest time between two glances at the clock of a process that never sleeps."""
    end = (last := time.monotonic()) + seconds
    longest = 0.0
    while last < end:
        now = time.monotonic()
        longest, last = max(longest, now - last), now
    return longest


@pytest.mark.parametrize("nice", [pytest.param(-20, marks=pytest.mark.slow), 0])
def test_the_lightest_runs_within_a_second(interactive: str, nice: int) -> None:
    use(interactive)

    def light() -> float:
        os.sched_setaffinity(0, {1})
        os.nice(19)
        return longest_wait_s(3)

    with busy([{1}] * 8, [nice] * 8):
        assert forked(light) < 1


def test_queues_of_two_caches_take_from_each_other(interactive: str) -> None:
    use(interactive, "queue_cpus=1")
    with busy([{0, 1}] * 3) as pids:
        time.sleep(0.3)
        with busy([{0}]) as pinned:
            time.sleep(1)
            assert cpu_time_s(pinned[0]) > 0.1
        got = shares(pids, 2)
    assert min(got) > 0.15, got
    assert stat("stolen") > 0


def test_fast_cores_are_taken_first(interactive: str) -> None:
    use(interactive, "fast_cpus=1")
    lateness_s(100)
    assert stat("woken_fast") > 50
    done("sched", "set", "fast_first=off")
    after = stat("woken_fast")
    lateness_s(100)
    assert stat("woken_fast") == after


@pytest.mark.slow
def test_who_waits_for_a_cpu_survives_its_going(interactive: str) -> None:
    use(interactive)
    before = kernel.enable_seq()
    with busy([{1}, {1}, {1}, {0, 1}, {0, 1}]) as pids:
        time.sleep(0.2)
        for _ in range(5):
            CPU1.write_text("0")
            gone = shares(pids, 0.5)
            CPU1.write_text("1")
            assert min(gone) > 0.05, gone
        time.sleep(0.2)
        assert min(shares(pids, 1)) > 0.05
    assert (policy(), kernel.enable_seq()) == ("interactive", before)
