"""From one hosted scheduler to another: sched_ext stays enabled, and no task is lost."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import pytest

from tests.guest import kernel
from tests.guest.command import done, sched_status, scxhid, use
from tests.guest.conftest import Program
from tests.guest.processes import forked, hogs
from tests.guest.running import HOST, assert_runs, host_variable, slots
from tests.guest.workers import busy, long_asleep, pinned, shoved, working


@pytest.fixture
def other(program: Program) -> str:
    return program("hosted_events")


def stats() -> dict[str, int]:
    return done("sched", "stats", "--json").json["total"]


def knob(name: str) -> Any:
    return done("sched", "knobs", "--json").json[name]["value"]


def test_a_scheduler_that_can_be_hosted_is(simple: str) -> None:
    before = kernel.enable_seq()
    result = use(simple, "--json").json
    assert (result["name"], result["mode"]) == ("simple", "hosted")
    assert_runs("simple", "hosted")
    assert kernel.enable_seq() == before + 1
    assert "simple (hosted by scxhid, since " in done("status").out


def test_one_that_cannot_is_attached_by_itself(program: Program) -> None:
    assert use(program("exits_by_itself"), "--json").json["mode"] == "direct"
    assert_runs("exits_by_itself", "direct")


def test_direct_attaches_without_the_host(simple: str) -> None:
    assert use(simple, "--direct", "--json").json["mode"] == "direct"
    assert_runs("simple", "direct")
    assert not HOST.exists()


@pytest.mark.smoke
def test_a_swap_leaves_sched_ext_enabled_and_tells_its_times(simple: str, other: str) -> None:
    use(simple)
    before = kernel.enable_seq()
    with hogs(per_cpu=1):
        result = use(other, "--json").json
    assert (result["name"], result["previous"]) == ("hosted_events", "simple")
    assert (result["mode"], result["gap_ns"]) == ("hosted", None)
    gapless = result["gapless"]
    assert 0 <= gapless["first_task_ns"] < 1_000_000_000
    assert gapless["drained"] >= 0
    assert 0 < gapless["drain_ns"] < 5_000_000_000
    assert_runs("hosted_events", "hosted")
    assert kernel.enable_seq() == before


def test_the_words_of_a_swap(simple: str, other: str) -> None:
    use(simple)
    assert use(other).out.startswith("hosted_events runs (hosted), after simple: ")


def test_the_new_one_gets_the_tasks_and_the_old_one_none(simple: str, other: str) -> None:
    with hogs(per_cpu=1):
        use(simple)
        use(other)
        first = stats()["enqueue"]
        kernel.wait_for("the new one to queue tasks", lambda: stats()["enqueue"] > first + 5)
        done("sched", "back")
        first = stats()["dispatched_global"]
        kernel.wait_for("the old one to queue", lambda: stats()["dispatched_global"] > first + 5)


def test_tasks_of_every_kind_live_through_a_dozen_swaps(simple: str, other: str) -> None:
    use(simple)
    before = kernel.enable_seq()
    with working() as workers:
        for turn in range(12):
            if turn < 4:
                use((other, simple)[turn % 2])
            else:
                done("sched", "back")
        workers.all_go_on(within_s=10)
        assert_runs("simple", "hosted")
    assert kernel.enable_seq() == before
    assert sched_status()["last_exit"] is None


def test_tasks_that_change_their_affinity_while_queues_drain(simple: str, other: str) -> None:
    use(simple)
    use(other)
    before = kernel.enable_seq()
    with working([shoved, shoved, shoved, pinned]) as workers:
        for _ in range(12):
            done("sched", "back")
        workers.all_go_on(within_s=10)
    assert kernel.enable_seq() == before


def test_a_task_that_sleeps_through_several_swaps(simple: str, other: str) -> None:
    use(simple)
    use(other)
    with working([long_asleep] * 4) as workers:
        for _ in range(6):
            done("sched", "back")
        workers.all_go_on(within_s=5)


@pytest.mark.smoke
def test_back_is_one_store_and_keeps_the_knobs_of_each(simple: str, other: str) -> None:
    use(simple, "slice_us=3000", "fifo=on")
    use(simple, "slice_us=7000")
    before = kernel.enable_seq()
    for turn in range(6):
        result = done("sched", "back", "--json").json
        assert (result["load_ns"], result["gap_ns"], result["mode"]) == (0, None, "hosted")
        expected = {"slice_us": 7000} if turn % 2 else {"slice_us": 3000, "fifo": True}
        assert sched_status()["knobs_changed"] == expected
    assert kernel.enable_seq() == before


def test_a_knob_is_turned_in_the_slot_that_is_current(simple: str) -> None:
    use(simple)
    use(simple)
    done("sched", "set", "slice_us=2500")
    done("sched", "back")
    assert knob("slice_us") == 5000
    done("sched", "back")
    assert knob("slice_us") == 2500


def test_a_load_time_knob_is_turned_with_no_gap(simple: str) -> None:
    use(simple, "slice_us=3000")
    before = kernel.enable_seq()
    with working([busy] * 4) as workers:
        outcome = done("sched", "set", "fifo=on")
        workers.all_go_on(within_s=5)
    assert outcome.out.startswith("fifo: off → on\nsimple runs (hosted), after simple: ")
    assert sched_status()["knobs_changed"] == {"slice_us": 3000, "fifo": True}
    assert kernel.enable_seq() == before
    assert_runs("simple", "hosted")


def test_what_runs_already_is_loaded_afresh(simple: str) -> None:
    use(simple, "slice_us=3000")
    before = kernel.enable_seq()
    result = use(simple, "--json").json
    assert (result["name"], result["previous"]) == ("simple", "simple")
    assert sched_status()["knobs_changed"] == {}
    assert kernel.enable_seq() == before


def test_kept_knobs_cross_a_gapless_swap(simple: str, program: Program) -> None:
    use(program("hosted_error"), "slice_us=1500")
    assert use(simple, "--keep-knobs", "--json").json["kept_knobs"] == {"slice_us": 1500}
    assert knob("slice_us") == 1500


def test_a_kept_knob_that_does_not_fit_is_told(simple: str, program: Program) -> None:
    use(simple, "slice_us=50000")
    outcome = use(program("hosted_error"), "--keep-knobs", "--json")
    assert outcome.json["kept_knobs"] == {}
    assert "slice_us" in outcome.err
    assert knob("slice_us") == 2000


def test_stop_and_back_bring_the_policy_back_under_a_fresh_host(simple: str, other: str) -> None:
    use(other)
    use(simple, "slice_us=3000")
    assert done("sched", "stop").out == "simple is off; the kernel's own scheduler runs\n"
    assert_runs("", "none")
    done("sched", "back")
    assert_runs("simple", "hosted")
    assert sched_status()["knobs_changed"] == {"slice_us": 3000}


def test_the_loader_may_be_gone(simple: str, other: str) -> None:
    forked(lambda: use(simple, "slice_us=3000").out)
    forked(lambda: use(other).out)
    before = kernel.enable_seq()
    with working([busy] * 2) as workers:
        time.sleep(0.5)
        forked(lambda: done("sched", "back").out)
        workers.all_go_on(within_s=5)
    assert_runs("simple", "hosted")
    assert sched_status()["knobs_changed"] == {"slice_us": 3000}
    assert kernel.enable_seq() == before


@pytest.mark.slow
def test_sixteen_fresh_copies_leave_nothing_behind(simple: str, other: str) -> None:
    use(simple)  # imports and caches, before anything is counted
    use(other)
    done("sched", "back")
    before, descriptors = kernel.settled_bpf_objects(), kernel.open_descriptors()
    pins, memory = len(kernel.pins()), kernel.resident_bytes()
    seq, nr_switches = kernel.enable_seq(), host_variable("nr_switches")
    with working([busy]) as workers:
        for turn in range(16):
            use((other, simple)[turn % 2])
        workers.all_go_on(within_s=5)
    assert_runs("simple", "hosted")
    assert (kernel.enable_seq(), host_variable("nr_switches")) == (seq, nr_switches + 16)
    assert kernel.open_descriptors() == descriptors
    assert len(kernel.pins()) == pins
    assert kernel.resident_bytes() - memory < 8 << 20
    assert sorted(slot[4] for slot in slots()) == ["", "", "hosted_events", "simple"]
    assert len(os.listdir(Path(os.environ["SCXHID_RUN_DIR"], "objects"))) <= 2
    kernel.wait_for("the kernel to free the old ones", lambda: kernel.bpf_objects() == before)


def test_an_unknown_flag_of_the_host_is_no_way_in(simple: str) -> None:
    use(simple)
    outcome = scxhid("sched", "set", "policy_generation=7")
    assert outcome.status == 2
    assert "no knob is called 'policy_generation'" in outcome.err
