"""A gapless change between policies that order tasks by virtual time: the clock goes on."""

from __future__ import annotations

from pyloader import bpffs
from pyloader.attached import Attached
from pyloader.bpffs import Place
from tests.guest import kernel
from tests.guest.command import use
from tests.guest.processes import hogs


def clock(place: Place) -> int:
    return int(Attached(place).policy_variable("policy_vtime").value)


def test_the_new_policy_goes_on_by_the_clock_of_the_old_one(simple: str) -> None:
    use(simple)
    with hogs(per_cpu=1):
        kernel.wait_for("virtual time to pass", lambda: clock(bpffs.current()) > 10_000_000)
        before = clock(bpffs.current())
        use(simple, "fifo=true")  # whose clock stands still
        assert before <= clock(bpffs.current()) <= clock(bpffs.previous())
