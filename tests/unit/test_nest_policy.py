"""What ``nest`` decides, in virtual time: where little work goes, and who waits for how long."""

from __future__ import annotations

import pytest

from tests.unit.virtual_time import Machine


@pytest.fixture(scope="module")
def nest(tmp_path_factory: pytest.TempPathFactory) -> Machine:
    return Machine("nest", tmp_path_factory.mktemp("native") / "nest", "-DHAS_TICK")


def test_light_tasks_do_not_wait_for_each_other(nest: Machine) -> None:
    """They stay on few CPUs, but not on one that is busy."""
    tasks = nest.run(4, *["sleeper:period_us=9000,burst_us=1000"] * 3)
    assert max(task.waited_ms for task in tasks) == 0
    assert [task.share for task in tasks] == pytest.approx([0.1] * 3, rel=0.05)


def test_hogs_get_a_cpu_each(nest: Machine) -> None:
    assert [task.share for task in nest.run(4, *["hog"] * 4)] == pytest.approx([1.0] * 4)


def test_weights_count_where_hogs_are_more_than_cpus(nest: Machine) -> None:
    *light, heavy = nest.run(2, *["hog"] * 4, "hog:weight=200")
    assert [task.share for task in light] == pytest.approx([1 / 3] * 4, rel=0.05)
    assert heavy.share == pytest.approx(2 / 3, rel=0.05)


def test_the_lightest_of_all_waits_for_less_than_half_a_second(nest: Machine) -> None:
    light = ["hog:weight=1", "hog:weight=1,cpu=0", "sleeper:weight=1,period_us=10000"]
    tasks = nest.run(2, *light, *["hog"] * 16)
    assert max(task.waited_ms for task in tasks) < 500
