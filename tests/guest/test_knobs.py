"""Turning knobs: at once, checked first, and by a swap where the program holds a constant."""

from __future__ import annotations

import time

import pytest

from tests.guest import kernel
from tests.guest.command import done, sched_status, scxhid, use
from tests.guest.processes import hogs
from tests.guest.running import policy


def knob(name: str) -> object:
    return done("sched", "knobs", "--json").json[name]["value"]


def switches_per_s(seconds: float = 3.0) -> float:
    before, then = kernel.context_switches(), time.monotonic()
    time.sleep(seconds)
    return (kernel.context_switches() - before) / (time.monotonic() - then)


@pytest.mark.slow  # the demo tries it too
def test_a_longer_slice_means_fewer_context_switches(simple: str) -> None:
    use(simple, "slice_us=500")
    with hogs():
        time.sleep(1)
        short = switches_per_s()
        done("sched", "set", "slice_us=20000")
        long = switches_per_s()
    assert short > 1.8 * long, f"{short:.0f}/s at 500 us, {long:.0f}/s at 20 ms"


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["slice_us=99"], "slice_us=99 is out of range: it takes 100 to 100000 us"),
        (["slice_us=many"], "slice_us"),
        (["slice=1"], "no knob is called 'slice'; did you mean slice_us"),
        (["slice_us=1000", "fifo=maybe"], "fifo"),
        (["slice_us=1000", "nosuch=1"], "no knob is called 'nosuch'"),
        (["slice_us"], "'slice_us' is not of the form KNOB=VALUE"),
        ([], "no knob is given"),
    ],
)
def test_a_bad_setting_changes_nothing(simple: str, words: list[str], reason: str) -> None:
    use(simple)
    before = kernel.enable_seq()
    outcome = scxhid("sched", "set", *words)
    assert outcome.status == 2
    assert reason in outcome.err
    assert len(outcome.err.splitlines()) == 1
    assert sched_status()["knobs_changed"] == {}
    assert kernel.enable_seq() == before


def test_a_bad_value_for_use_attaches_nothing(simple: str) -> None:
    before = kernel.enable_seq()
    outcome = scxhid("sched", "use", simple, "slice_us=1000001")
    assert outcome.status == 2
    assert "out of range" in outcome.err
    assert (kernel.state(), kernel.enable_seq()) == ("disabled", before)
    assert not kernel.pins()


def test_a_load_time_knob_changes_by_a_swap_that_keeps_the_others(simple: str) -> None:
    use(simple, "slice_us=3000", "--direct")
    before = kernel.enable_seq()
    outcome = done("sched", "set", "fifo=on")
    assert outcome.out.startswith("fifo: off → on\nsimple runs (direct), after simple: ")
    assert kernel.enable_seq() == before + 1
    assert policy() == "simple"
    assert sched_status()["knobs_changed"] == {"slice_us": 3000, "fifo": True}
    assert (kernel.CURRENT / "link").exists()


def test_live_and_load_time_knobs_turn_together(simple: str) -> None:
    use(simple)
    done("sched", "set", "fifo=on", "slice_us=2ms")
    assert sched_status()["knobs_changed"] == {"slice_us": 2000, "fifo": True}


def test_a_fifo_queue_takes_no_vtime(simple: str) -> None:
    use(simple, "fifo=on")
    with hogs():
        time.sleep(1)
    total = done("sched", "stats", "--json").json["total"]
    assert total["dispatched_global"] > 0
    assert total["vtime_raised"] == total["vtime_lowered"] == 0
    assert policy() == "simple"


def test_use_begins_with_the_defaults(simple: str) -> None:
    use(simple, "slice_us=3000")
    use(simple)
    assert knob("slice_us") == 5000


def test_keep_knobs_carries_them_over(simple: str) -> None:
    use(simple, "slice_us=3000", "fifo=on", "--direct")
    outcome = use(simple, "fifo=off", "--keep-knobs", "--direct", "--json")
    assert outcome.json["kept_knobs"] == {"slice_us": 3000}
    assert (knob("slice_us"), knob("fifo")) == (3000, False)


def test_no_scheduler_has_no_knobs() -> None:
    for words in (["knobs"], ["stats"], ["set", "slice_us=1000"]):
        outcome = scxhid("sched", *words)
        assert outcome.status == 1
        assert "no scheduler of scxhid is attached (the kernel's own runs)" in outcome.err
