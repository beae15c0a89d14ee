"""What ``layers`` decides, in virtual time: shares, sets of CPUs, and how long anybody waits."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.unit.virtual_time import NATIVE, Machine, Task

#: Runs tasks (words as in machine.c) under layers (words as in layers.h) on so many CPUs.
Run = Callable[..., list[Task]]

LONGEST_WAIT_MS = 1_000


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Machine:
    program = tmp_path_factory.mktemp("machine") / "layers"
    return Machine("layers", program, "-DHAS_TICK", "-include", str(NATIVE / "layers.h"))


@pytest.fixture
def run(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> Run:
    def run_(layers: str, cpus: int, *tasks: str, seconds: float = 10) -> list[Task]:
        monkeypatch.setenv("LAYERS", layers)
        return machine.run(cpus, *tasks, seconds=seconds)

    return run_


def shares(tasks: list[Task], *sizes: int) -> list[float]:
    """What each group of tasks had, of all that they had together; groups by their sizes."""
    every = sum(task.share for task in tasks)
    at, found = 0, list[float]()
    for size in sizes:
        found.append(sum(task.share for task in tasks[at : at + size]) / every)
        at += size
    return found


@pytest.mark.parametrize("cpus", [1, 2, 4])
@pytest.mark.parametrize("weights", [(100, 100), (300, 100), (50, 200), (1000, 100)])
def test_weights_are_shares(run: Run, cpus: int, weights: tuple[int, int]) -> None:
    first, second = weights
    hogs = [f"hog:group={layer}" for layer in (1, 2) for _ in range(2 * cpus)]
    found = run(f"1:weight={first};2:weight={second}", cpus, *hogs)
    wanted = first / (first + second)
    assert shares(found, 2 * cpus, 2 * cpus)[0] == pytest.approx(wanted, rel=0.1)


@pytest.mark.parametrize("cpus", [1, 2])
def test_the_number_of_tasks_changes_no_share(run: Run, cpus: int) -> None:
    hogs = ["hog:group=1"] * cpus + ["hog:group=2"] * 6 * cpus
    found = run("1:weight=100;2:weight=100", cpus, *hogs)
    # Kept on each CPU by itself, so a layer with one task for each may get a little less.
    assert shares(found, cpus, 6 * cpus)[0] == pytest.approx(0.5, rel=0.15)


def test_a_latency_class_changes_no_share(run: Run) -> None:
    hogs = [f"hog:group={layer}" for layer in (1, 2) for _ in range(4)]
    found = run("1:weight=100,latency=1;2:weight=100,latency=2", 2, *hogs)
    assert shares(found, 4, 4)[0] == pytest.approx(0.5, rel=0.05)


def test_preempting_takes_no_more_than_the_share(run: Run) -> None:
    """Sleepers that would like the whole CPU, in a layer that may have a third of it."""
    sleepers = ["sleeper:group=1,period_us=1000,burst_us=3000"] * 4
    found = run("1:weight=50,latency=1,preempt=1;2:weight=100", 1, *sleepers, "hog:group=2")
    assert shares(found, 4, 1)[0] == pytest.approx(1 / 3, rel=0.15)


def test_weights_of_tasks_count_within_a_layer(run: Run) -> None:
    found = run("", 1, "hog:weight=300", "hog:weight=100")
    assert shares(found, 1, 1)[0] == pytest.approx(0.75, rel=0.1)


@pytest.mark.parametrize("cpus", [1, 2, 4])
@pytest.mark.parametrize("heavy", ["weight=10000,slice_us=20000,latency=1,preempt=1", "weight=100"])
def test_nobody_waits_for_a_second_under_8_hogs_a_cpu(run: Run, cpus: int, heavy: str) -> None:
    hogs = ["hog:group=1,weight=8870"] * 8 * cpus
    light = [
        "hog:group=2,weight=1",
        "hog:group=2,weight=1,cpu=0",
        "sleeper:group=2",
        "hog:weight=1",
    ]
    found = run(f"1:{heavy};2:weight=1,latency=2", cpus, *hogs, *light, *light)
    assert max(task.waited_ms for task in found) < LONGEST_WAIT_MS


def test_nobody_waits_for_a_second_among_many_layers(run: Run) -> None:
    layers = ";".join(f"{n}:weight={10 ** (n % 5)},slice_us=20000" for n in range(1, 32))
    found = run(layers, 2, *(f"hog:group={n % 32}" for n in range(64)))
    assert max(task.waited_ms for task in found) < 1.6 * LONGEST_WAIT_MS


def test_those_that_may_run_on_one_cpu_only_wait_no_longer(run: Run) -> None:
    hogs = ["hog:group=1"] * 32
    found = run("1:weight=10000;2:weight=1", 4, *hogs, *["hog:group=2,cpu=3"] * 8)
    assert max(task.waited_ms for task in found) < LONGEST_WAIT_MS


def test_a_set_of_cpus_is_kept(run: Run) -> None:
    """Four hogs on CPU 1 of two, two on any: those are crowded, these are not."""
    found = run("1:weight=1000,cpus=2", 2, *["hog:group=1"] * 4, *["hog"] * 2)
    assert sum(task.share for task in found[:4]) <= 1.01
    assert sum(task.share for task in found[4:]) >= 0.99


def test_a_task_that_may_run_on_none_of_its_layers_cpus_runs(run: Run) -> None:
    found = run("1:cpus=2", 2, "hog:group=1,cpu=0", "hog:group=1", "hog:cpu=0")
    assert found[0].share > 0.3
    assert max(task.waited_ms for task in found) < LONGEST_WAIT_MS


def test_one_that_may_preempt_waits_for_nobody(run: Run) -> None:
    hogs = ["hog:group=2"] * 4
    task = "sleeper:group=1,period_us=5000,burst_us=200"
    quick = run("1:latency=1,preempt=1;2:slice_us=20000", 2, task, *hogs)[0]
    slow = run("1:weight=100;2:slice_us=20000", 2, task, *hogs)[0]
    assert quick.waited_ms < 1
    assert slow.waited_ms > 4


#: A layer that comes before others, and one that everybody else is in.
FIRST = "1:weight=400,latency=1,preempt=1,slice_us=2000;2:slice_us=20000"


def test_one_that_an_input_event_wakes_goes_before_others_of_its_layer(run: Run) -> None:
    hogs = ["hog:group=2"] * 8
    reader = "sleeper:group=2,input=1,period_us=8000,burst_us=200"
    assert run(FIRST, 2, f"{reader},input_us=4000", *hogs)[0].waited_ms < 1
    assert run(FIRST, 2, reader, *hogs)[0].waited_ms > 4


def test_a_reader_that_goes_on_computing_is_an_ordinary_task_of_its_layer(run: Run) -> None:
    """It would like the CPU all the time: it gets its budget before others, and then waits."""
    reader = "sleeper:group=2,input=1,period_us=1000,burst_us=50000,input_us=4000"
    found = run(FIRST, 1, reader, *["hog:group=2"] * 3)
    assert found[0].share == pytest.approx(1 / 4, rel=0.25)
    assert max(task.waited_ms for task in found) < LONGEST_WAIT_MS


def test_a_budget_without_end_takes_no_more_than_the_share_of_the_layer_for_input(run: Run) -> None:
    spinning = "sleeper:group=2,input=1,period_us=100,burst_us=20000,input_us=1000000"
    found = run(FIRST, 1, *[spinning] * 4, *["hog:group=2"] * 4)
    assert 0.5 < shares(found, 4, 4)[0] < 0.85
    assert max(task.waited_ms for task in found) < LONGEST_WAIT_MS


def test_no_cpu_idles_while_somebody_waits(run: Run) -> None:
    found = run("1:cpus=3;2:cpus=12", 4, *["hog:group=1"] * 3, *["hog:group=2"] * 3)
    assert sum(task.share for task in found) == pytest.approx(4, abs=0.02)
