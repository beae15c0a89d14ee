"""A hosted policy that does not start, stalls or fails: the last good one is put back."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from tests.guest import kernel
from tests.guest.command import done, sched_status, scxhid, use
from tests.guest.conftest import Program
from tests.guest.processes import Child, hogs
from tests.guest.running import HOST, HOST_OPS, assert_runs, host_variable, slots
from tests.guest.workers import busy, modest, sleepy, working

pytestmark = pytest.mark.ejects


@pytest.fixture
def stall(program: Program) -> str:
    return program("hosted_stall")


@pytest.fixture
def error(program: Program) -> str:
    return program("hosted_error")


def events() -> list[tuple[str, str]]:
    """What happened, but for attaches: putting back is one too."""
    log = done("sched", "log", "--json").json
    return [(e["event"], e["name"]) for e in log if e["event"] != "attached"]


def last_ejection() -> dict[str, object]:
    return [e for e in done("sched", "log", "--json").json if e["event"] == "ejected"][-1]


def assert_put_back(knobs: dict[str, object]) -> None:
    """``simple`` runs again, hosted, and nothing is left half-done."""
    assert_runs("simple", "hosted")
    assert sched_status()["knobs_changed"] == knobs
    assert not (kernel.PINS / "sched" / "next").exists()
    assert [slot[4] for slot in slots() if slot[3]] == ["simple"]
    assert host_variable("draining_slot") == 4


def copies_of_this_process() -> set[int]:
    """Processes that were forked from this one, by any number of steps."""
    ours = Path("/proc/self/cmdline").read_bytes()
    found: set[int] = set()
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                if (folder / "cmdline").read_bytes() == ours:
                    found.add(int(folder.name))
            except OSError:
                continue
    return found


def test_one_that_does_not_start_changes_nothing(simple: str, stall: str) -> None:
    use(simple, "slice_us=3000")
    before = kernel.enable_seq()
    outcome = scxhid("sched", "use", stall, "init_error=12")
    assert outcome.status == 1
    assert "init of hosted_stall failed: Cannot allocate memory" in outcome.err
    assert outcome.err.rstrip().endswith("simple runs on")
    assert_put_back({"slice_us": 3000})
    assert kernel.enable_seq() == before


def test_one_that_does_not_start_with_nothing_before_it(stall: str) -> None:
    outcome = scxhid("sched", "use", stall, "init_error=12")
    assert outcome.status == 1
    assert "the kernel's own scheduler runs" in outcome.err
    assert_runs("", "none")
    assert not kernel.pins()


@pytest.mark.slow
def test_a_stall_is_seen_within_the_default_trial(simple: str, stall: str) -> None:
    use(simple, "slice_us=3000")
    with hogs(per_cpu=1, nice=5):
        outcome = scxhid("sched", "use", stall, "first_ms=60000")
        assert outcome.status == 1
        assert "failed to run for" in outcome.err
        assert outcome.err.rstrip().endswith("simple was put back and runs")
        assert_put_back({"slice_us": 3000})
    ejected = last_ejection()
    assert ejected["name"] == "hosted_stall"
    assert ejected["exit"]["kind_name"] == "error_stall"  # type: ignore[index]
    assert events()[-2:] == [("ejected", "hosted_stall"), ("put_back", "simple")]
    assert "hosted_stall" in done("sched", "log", "--dump").out


@pytest.mark.slow
def test_a_stall_of_what_the_old_one_had_queued(simple: str, stall: str) -> None:
    use(simple)
    with hogs(per_cpu=2, nice=5):
        outcome = scxhid("sched", "use", stall, "first_ms=200", "at_most=1000")
        assert outcome.status == 1, outcome.out
        assert outcome.err.rstrip().endswith("simple was put back and runs")
        assert_put_back({})
    assert last_ejection()["name"] == "hosted_stall"


@pytest.mark.smoke
def test_an_error_puts_the_last_good_one_back_under_a_fresh_host(simple: str, error: str) -> None:
    use(simple, "slice_us=3000", "fifo=on")
    before = kernel.enable_seq()
    with working([busy] * 2) as workers:
        outcome = scxhid("sched", "use", error, "fail=on", "--trial", "10")
        workers.all_go_on(within_s=5)
    assert outcome.status == 1
    assert "hosted_error was told to fail" in outcome.err
    assert outcome.err.rstrip().endswith("simple was put back and runs")
    assert_put_back({"slice_us": 3000, "fifo": True})
    assert kernel.enable_seq() == before + 1


def test_an_error_with_nothing_before_it(error: str) -> None:
    outcome = scxhid("sched", "use", error, "fail=on", "--trial", "10")
    assert outcome.status == 1
    assert "the kernel's own scheduler runs" in outcome.err
    kernel.wait_disabled()
    assert_runs("", "none")
    assert not HOST.exists()


def test_an_error_after_the_trial_leaves_the_kernels_own(simple: str, error: str) -> None:
    use(simple)
    use(error)
    done("sched", "set", "fail=on")
    kernel.wait_disabled()
    found = sched_status()
    assert (found["mode"], found["policy"]) == ("none", None)
    assert found["last_exit"]["name"] == "hosted_error"
    assert "hosted_error was told to fail" in done("status").out
    assert done("sched", "back").status == 0
    assert_runs("simple", "hosted")


def test_tasks_that_one_forgot_are_saved_by_a_swap(simple: str, stall: str) -> None:
    use(stall)
    with working([modest] * 4) as workers:
        done("sched", "set", "forget=on")
        kernel.wait_for(
            "a forgotten task",
            lambda: done("sched", "stats", "--json").json["total"]["forgotten"] > 0,
        )
        use(simple)
        workers.all_go_on(within_s=5)
    assert_runs("simple", "hosted")


def test_ctrl_c_in_a_trial_goes_back_with_no_gap(simple: str, error: str) -> None:
    use(simple, "slice_us=3000")
    before = kernel.enable_seq()
    child = Child(lambda _: scxhid("sched", "use", error, "--trial", "60"))
    kernel.wait_for("the one on trial", lambda: sched_status()["policy"] == "hosted_error")
    time.sleep(1)
    child.signal(signal.SIGINT)
    outcome = child.result()
    assert outcome.status == 130
    assert "interrupted, so hosted_error was taken off" in outcome.err
    assert_put_back({"slice_us": 3000})
    assert kernel.enable_seq() == before


def test_no_wait_leaves_the_trial_to_a_process_that_ends(simple: str) -> None:
    use(simple)
    before = copies_of_this_process()
    use(simple, "--no-wait", "--trial", "2")
    assert copies_of_this_process() > before
    assert sched_status()["policy"] == "simple"
    kernel.wait_for("the trial to end", lambda: copies_of_this_process() == before)
    assert_runs("simple", "hosted")


def test_no_wait_puts_the_old_one_back(simple: str, error: str) -> None:
    use(simple, "slice_us=3000")
    before = copies_of_this_process()
    assert use(error, "--no-wait", "--trial", "20").status == 0
    done("sched", "set", "fail=on")
    kernel.wait_for("simple to be put back", lambda: sched_status()["policy"] == "simple")
    kernel.wait_for("the trial to end", lambda: copies_of_this_process() == before)
    assert_put_back({"slice_us": 3000})
    assert events()[-2:] == [("ejected", "hosted_error"), ("put_back", "simple")]


def test_another_change_ends_the_trial_of_the_one_before(simple: str, error: str) -> None:
    use(error)
    before = copies_of_this_process()
    use(simple, "--no-wait", "--trial", "60")
    use(error)
    kernel.wait_for("the trial to end", lambda: copies_of_this_process() == before)
    assert_runs("hosted_error", "hosted")


def test_watch_puts_the_last_good_one_back_also_after_the_trial(simple: str, error: str) -> None:
    use(simple, "slice_us=3000")
    child = Child(lambda _: scxhid("sched", "use", error, "--trial", "0", "--watch"))
    kernel.wait_for("the one that is watched", lambda: sched_status()["policy"] == "hosted_error")
    time.sleep(1)
    done("sched", "set", "fail=on")
    kernel.wait_for("simple to be put back", lambda: sched_status()["policy"] == "simple")
    time.sleep(1)
    child.signal(signal.SIGINT)
    outcome = child.result()
    assert outcome.status == 0
    assert "simple was put back and runs" in outcome.err
    assert_put_back({"slice_us": 3000})


def test_when_the_way_back_is_gone_the_kernels_own_runs_and_is_named(
    simple: str, error: str
) -> None:
    use(simple)
    child = Child(lambda _: scxhid("sched", "use", error, "--trial", "30"))
    kernel.wait_for("the one on trial", lambda: sched_status()["policy"] == "hosted_error")
    time.sleep(1)
    kernel.unpin(kernel.PINS / "sched" / "previous")
    done("sched", "set", "fail=on")
    outcome = child.result()
    assert outcome.status == 1
    assert outcome.err.rstrip().endswith("the kernel's own scheduler runs")
    assert_runs("", "none")
    use(simple)
    assert_runs("simple", "hosted")


def test_sysrq_takes_the_host_off_and_status_says_so(simple: str) -> None:
    use(simple)
    Path("/proc/sysrq-trigger").write_text("S")
    kernel.wait_disabled()
    exit_ = sched_status()["last_exit"]
    assert (exit_["name"], exit_["kind_name"]) == ("simple", "sysrq")
    use(simple)
    assert_runs("simple", "hosted")


def test_a_host_whose_link_somebody_removes(simple: str) -> None:
    use(simple)
    os.unlink(HOST / "link")
    kernel.wait_disabled()
    assert_runs("", "none")
    use(simple)
    assert (kernel.ops(), sched_status()["mode"]) == (HOST_OPS, "hosted")


def test_everything_of_it_is_removed_and_the_link_last(simple: str) -> None:
    """The kernel empties arrays with their last pin; until the link goes, tasks run on."""
    use(simple)
    with working((busy, busy, busy, sleepy)) as workers:
        arrays = list((HOST / "maps").glob("on_*"))
        # Without some of its callbacks a policy is unfair to whoever takes away the others.
        before = os.sched_getscheduler(0)
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
        for array in arrays:
            array.unlink()
        os.sched_setscheduler(0, before, os.sched_param(0))
        workers.all_go_on(within_s=5)
        assert kernel.ops() == HOST_OPS  # nobody had to be thrown out for that
        kernel.unpin()
        kernel.wait_disabled()
        workers.all_go_on(within_s=5)
    use(simple)
    assert_runs("simple", "hosted")
