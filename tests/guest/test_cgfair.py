"""``cgfair``: groups get what their weights say, at every level, and nothing on credit."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Generator, Sequence

import pytest

from tests.guest.command import done, use
from tests.guest.conftest import Program
from tests.guest.groups import Crowd, crowd, jain, process_shares, shares

SETTLE_S = 0.5
CPUS = os.cpu_count() or 1


@pytest.fixture
def here(program: Program) -> Generator[Crowd]:
    """Under ``cgfair``: a place for groups."""
    use(program("cgfair"), "--trial", "0")
    with crowd() as place:
        yield place


def totals() -> dict[str, int]:
    return done("sched", "stats", "--json").json["total"]


def assert_shares(
    measure: Callable[[], Sequence[float]], ideal: Sequence[float], within: float = 0.1
) -> None:
    """Each within a tenth of the ideal; prints Jain's index of what each got of its due.

    Measured up to three times: an emulated machine whose host is busy has ticks that come late,
    and turns so long that a few seconds hold only some of them.
    """
    for _ in range(3):
        measured = measure()
        of_due = [got / due for got, due in zip(measured, ideal, strict=True)]
        words = ", ".join(f"{got:.3f}/{due:.3f}" for got, due in zip(measured, ideal, strict=True))
        print(f"share/ideal {words}; Jain's index {jain(of_due):.4f}")
        if all(abs(part - 1) <= within for part in of_due):
            return
    raise AssertionError(words)


@pytest.mark.slow
def test_groups_share_by_weight_however_many_hogs_they_have(here: Crowd) -> None:
    groups = [here.group(f"w{weight}", weight) for weight in (100, 200, 300)]
    for group, number in zip(groups, (2 * CPUS, CPUS + 1, CPUS), strict=True):
        here.hogs(group, number)
    time.sleep(SETTLE_S)
    assert_shares(lambda: shares(groups, 3), [1 / 6, 2 / 6, 3 / 6])


def test_weights_count_at_every_level_and_when_they_change(here: Crowd) -> None:
    a, d = here.group("a", 100), here.group("d", 100)
    b, c = here.group("b", 100, a), here.group("c", 300, a)
    for group, number in ((b, 1), (c, CPUS + 1), (d, CPUS)):
        here.hogs(group, number)
    time.sleep(SETTLE_S)
    assert_shares(lambda: shares([b, c, d], 3), [1 / 8, 3 / 8, 1 / 2])
    changes = totals()["weights_changed"]
    c.set_weight(100)
    d.set_weight(200)
    time.sleep(SETTLE_S)
    assert_shares(lambda: shares([b, c, d], 3), [1 / 6, 1 / 6, 2 / 3])
    stats = totals()
    assert stats["weights_changed"] - changes == 2
    assert stats["shares_known"] > stats["shares_computed"]


@pytest.mark.slow
def test_a_hog_that_moves_gets_its_part_of_the_new_group(here: Crowd) -> None:
    light, heavy = here.group("light", 100), here.group("heavy", 400)
    there, here_too = here.hogs(light, CPUS), here.hogs(heavy, CPUS)
    mover, *others = [*there, *here_too]
    time.sleep(SETTLE_S)
    due = [0.2 / CPUS] * CPUS + [0.8 / CPUS] * CPUS
    assert_shares(lambda: process_shares([mover, *others]), due, within=0.2)
    heavy.take(mover)
    time.sleep(SETTLE_S)
    part = 0.8 / (CPUS + 1)
    due = [part] + [0.2 / (CPUS - 1)] * (CPUS - 1) + [part] * CPUS
    assert_shares(lambda: process_shares([mover, *others]), due, within=0.2)
    assert totals()["moves"] >= 1


def test_nice_counts_inside_a_group(here: Crowd) -> None:
    group, other = here.group("nice", 100), here.group("other", 100)
    here.hogs(other, CPUS)
    plain = here.hogs(group, CPUS)
    nice = [here.start(group, nice=5) for _ in range(CPUS)]
    time.sleep(SETTLE_S)
    due = 335 / (1024 + 335)  # the kernel's weights of nice 5 and 0 (sched_prio_to_weight)

    def measure() -> list[float]:
        got = sum(process_shares([*plain, *nice], 3)[CPUS:])
        return [1 - got, got]

    assert_shares(measure, [1 - due, due], within=0.15)


def test_a_group_that_slept_is_owed_nothing(here: Crowd) -> None:
    slept, awake = here.group("slept", 100), here.group("awake", 100)
    sleepers = here.hogs(slept, CPUS)
    here.hogs(awake, CPUS)
    for pid in sleepers:
        os.kill(pid, signal.SIGSTOP)
    time.sleep(2)
    for pid in sleepers:
        os.kill(pid, signal.SIGCONT)
    got = shares([slept, awake], 1)[0]
    print(f"after its sleep: {got:.3f} of the machine, 0.500 is its due")
    assert got < 0.6


def test_tasks_that_take_turns_get_no_more_than_one_that_does_not(here: Crowd) -> None:
    """Each of them comes back from a sleep, and one of them could run at any time."""
    due = 0.5 / CPUS
    turns, hogs = here.group("turns", 100), here.group("hogs", 100 * (2 * CPUS - 1))
    pipes = [os.pipe() for _ in range(20)]

    def take_turns(number: int) -> None:
        while True:
            os.read(pipes[number][0], 1)
            until = time.thread_time_ns() + 3_000_000
            while time.thread_time_ns() < until:
                pass
            os.write(pipes[(number + 1) % len(pipes)][1], b"x")

    for number in range(len(pipes)):
        here.start(turns, lambda number=number: take_turns(number))
    here.hogs(hogs, CPUS + 1)
    os.write(pipes[0][1], b"x")
    time.sleep(SETTLE_S)
    got = shares([turns, hogs], 2)[0]
    for pipe in pipes:
        os.close(pipe[0])
        os.close(pipe[1])
    print(f"taking turns: {got:.3f} of the machine, {due:.3f} is their due")
    assert got < 1.25 * due
