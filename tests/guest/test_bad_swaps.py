"""Swaps that come at a bad moment, or onto a machine that cannot take them."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Generator
from contextlib import contextmanager

import pytest

from pyloader import libbpf
from tests.guest import kernel
from tests.guest.command import done, sched_status, scxhid, use
from tests.guest.conftest import Program
from tests.guest.processes import Child
from tests.guest.running import HOST, assert_runs
from tests.guest.workers import busy, modest, working

NEXT = kernel.PINS / "sched" / "next"


@contextmanager
def read_only_bpffs() -> Generator[None]:
    """As good as full: whatever is pinned stays, and nothing more can be."""
    subprocess.run(["mount", "-o", "remount,ro", str(kernel.BPF_FS)], check=True)
    try:
        yield
    finally:
        subprocess.run(["mount", "-o", "remount,rw", str(kernel.BPF_FS)], check=True)


@pytest.fixture
def other(program: Program) -> str:
    return program("hosted_events")


@pytest.mark.parametrize("kind", ["hosted_events", "exits_by_itself"])
def test_a_bpf_file_system_that_takes_no_more_pins(
    simple: str, program: Program, kind: str
) -> None:
    use(simple, "slice_us=3000")
    before = kernel.enable_seq()
    with read_only_bpffs():
        outcome = scxhid("sched", "use", program(kind))
        assert outcome.status in (1, 4)
        assert len(outcome.errors) == 1, outcome.err
    assert_runs("simple", "hosted")
    assert kernel.enable_seq() == before
    assert sched_status()["knobs_changed"] == {"slice_us": 3000}
    use(program(kind))


def test_something_else_pinned_where_the_next_one_goes(simple: str, other: str) -> None:
    use(simple)
    before = kernel.enable_seq()
    fd = libbpf.open_pin(str(kernel.CURRENT / "maps" / "stats"))
    libbpf.pin(fd, str(NEXT))
    outcome = scxhid("sched", "use", other, "--trial", "0")
    assert outcome.status in (0, 1)  # it may be cleared away, or stand in the way
    assert_runs("hosted_events" if outcome.status == 0 else "simple", "hosted")
    assert kernel.enable_seq() == before
    if NEXT.is_file():
        NEXT.unlink()
    use(other)


def test_a_host_whose_pins_are_damaged(simple: str, other: str) -> None:
    use(simple)
    (HOST / "maps" / "on_enqueue").unlink()
    assert "the host can no longer call enqueue: pins were removed" in use(other).err
    assert_runs("hosted_events", "direct")
    use(simple)
    assert_runs("simple", "hosted")


def test_two_gapless_swaps_at_once_happen_one_after_the_other(simple: str, other: str) -> None:
    use(simple)
    before = kernel.enable_seq()
    with working([busy] * 2) as workers:
        children = [
            Child(lambda _, path=path: scxhid("sched", "use", path, "--trial", "0").status)
            for path in (other, simple)
        ]
        assert [child.result() for child in children] == [0, 0]
        workers.all_go_on(within_s=5)
    assert kernel.enable_seq() == before
    assert_runs(sched_status()["policy"], "hosted")


def test_a_look_at_the_status_while_it_is_swapped(simple: str, other: str) -> None:
    use(other)
    use(simple)
    child = Child(lambda _: [done("sched", "back").status for _ in range(20)])
    seen: set[str] = set()
    deadline = time.monotonic() + 60
    while not seen >= {"simple", "hosted_events"} and time.monotonic() < deadline:
        found = sched_status()
        assert (found["mode"], found["state"]) == ("hosted", "enabled"), found
        seen.add(found["policy"])
    child.result()
    assert seen == {"simple", "hosted_events"}


@pytest.mark.slow
@pytest.mark.ejects
def test_trial_0_leaves_what_comes_to_the_kernel(simple: str, program: Program) -> None:
    use(simple)
    use(program("hosted_stall"), "first_ms=60000", "--trial", "0")
    with working([modest] * 4):
        kernel.wait_for("the watchdog", lambda: kernel.state() == "disabled", 20)
    assert_runs("", "none")
    assert sched_status()["last_exit"]["name"] == "hosted_stall"


@pytest.mark.parametrize(
    "words",
    [["--trial", "-1"], ["--trial", "x"], ["--trial", "1e9"], ["--no-pin", "--no-wait"]],
    ids=" ".join,
)
def test_options_that_make_no_sense_change_nothing(
    simple: str, other: str, words: list[str]
) -> None:
    use(simple)
    before = kernel.enable_seq()
    assert scxhid("sched", "use", other, *words).status == 2
    assert_runs("simple", "hosted")
    assert kernel.enable_seq() == before


def test_the_host_is_nothing_to_use_by_itself() -> None:
    outcome = scxhid("sched", "use", "host")
    assert outcome.status == 2
    assert kernel.state() == "disabled"
