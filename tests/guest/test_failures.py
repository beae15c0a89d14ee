"""A scheduler that cannot load, start or last: why is said, and what ran before runs on."""

from __future__ import annotations

import pytest

from tests.guest import kernel
from tests.guest.command import done, sched_status, scxhid, use
from tests.guest.conftest import Program
from tests.guest.processes import hogs
from tests.guest.running import assert_runs, policy

pytestmark = pytest.mark.ejects


def assert_put_back(before_seq: int) -> None:
    """``simple`` runs again after a failed change, and nothing is left half-done."""
    assert_runs("simple", "direct")
    assert kernel.enable_seq() > before_seq
    assert sched_status()["knobs_changed"] == {"slice_us": 3000}
    assert not (kernel.PINS / "sched" / "next").exists()


@pytest.mark.parametrize(
    ("how", "reason"), [("1", "init"), ("2", "init gives up on purpose (how=2)")]
)
def test_a_late_failure_of_init(program: Program, how: str, reason: str) -> None:
    outcome = scxhid("sched", "use", program("init_fails"), f"how={how}")
    assert outcome.status == 1
    assert reason in outcome.err
    assert "the kernel's own scheduler runs" in outcome.err
    kernel.wait_disabled()
    assert not kernel.pins()
    assert sched_status()["mode"] == "none"
    assert done("sched", "log", "--json").json[-1]["event"] == "ejected"


def test_a_late_failure_of_init_puts_the_old_one_back(simple: str, program: Program) -> None:
    use(simple, "slice_us=3000", "--direct")
    before = kernel.enable_seq()
    outcome = scxhid("sched", "use", program("init_fails"))
    assert outcome.status == 1
    assert outcome.err.rstrip().endswith("simple was put back and runs")
    assert_put_back(before)
    events = [e["event"] for e in done("sched", "log", "--json").json]
    assert events == ["attached", "ejected", "put_back"]


def test_the_same_scheduler_starts_when_told_not_to_fail(program: Program) -> None:
    use(program("init_fails"), "how=0")
    assert kernel.ops() == "init_fails"


def test_a_refusal_of_the_verifier_changes_nothing(simple: str, program: Program) -> None:
    use(simple, "slice_us=3000", "--direct")
    before = kernel.enable_seq()
    outcome = scxhid("sched", "use", program("refused"))
    assert outcome.status == 1
    assert "*count += 1" in outcome.err
    assert "refused program refused_enqueue of refused" in outcome.err
    assert (policy(), kernel.enable_seq()) == ("simple", before)
    assert not (kernel.PINS / "sched" / "next").exists()
    assert [e["event"] for e in done("sched", "log", "--json").json] == ["attached"]


def test_a_stall_within_the_trial(simple: str, program: Program) -> None:
    use(simple, "slice_us=3000", "--direct")
    before = kernel.enable_seq()
    with hogs():
        outcome = scxhid("sched", "use", program("stall"), "after_s=1", "--trial", "20")
    assert outcome.status == 1
    assert "watching it for 20 s" in outcome.err
    assert "stall" in outcome.err
    assert "failed to run for" in outcome.err
    assert outcome.err.rstrip().endswith("simple was put back and runs")
    assert_put_back(before)
    ejected = [e for e in done("sched", "log", "--json").json if e["event"] == "ejected"]
    assert [e["name"] for e in ejected] == ["stall"]
    assert ejected[0]["exit"]["kind_name"] == "error_stall"
    assert "failed to run for" in ejected[0]["exit"]["message"]
    dumped = done("sched", "log", "--dump").out
    assert "CPU states" in dumped
    assert "CPU states" not in done("sched", "log").out


def test_a_trial_that_is_passed(simple: str, program: Program) -> None:
    use(simple, "--direct")
    use(program("stall"), "--trial", "1")
    assert sched_status()["policy"] == "stall"


def test_leaving_by_itself_within_the_trial(simple: str, program: Program) -> None:
    use(simple, "slice_us=3000", "--direct")
    before = kernel.enable_seq()
    outcome = scxhid(
        "sched", "use", program("exits_by_itself"), "leave=on", "code=-3", "--trial", "10"
    )
    assert outcome.status == 1
    assert "leaving as asked, with code -3" in outcome.err
    assert_put_back(before)


def test_an_error_within_the_trial_without_a_predecessor(program: Program) -> None:
    outcome = scxhid("sched", "use", program("error"), "fail=on", "--trial", "10")
    assert outcome.status == 1
    assert "told to fail while queueing" in outcome.err
    assert "the kernel's own scheduler runs" in outcome.err
    kernel.wait_disabled()
    assert not kernel.pins()


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("two_ops", "has 2 sched_ext_ops (short_slices, long_slices); one is expected"),
        ("no_ops", "no_ops is not a program set for sched_ext_ops: it has no struct_ops at all"),
        ("hid_ops", "hid_ops is not a program set for sched_ext_ops: it has hid_bpf_ops"),
        ("nosuch", "nosuch.bpf.o does not exist"),
    ],
)
def test_what_is_no_scheduler_changes_nothing(
    simple: str, program: Program, name: str, words: str
) -> None:
    use(simple)
    before = kernel.enable_seq()
    path = simple.replace("simple", "nosuch") if name == "nosuch" else program(name)
    outcome = scxhid("sched", "use", path)
    assert outcome.status == 1
    assert words in outcome.err
    assert len(outcome.err.splitlines()) == 1
    assert (policy(), kernel.enable_seq()) == ("simple", before)
