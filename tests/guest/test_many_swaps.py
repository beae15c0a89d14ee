"""Hundreds of swaps in a row under load: no task lost, nothing grows. Minutes long: ``-m slow``."""

from __future__ import annotations

import pytest

from tests.guest import kernel
from tests.guest.command import done, use
from tests.guest.conftest import Program
from tests.guest.running import assert_runs, host_variable
from tests.guest.workers import busy, long_asleep, sleepy, working

GAPLESS = 1000
PLAIN = 200

LOAD = (busy, busy, busy, sleepy, long_asleep)

pytestmark = pytest.mark.slow


@pytest.fixture
def other(program: Program) -> str:
    return program("hosted_error")


class Grown:
    """What a process and the kernel hold for it, before and after."""

    def __init__(self) -> None:
        self.objects, self.pins = kernel.settled_bpf_objects(), len(kernel.pins())
        self.descriptors, self.memory = kernel.open_descriptors(), kernel.resident_bytes()

    def assert_nothing(self) -> None:
        assert kernel.open_descriptors() == self.descriptors
        assert len(kernel.pins()) == self.pins
        grown = kernel.resident_bytes() - self.memory
        assert grown < 16 << 20, f"{grown >> 20} MiB"
        kernel.wait_for("the kernel to free it", lambda: kernel.bpf_objects() == self.objects)


def test_a_thousand_gapless_ones_lose_no_task(simple: str, other: str) -> None:
    use(other)
    use(simple)
    for _ in range(10):
        done("sched", "back")
    grown, seq = Grown(), kernel.enable_seq()
    switches = host_variable("nr_switches")
    with working(LOAD) as workers:
        for turn in range(GAPLESS):
            done("sched", "back")
            if turn % 100 == 99:
                workers.all_go_on(within_s=10)
    assert host_variable("nr_switches") == switches + GAPLESS
    assert kernel.enable_seq() == seq
    assert_runs("simple", "hosted")
    grown.assert_nothing()


def test_hundreds_of_fresh_copies_use_the_slots_again(simple: str, other: str) -> None:
    use(other)
    use(simple)
    for _ in range(2):
        use(other)
        use(simple)
    grown, seq = Grown(), kernel.enable_seq()
    with working(LOAD[2:]) as workers:
        for turn in range(GAPLESS // 2):
            use((other, simple)[turn % 2])
            if turn % 50 == 49:
                workers.all_go_on(within_s=10)
    assert kernel.enable_seq() == seq
    assert_runs("simple", "hosted")
    grown.assert_nothing()


def test_two_hundred_plain_ones_lose_no_task(simple: str, program: Program) -> None:
    use(program("exits_by_itself"))
    use(simple, "--direct")
    for _ in range(4):
        done("sched", "back")
    grown, seq = Grown(), kernel.enable_seq()
    with working(LOAD) as workers:
        for turn in range(PLAIN):
            done("sched", "back")
            if turn % 20 == 19:
                workers.all_go_on(within_s=10)
    assert kernel.enable_seq() == seq + PLAIN
    assert_runs("simple", "direct")
    grown.assert_nothing()
