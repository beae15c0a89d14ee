"""``nest``: little work stays on few CPUs, much work gets them all."""

from __future__ import annotations

import ctypes
import os
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.guest import kernel
from tests.guest.command import done, use
from tests.guest.conftest import Program
from tests.guest.processes import Child, hogs

CPUS = os.cpu_count() or 1
LIGHT = max(1, CPUS // 2)

pytestmark = pytest.mark.skipif(CPUS < 2, reason="one CPU is always the whole nest")


def burn(milliseconds: float) -> int:
    """Use so much CPU time; the CPU at the end of it."""
    until = time.thread_time_ns() + int(milliseconds * 1e6)
    while time.thread_time_ns() < until:
        pass
    return ctypes.CDLL(None).sched_getcpu()


#: The tasks as a whole may move to other CPUs once in a while, when something else wants theirs.
WINDOW_S = 0.25


def where_a_light_task_runs(seconds: float) -> Counter[tuple[int, int]]:
    """It sleeps for 5 ms, works for 1 ms, and so on: how often in which window on which CPU."""
    seen: Counter[tuple[int, int]] = Counter()
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        time.sleep(0.005)  # shorter than cold_after_ms
        seen[int(time.monotonic() / WINDOW_S), burn(1)] += 1
    return seen


def where_light_tasks_run(number: int, seconds: float = 1.5) -> list[Counter[int]]:
    """For each window how often on which CPU."""
    children = [Child(lambda _: where_a_light_task_runs(seconds)) for _ in range(number)]
    windows: dict[int, Counter[int]] = {}
    for child in children:
        for (window, cpu), count in child.result().items():
            windows.setdefault(window, Counter())[cpu] += count
    return list(windows.values())


def where_new_tasks_run(number: int = 60) -> Counter[int]:
    """One after the other, each works for 2 ms and ends: how often on which CPU."""
    seen: Counter[int] = Counter()
    for _ in range(number):
        pid = os.fork()
        if pid == 0:
            os._exit(burn(2))
        seen[os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])] += 1
    return seen


def part_on(seen: Sequence[Counter[int]], number: int) -> float:
    """Which part of all that was seen is on the ``number`` CPUs where most of it is, each time."""
    most = sum(count for each in seen for _, count in each.most_common(number))
    return most / sum(each.total() for each in seen)


def test_light_tasks_stay_on_as_many_cpus_as_they_are(program: Program) -> None:
    use(program("nest"))
    time.sleep(0.5)  # what the change itself left to do, kernel threads do everywhere
    seen = where_light_tasks_run(LIGHT)
    print(f"{LIGHT} light tasks on {CPUS} CPUs: {[dict(each) for each in seen]}")
    assert part_on(seen, LIGHT) >= 0.8, seen
    stats = done("sched", "stats", "--json").json["total"]
    average = stats["primary_sum"] / stats["tidied"]
    print(f"average size of the primary nest: {average:.2f}")
    assert stats["placed_home"] + stats["placed_last"] > stats["placed_cold"]
    assert 0 < stats["primary_joined"] - stats["primary_left"] <= CPUS


@pytest.mark.slow
def test_new_tasks_go_where_it_is_warm(program: Program) -> None:
    use(program("simple"))
    spread = where_new_tasks_run()
    use(program("nest"))
    kept = where_new_tasks_run()
    print(f"new tasks under simple: {dict(spread)}, under nest: {dict(kept)}")
    assert part_on([kept], 2) >= 0.8, kept


def test_hogs_get_all_cpus(program: Program) -> None:
    use(program("nest"))
    with hogs(per_cpu=1) as pids:
        time.sleep(0.5)
        before = [kernel.process_ns(pid) for pid in pids]
        time.sleep(1.5)
        used = [kernel.process_ns(pid) - then for pid, then in zip(pids, before, strict=True)]
        stats = done("sched", "stats", "--json").json["total"]
    print(f"CPU time of {CPUS} hogs in 1.5 s: {[round(ns / 1e9, 2) for ns in used]} s")
    assert min(used) > 0.5 * max(used)
    assert stats["primary_joined"] - stats["primary_left"] == CPUS


def test_a_cpu_of_the_nest_may_go_offline(program: Program) -> None:
    use(program("nest"))
    online = Path(f"/sys/devices/system/cpu/cpu{CPUS - 1}/online")
    with hogs(per_cpu=1):
        time.sleep(0.5)
        online.write_text("0")
        try:
            seen = where_light_tasks_run(1, 0.5)
        finally:
            online.write_text("1")
        assert all(CPUS - 1 not in each for each in seen)
        assert kernel.state() == "enabled"
    assert where_light_tasks_run(LIGHT, 0.5)
