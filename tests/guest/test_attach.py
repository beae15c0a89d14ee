"""Attach, and what any other process can see and turn afterwards."""

from __future__ import annotations

import json
import os
import signal
import stat
import time

import pytest

from tests.guest import kernel
from tests.guest.command import done, sched_status, scxhid, use
from tests.guest.processes import Child, forked, hogs
from tests.guest.running import HOST, HOST_OPS, assert_runs, policy


@pytest.mark.smoke
def test_an_attached_scheduler_runs(simple: str) -> None:
    before = kernel.enable_seq()
    outcome = use(simple)
    assert_runs("simple", "hosted")
    assert kernel.enable_seq() == before + 1
    assert outcome.out.startswith("simple runs (hosted): loaded and verified in ")


def test_its_link_is_pinned(simple: str) -> None:
    for how, place in (((), HOST), (("--direct",), kernel.CURRENT)):
        use(simple, *how)
        assert (place / "link").exists()
        (place / "link").unlink()
        kernel.wait_disabled()


def test_pins_are_for_root_alone(simple: str) -> None:
    use(simple)
    for folder, _, _ in os.walk(kernel.PINS):
        assert stat.S_IMODE(os.stat(folder).st_mode) == 0o700, folder
    for pin in kernel.pins():
        assert stat.S_IMODE(pin.stat().st_mode) & 0o077 == 0, pin


def test_maps_and_sections_are_pinned_by_name(simple: str) -> None:
    use(simple)
    names = {str(pin.relative_to(kernel.CURRENT)) for pin in kernel.pins(kernel.CURRENT)}
    assert {"ops/simple", "sections/data", "sections/rodata"} <= names
    assert {"maps/stats", "maps/exit_record", "progs/enqueue", "progs/policy_init"} <= names
    assert "link" not in names
    names = {str(pin.relative_to(HOST)) for pin in kernel.pins(HOST)}
    assert {"link", f"ops/{HOST_OPS}", "maps/slots", "maps/on_enqueue", "maps/grace"} <= names


def test_another_process_reads_the_knobs(simple: str) -> None:
    use(simple, "slice_us=3ms")
    knobs = forked(lambda: done("sched", "knobs", "--json").json)
    assert knobs["slice_us"]["value"] == 3000
    assert knobs["slice_us"]["default"] == 5000
    assert knobs["slice_us"]["unit"] == "us"
    assert knobs["slice_us"]["live"] is True
    assert knobs["fifo"]["value"] is False
    assert knobs["fifo"]["live"] is False


@pytest.mark.smoke
def test_another_process_turns_a_knob(simple: str) -> None:
    use(simple)
    assert forked(lambda: done("sched", "set", "slice_us=1234").out) == "slice_us: 5000 → 1234\n"
    assert done("sched", "knobs", "--json").json["slice_us"]["value"] == 1234
    assert sched_status()["knobs_changed"] == {"slice_us": 1234}


def test_statistics_grow_under_load(simple: str) -> None:
    use(simple)
    with hogs(per_cpu=1):
        first = done("sched", "stats", "--json").json
        kernel.wait_for(
            "more tasks in the shared queue",
            lambda: (
                done("sched", "stats", "--json").json["total"]["dispatched_global"]
                > first["total"]["dispatched_global"] + 20
            ),
        )
    assert len(first["per_cpu"]["dispatched_global"]) >= (os.cpu_count() or 1)


@pytest.mark.slow
def test_watched_statistics_are_rates_until_ctrl_c(simple: str) -> None:
    use(simple)
    child = Child(lambda _: scxhid("sched", "stats", "--watch", "0.5", "--json"))
    time.sleep(4)
    child.signal(signal.SIGINT)
    outcome = child.result()
    assert outcome.status == 130
    lines = [json.loads(line) for line in outcome.out.splitlines()]
    assert len(lines) >= 2
    assert all(line["per_second"]["dispatched_local"] >= 0 for line in lines)
    assert any(sum(line["per_second"].values()) > 0 for line in lines)


def test_the_tables_name_every_knob_and_statistic(simple: str) -> None:
    use(simple)
    knobs, stats = done("sched", "knobs").out, done("sched", "stats").out
    assert "time a task may run while others wait" in knobs
    assert "100-100000" in knobs
    for name in ("dispatched_local", "dispatched_global", "slices_expired", "run_ns"):
        assert name in stats


def test_a_scheduler_of_ours_is_found_by_name() -> None:
    use("simple")
    assert policy() == "simple"


def test_an_unknown_name_gets_the_nearest_one() -> None:
    outcome = scxhid("sched", "use", "simpel")
    assert outcome.status == 2
    assert "did you mean simple?" in outcome.err
    assert kernel.state() == "disabled"
