"""From a hosted scheduler to one that is attached by itself, and the other way round."""

from __future__ import annotations

import pytest

from tests.guest import kernel
from tests.guest.command import done, sched_status, scxhid, use
from tests.guest.conftest import Program
from tests.guest.running import HOST, assert_runs
from tests.guest.workers import busy, working

pytestmark = pytest.mark.ejects


@pytest.fixture
def plain(program: Program) -> str:
    return program("exits_by_itself")


@pytest.mark.slow
def test_to_and_fro(simple: str, plain: str) -> None:
    use(simple, "slice_us=3000")
    before = kernel.enable_seq()
    with working([busy] * 3) as workers:
        result = use(plain, "--json").json
        assert (result["mode"], result["previous"], result["gapless"]) == ("direct", "simple", None)
        assert result["gap_ns"] > 0
        assert_runs("exits_by_itself", "direct")
        assert not HOST.exists()
        for turn in range(4):
            result = done("sched", "back", "--json").json
            assert (result["load_ns"], result["gap_ns"] > 0) == (0, True)
            if turn % 2:
                assert_runs("exits_by_itself", "direct")
            else:
                assert_runs("simple", "hosted")
                assert sched_status()["knobs_changed"] == {"slice_us": 3000}
        workers.all_go_on(within_s=5)
    assert kernel.enable_seq() == before + 5


def test_the_same_scheduler_hosted_and_direct(simple: str) -> None:
    use(simple, "slice_us=3000")
    use(simple, "--direct", "--keep-knobs")
    assert_runs("simple", "direct")
    assert sched_status()["knobs_changed"] == {"slice_us": 3000}
    done("sched", "set", "fifo=on")
    assert_runs("simple", "direct")
    use(simple)
    assert_runs("simple", "hosted")


def test_a_plain_one_that_fails_late_puts_the_hosted_one_back(
    simple: str, program: Program
) -> None:
    use(simple, "slice_us=3000")
    outcome = scxhid("sched", "use", program("init_fails"))
    assert outcome.status == 1
    assert outcome.err.rstrip().endswith("simple was put back and runs")
    assert_runs("simple", "hosted")
    assert sched_status()["knobs_changed"] == {"slice_us": 3000}


def test_a_plain_one_thrown_out_on_trial_puts_the_hosted_one_back(simple: str, plain: str) -> None:
    use(simple, "slice_us=3000")
    with working([busy] * 2) as workers:
        outcome = scxhid("sched", "use", plain, "leave=on", "--trial", "10")
        workers.all_go_on(within_s=5)
    assert outcome.status == 1
    assert outcome.err.rstrip().endswith("simple was put back and runs")
    assert_runs("simple", "hosted")
    assert sched_status()["knobs_changed"] == {"slice_us": 3000}


def test_a_hosted_one_that_does_not_start_puts_the_plain_one_back(
    plain: str, program: Program
) -> None:
    use(plain)
    outcome = scxhid("sched", "use", program("hosted_stall"), "init_error=5")
    assert outcome.status == 1
    assert "exits_by_itself" in outcome.err
    assert_runs("exits_by_itself", "direct")
    assert not HOST.exists()


def test_a_hosted_one_thrown_out_on_trial_puts_the_plain_one_back(
    plain: str, program: Program
) -> None:
    use(plain)
    outcome = scxhid("sched", "use", program("hosted_error"), "fail=on", "--trial", "10")
    assert outcome.status == 1
    assert outcome.err.rstrip().endswith("exits_by_itself was put back and runs")
    assert_runs("exits_by_itself", "direct")


def test_when_the_plain_way_back_fails_the_kernels_own_runs(plain: str, program: Program) -> None:
    use(program("init_fails"), "how=0")
    # Loaded and pinned as it is, it attaches again only if its init does not fail now.
    done("sched", "set", "fail_next=on")
    outcome = scxhid("sched", "use", plain, "leave=on", "--trial", "10")
    assert outcome.status == 1
    assert "init_fails could not be put back" in outcome.err
    assert outcome.err.rstrip().endswith("the kernel's own scheduler runs")
    kernel.wait_disabled()
    assert_runs("", "none")
    assert [e["event"] for e in done("sched", "log", "--json").json][-1] != "put_back"


def test_the_verifiers_refusal_leaves_the_hosted_one_alone(simple: str, program: Program) -> None:
    use(simple)
    before = kernel.enable_seq()
    assert scxhid("sched", "use", program("refused")).status == 1
    assert_runs("simple", "hosted")
    assert kernel.enable_seq() == before
