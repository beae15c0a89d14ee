"""What ``cgfair`` decides, in virtual time: the shares of groups, and who waits for how long."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from tests.unit.virtual_time import NATIVE, Machine, Task


@pytest.fixture(scope="module")
def cgfair(tmp_path_factory: pytest.TempPathFactory) -> Machine:
    program = tmp_path_factory.mktemp("native") / "cgfair"
    return Machine("cgfair", program, "-DHAS_TICK", "-include", str(NATIVE / "groups.h"))


def hogs(*numbers: int) -> list[str]:
    """So many hogs in group 1, 2 and so on."""
    return [f"hog:group={group}" for group, n in enumerate(numbers, 1) for _ in range(n)]


def group_shares(tasks: Sequence[Task], *numbers: int) -> list[float]:
    """Of the machine, for tasks that :func:`hogs` named."""
    total, at, found = sum(task.share for task in tasks), 0, list[float]()
    for n in numbers:
        found.append(sum(task.share for task in tasks[at : at + n]) / total)
        at += n
    return found


@pytest.mark.parametrize("cpus", [1, 2, 4, 8])
def test_groups_share_by_weight_however_many_hogs_they_have(cgfair: Machine, cpus: int) -> None:
    numbers = (2 * cpus, cpus + 1, cpus)
    groups = [f"group:id={n},weight={n}00" for n in (1, 2, 3)]
    tasks = cgfair.run(cpus, *groups, *hogs(*numbers))
    assert group_shares(tasks, *numbers) == pytest.approx([1 / 6, 2 / 6, 3 / 6], rel=0.03)


@pytest.mark.parametrize("cpus", [2, 4])
def test_weights_count_at_every_level(cgfair: Machine, cpus: int) -> None:
    groups = ["group:id=4", "group:id=1,parent=4", "group:id=2,parent=4,weight=300", "group:id=3"]
    numbers = (1, cpus + 1, cpus)
    tasks = cgfair.run(cpus, *groups, *hogs(*numbers))
    assert group_shares(tasks, *numbers) == pytest.approx([1 / 8, 3 / 8, 1 / 2], rel=0.03)


def test_what_a_group_cannot_use_goes_to_the_others_by_their_weight(cgfair: Machine) -> None:
    groups = ["group:id=1,weight=1000", "group:id=2,weight=100", "group:id=3,weight=200"]
    tasks = cgfair.run(4, *groups, *hogs(1, 4, 4))
    assert group_shares(tasks, 1, 4, 4) == pytest.approx([1 / 4, 1 / 4, 1 / 2], rel=0.05)


def test_a_task_is_due_more_than_half_of_a_cpu(cgfair: Machine) -> None:
    """It runs several times in a row, though others wait."""
    tasks = cgfair.run(1, "group:id=1,weight=900", "group:id=2", *hogs(1, 1))
    assert group_shares(tasks, 1, 1) == pytest.approx([0.9, 0.1], rel=0.05)


def test_the_lightest_of_all_waits_for_less_than_half_a_second(cgfair: Machine) -> None:
    groups = ["group:id=1,weight=1", "group:id=2,weight=10000"]
    light = ["hog:group=1", "hog:group=1,cpu=0,weight=1", "sleeper:group=1,period_us=10000"]
    tasks = cgfair.run(2, *groups, *light, *["hog:group=2"] * 16)
    assert max(task.waited_ms for task in tasks) < 500


def test_one_that_had_the_machine_for_itself_owes_nothing(cgfair: Machine) -> None:
    """A rare task beside it, which wakes twice in a second and then works for 50 ms."""
    tasks = cgfair.run(1, "hog", "sleeper:period_us=500000,burst_us=50000")
    assert tasks[0].waited_ms < 80
    assert tasks[0].share > 0.85
