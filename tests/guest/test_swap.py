"""From one scheduler to another that are attached by themselves, back, and off."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.guest import kernel
from tests.guest.command import done, sched_status, scxhid, use
from tests.guest.conftest import Program
from tests.guest.processes import hogs


@pytest.mark.smoke
def test_a_swap_names_both_and_the_gap(simple: str, program: Program) -> None:
    use(simple, "--direct")
    result = use(program("exits_by_itself"), "--json").json
    assert kernel.ops() == "exits_by_itself"
    assert (result["name"], result["previous"]) == ("exits_by_itself", "simple")
    assert result["mode"] == "direct"
    assert 0 < result["gap_ns"] < 10_000_000_000
    assert result["load_ns"] > 0
    assert 0 < result["attach_ns"] <= result["gap_ns"]


def test_the_first_attach_has_no_gap(simple: str) -> None:
    assert use(simple, "--json", "--direct").json["gap_ns"] is None


def test_back_puts_the_previous_one_on_with_its_knobs(simple: str, program: Program) -> None:
    use(simple, "slice_us=3000", "fifo=on", "--direct")
    use(program("stall"))
    result = done("sched", "back", "--json").json
    assert kernel.ops() == "simple"
    assert (result["previous"], result["load_ns"]) == ("stall", 0)
    assert sched_status()["knobs_changed"] == {"slice_us": 3000, "fifo": True}


def test_back_twice_is_where_it_began(simple: str, program: Program) -> None:
    use(simple, "--direct")
    use(program("stall"))
    done("sched", "back")
    done("sched", "back")
    assert kernel.ops() == "stall"
    assert sched_status()["policy"] == "stall"


def test_back_without_a_previous_one_changes_nothing(simple: str) -> None:
    outcome = scxhid("sched", "back")
    assert outcome.status == 1
    assert "there is no previous scheduler" in outcome.err
    use(simple, "--direct")
    before = kernel.enable_seq()
    assert scxhid("sched", "back").status == 1
    assert (kernel.ops(), kernel.enable_seq()) == ("simple", before)


def test_stop_gives_the_cpus_back_to_the_kernel(simple: str) -> None:
    use(simple, "--direct")
    assert done("sched", "stop").out == "simple is off; the kernel's own scheduler runs\n"
    kernel.wait_disabled()
    assert sched_status()["mode"] == "none"
    assert done("sched", "stop").out == "nothing of scxhid's was attached; nothing changed\n"


def test_back_after_stop(simple: str) -> None:
    use(simple, "slice_us=3000", "--direct")
    done("sched", "stop")
    done("sched", "back")
    assert kernel.ops() == "simple"
    assert sched_status()["knobs_changed"] == {"slice_us": 3000}


def test_a_load_time_knob_turns_after_back(simple: str, program: Program) -> None:
    use(simple, "--direct")
    use(program("stall"))
    done("sched", "back")
    done("sched", "set", "fifo=on")
    assert sched_status()["knobs_changed"] == {"fifo": True}


def test_the_log_tells_who_came_and_went(simple: str, program: Program) -> None:
    use(simple, "--direct")
    use(program("stall"))
    done("sched", "stop")
    events = [(e["event"], e["name"]) for e in done("sched", "log", "--json").json]
    assert events == [
        ("attached", "simple"),
        ("stopped", "simple"),
        ("attached", "stall"),
        ("stopped", "stall"),
    ]


@pytest.mark.slow
def test_sixteen_swaps_under_load_leave_nothing_behind(simple: str, program: Program) -> None:
    other = program("exits_by_itself")
    use(simple, "--direct")  # imports and caches, before anything is counted
    done("sched", "stop")
    kernel.unpin()
    before, descriptors = kernel.settled_bpf_objects(), kernel.open_descriptors()
    with hogs(per_cpu=1):
        for turn in range(8):
            loaded = use((other, simple)[turn % 2], "--direct", "--json").json
            assert kernel.ops() == loaded["name"]
            kept = done("sched", "back", "--json").json if turn else loaded
            assert kernel.ops() == kept["name"]
    assert kernel.open_descriptors() == descriptors
    assert len(os.listdir(Path(os.environ["SCXHID_RUN_DIR"], "objects"))) <= 2
    done("sched", "stop")
    kernel.unpin()
    kernel.wait_for("the kernel to free all of it", lambda: kernel.bpf_objects() == before)
