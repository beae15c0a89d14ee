"""What ``interactive`` decides, in virtual time: its source in an ordinary program, machine.c."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
NATIVE = ROOT / "tests" / "native"
SOURCE = ROOT / "schedulers" / "interactive.bpf.c"

#: The weights of nice -20, 5 and 19 as sched_ext has them (nice 0 is 100).
HEAVIEST, LIGHTER, LIGHTEST = 8867, 33, 1


@dataclass(frozen=True)
class Task:
    """What became of one task: ``share`` of a CPU, and times in µs."""

    kind: str
    share: float
    wakes: int
    p50_us: int
    p99_us: int
    late_us: int
    waited_us: int


#: Runs tasks (words as in machine.c) on so many CPUs for 8 s, and tells what became of them.
Machine = Callable[..., list[Task]]


@pytest.fixture(scope="session")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Machine:
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if not compiler:
        pytest.skip("no C compiler")
    program = tmp_path_factory.mktemp("native") / "machine"
    command = [compiler, "-O1", "-w", "-o", str(program), f'-DSOURCE="{SOURCE}"']
    command += ["-DPOLICY=interactive", "-include", str(NATIVE / "standin.h")]
    command += ["-I", str(SOURCE.parent / "include"), str(NATIVE / "machine.c")]
    subprocess.run(command, check=True)

    def run(cpus: int, *tasks: str, knobs: str = "-") -> list[Task]:
        words = [str(program), str(cpus), "2000", "8000", knobs, *tasks]
        lines = subprocess.run(words, check=True, capture_output=True, text=True).stdout
        found: list[Task] = []
        for line in lines.splitlines():
            kind, share, *numbers = line.split()
            found.append(Task(kind, float(share), *map(int, numbers)))
        return found

    return run


def shares(tasks: list[Task]) -> list[float]:
    return [task.share for task in tasks]


def pinned_hogs(cpus: int, each: int) -> list[str]:
    return [f"hog:cpu={cpu}" for cpu in range(cpus) for _ in range(each)]


@pytest.mark.parametrize("each", [2, 8])
@pytest.mark.parametrize("sleeper", ["sleeper:cpu=0", "sleeper:burst_us=200"])
def test_a_sleeper_runs_at_once(machine: Machine, each: int, sleeper: str) -> None:
    *hogs, found = machine(4, *pinned_hogs(4, each), sleeper)
    assert found.wakes > 3000
    assert found.late_us == 0
    due = (4 - found.share) / (4 * each)
    assert shares(hogs) == pytest.approx([due] * len(hogs), rel=0.1)


def test_frames_are_on_time_beside_hogs(machine: Machine) -> None:
    frames = machine(4, "sleeper:period_us=16000,burst_us=6000", *["hog"] * 8)[0]
    assert frames.p99_us == 0


def test_a_sleeper_that_computes_gets_its_share_and_no_more(machine: Machine) -> None:
    greedy, *hogs = machine(1, "sleeper:period_us=100,burst_us=9000", *["hog"] * 3)
    assert greedy.share == pytest.approx(0.25, rel=0.1)
    assert shares(hogs) == pytest.approx([0.25] * 3, rel=0.1)


def test_a_storm_of_sleepers_leaves_the_hogs_a_share(machine: Machine) -> None:
    *_, hog = machine(1, *["sleeper:period_us=3000,burst_us=300"] * 30, "hog:cpu=0")
    assert hog.share > 0.5 / 31
    assert hog.waited_us < 1_000_000


@pytest.mark.parametrize("cpus", [1, 4])
def test_weights_are_exact(machine: Machine, cpus: int) -> None:
    tasks = [f"hog:weight={weight}" for weight in (100, 300, 1000)] * cpus
    due = [weight / 1400 for weight in (100, 300, 1000)] * cpus
    assert shares(machine(cpus, *tasks)) == pytest.approx(due, rel=0.02)


def test_nice_5_gets_a_third(machine: Machine) -> None:
    found = shares(machine(1, "hog:cpu=0", f"hog:cpu=0,weight={LIGHTER}"))
    assert found[1] / found[0] == pytest.approx(LIGHTER / 100, rel=0.02)


def test_a_pinned_hog_gets_as_much_as_free_ones(machine: Machine) -> None:
    assert shares(machine(4, "hog:cpu=0", *["hog"] * 4)) == pytest.approx([0.8] * 5, rel=0.05)


@pytest.mark.parametrize(
    ("cpus", "tasks"),
    [
        (1, ["hog:weight=1", *[f"hog:weight={HEAVIEST}"] * 8]),
        (1, ["hog:cpu=0,weight=1", *["hog"] * 8]),
        (1, ["hog:weight=1", *["hog:cpu=0"] * 8]),
        (4, [*["hog:weight=1"] * 4, *["hog"] * 28]),
        (4, [*["hog:weight=1", "hog"], *pinned_hogs(4, 7)]),
        (4, ["hog:cpu=0,weight=1", "hog:cpu=0", *["hog"] * 30]),
    ],
)
def test_everybody_runs_within_a_second(machine: Machine, cpus: int, tasks: list[str]) -> None:
    assert max(task.waited_us for task in machine(cpus, *tasks)) < 1_000_000


def test_two_that_pass_a_token_need_not_wait_for_hogs(machine: Machine) -> None:
    one, two, *hogs = machine(4, "pair:burst_us=30", *["hog"] * 8)
    assert (one.p50_us, two.p50_us) == (0, 0)
    assert max(one.p99_us, two.p99_us) < 4000  # one tick
    assert shares(hogs) == pytest.approx([0.4] * 8, rel=0.1)


def test_queues_of_two_caches_stay_even(machine: Machine) -> None:
    found = shares(machine(4, *["hog"] * 10, knobs="queue_cpus=2"))
    assert found == pytest.approx([0.4] * 10, rel=0.25)
    assert sum(found) == pytest.approx(4, rel=0.001)


def test_a_sleeper_may_save_up_for_a_burst(machine: Machine) -> None:
    saver, *_ = machine(1, "sleeper:period_us=40000,burst_us=12000", "hog", "hog")
    assert (saver.late_us, saver.waited_us) == (0, 0)


def test_two_that_pass_a_token_are_known_among_very_many_hogs(machine: Machine) -> None:
    one, *_ = machine(1, "pair:burst_us=30", *["hog"] * 60)
    assert one.wakes > 5000


def test_a_cpu_without_work_takes_it_from_another_cache(machine: Machine) -> None:
    sleepers = ["sleeper:period_us=4000,burst_us=4000"] * 3
    found = machine(2, *sleepers, knobs="queue_cpus=1")
    assert max(task.p99_us for task in found) < 3300


def test_crowded_queues_spill_into_short_ones(machine: Machine) -> None:
    # Each starts on the CPU after the one before: all hogs near CPUs 0 and 1.
    tasks = ["hog", "hog", "sleeper:cpu=2", "sleeper:cpu=3"] * 6
    found = [task.share for task in machine(4, *tasks, knobs="queue_cpus=2") if task.kind == "hog"]
    assert min(found) > 0.25


@pytest.mark.parametrize("sleeper", ["sleeper:cpu=0", "sleeper:burst_us=200"])
def test_a_sleeper_keeps_its_place_across_gapless_changes(machine: Machine, sleeper: str) -> None:
    *hogs, found = machine(4, *pinned_hogs(4, 2), sleeper, knobs="swap_ms=25")
    assert found.late_us == 0
    due = (4 - found.share) / 8
    assert shares(hogs) == pytest.approx([due] * 8, rel=0.1)


def test_gapless_changes_are_no_gift(machine: Machine) -> None:
    greedy = "sleeper:period_us=100,burst_us=9000"
    found = machine(1, greedy, *["hog"] * 3, knobs="swap_ms=1000")
    assert shares(found) == pytest.approx([0.25] * 4, rel=0.1)


def test_a_reader_does_not_interrupt_its_writer_at_each_message(machine: Machine) -> None:
    _, reader = machine(1, "stream:period_us=10,burst_us=2")
    assert 1000 < reader.wakes < 35_000  # of 800,000 messages in 8 s
    assert reader.late_us <= 4000  # one tick


def test_a_pinned_task_that_waits_for_a_fast_device_runs_at_once(machine: Machine) -> None:
    _, waiting = machine(1, "hog:cpu=0", "sleeper:cpu=0,period_us=100,burst_us=5")
    assert waiting.late_us == 0


# ---- tasks that input woke ----

COMPOSITOR = "period_us=16000,burst_us=12000"


@pytest.mark.parametrize("pinned", ["", ",cpu=1"])
def test_who_computes_much_runs_at_once_all_the_same_when_input_woke_it(
    machine: Machine, pinned: str
) -> None:
    hogs = pinned_hogs(2, 4)
    *_, by_itself = machine(2, *hogs, f"sleeper:{COMPOSITOR}{pinned}")
    assert by_itself.p99_us > 3000
    *_, by_input = machine(2, *hogs, f"sleeper:{COMPOSITOR},input_us=4000{pinned}")
    assert by_input.late_us == 0


def test_what_input_woke_is_like_any_other_once_its_mark_is_used_up(machine: Machine) -> None:
    *hogs, greedy = machine(1, *["hog"] * 3, "sleeper:period_us=100,burst_us=40000,input_us=4000")
    assert greedy.p50_us == 0
    assert shares([*hogs, greedy]) == pytest.approx([0.25] * 4, rel=0.15)


def test_two_that_input_woke_do_not_interrupt_each_other(machine: Machine) -> None:
    two = ["sleeper:cpu=0,period_us=7000,burst_us=3000,input_us=4000"] * 2
    found = machine(1, *two, "hog")
    assert max(task.late_us for task in found) <= 3000 + 4000  # the other's burst, and one tick
    assert min(task.share for task in found[:2]) > 0.25


@pytest.mark.parametrize("cpus", [1, 4])
def test_nobody_starves_beside_many_that_input_wakes(machine: Machine, cpus: int) -> None:
    # Of all CPU time at most half, which is what the marks are limited to (mark.bpf.c).
    woken = ["sleeper:period_us=8000,burst_us=1000,input_us=4000"] * (4 * cpus)
    found = machine(cpus, *woken, *["hog"] * (8 * cpus))
    assert max(task.waited_us for task in found) < 1_000_000
