"""Objects in the shape of the sched-ext project's: given what their own loaders would give them."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Generator
from pathlib import Path

import pytest

from pyloader import running
from pyloader.errors import AttachError
from pyloader.spec import ObjectSpec
from tests.guest import kernel
from tests.guest.command import Outcome, done, sched_status, scxhid, use
from tests.guest.conftest import Program

CPU1 = Path("/sys/devices/system/cpu/cpu1/online")
VERSION = tuple(int(part) for part in os.uname().release.split(".")[:2])
#: From this version on the kernel has the callback that ``elsewhere_whole`` fills.
SINCE = {"cgroup_set_bandwidth": (6, 17), "cgroup_set_idle": (6, 19)}


@pytest.fixture
def whole(program: Program) -> str:
    return program("elsewhere_whole")


@pytest.fixture
def hotplug() -> Generator[Path]:
    """The file that takes the second CPU away; it is back after the test."""
    if not CPU1.exists():
        pytest.skip("this guest has one CPU, and none that could go")
    yield CPU1
    CPU1.write_text("1")


def variables() -> dict[str, object]:
    return {name: v["value"] for name, v in done("sched", "knobs", "--json").json.items()}


def test_it_is_given_what_its_own_loader_would_give(whole: str) -> None:
    outcome = use(whole)
    assert (kernel.ops(), sched_status()["mode"]) == ("whole", "direct")
    now = variables()
    assert now["seen_slice"] == 20_000_000
    assert now["seen_global"] == 1 << 63 | 1
    assert now["seen_local_on"] == 3 << 62
    assert now["seen_kick"] == 1
    assert now["seen_head"] == (1 << 16 if VERSION >= (7, 0) else 1 << 4)
    assert now["seen_future"] == 0
    cpus = os.cpu_count() or 1
    assert now["seen_cpus"] == cpus
    of_cpu = now["cpu_enqueued"]
    assert isinstance(of_cpu, list)
    assert len(of_cpu) == cpus  # pyright: ignore[reportUnknownArgumentType]
    assert "under_lock" not in now  # the kernel lets nobody map a section with a lock
    assert f"nr_cpu_ids = {cpus}, slice_ns = 20000000" in outcome.err
    lacking = [name for name, since in SINCE.items() if since > VERSION]
    assert (f"has no {', '.join(lacking)}: elsewhere_whole runs without" in outcome.err) == bool(
        lacking
    )


def test_its_statistics_are_summed_by_name(whole: str) -> None:
    use(whole, "slice_ns=3000000")
    kernel.wait_for("a task to be queued", lambda: counted()["WHOLE_STAT_GLOBAL"] > 0)
    first = counted()
    assert set(first) == {"WHOLE_STAT_LOCAL", "WHOLE_STAT_GLOBAL", "enqueued", "ran"}
    assert first["ran"] > 0
    told = done("sched", "stats", "--json").json
    assert all(sum(cpus) == told["total"][name] for name, cpus in told["per_cpu"].items())
    assert told["total"]["WHOLE_STAT_GLOBAL"] >= first["WHOLE_STAT_GLOBAL"]
    assert variables()["slice_ns"] == 3_000_000


def counted() -> dict[str, int]:
    return done("sched", "stats", "--json").json["total"]


@pytest.mark.ejects
def test_its_dump_is_read_where_its_headers_put_it(whole: str) -> None:
    outcome = scxhid("sched", "use", whole, "fail=on", "--trial", "10")
    assert outcome.status == 1
    assert "told to fail" in outcome.err
    kernel.wait_disabled()
    event = done("sched", "log", "--json").json[-1]
    assert (event["event"], event["exit"]["kind_name"]) == ("ejected", "error_bpf")
    assert "CPU states" in event["exit"]["dump"]
    assert len(event["exit"]["dump"]) < 16384  # its ops say exit_dump_len


@pytest.mark.ejects
def test_a_cpu_that_goes_ends_it_and_it_asks_for_a_restart(whole: str, hotplug: Path) -> None:
    use(whole)
    hotplug.write_text("0")
    kernel.wait_disabled()
    sched_log = done("sched", "log").out
    assert "it asks to be started again after CPU hotplug" in sched_log
    hotplug.write_text("1")
    use(whole)  # loaded afresh, it knows of the change
    assert kernel.ops() == "whole"


@pytest.mark.ejects
def test_a_cpu_that_goes_between_load_and_attach_is_noticed(whole: str, hotplug: Path) -> None:
    with ObjectSpec.open(whole).load() as standby:
        hotplug.write_text("0")
        with contextlib.suppress(AttachError):
            standby.attach("whole_ops")
        kernel.wait_disabled()
        kernel.wait_for(
            "its exit record", lambda: standby.exit_record and standby.exit_record.read()
        )
        assert standby.exit_record
        info = standby.exit_record.read()
    assert info is not None
    assert (info.kind_name, info.asks_restart, info.is_hotplug) == ("unreg_kern", True, True)
    assert "hotplug seq" in info.message
    assert running.current() is None


@pytest.mark.parametrize(
    ("name", "ops"), [("elsewhere_unlinked", "unlinked"), ("elsewhere_optional", "optional")]
)
def test_other_sections_are_attached_like_the_usual_one(
    program: Program, name: str, ops: str
) -> None:
    use(program(name))
    assert (kernel.ops(), sched_status()["policy"]) == (ops, ops)
    done("sched", "stop")
    assert kernel.ops() == ""
    done("sched", "back")
    assert kernel.ops() == ops


def test_a_half_runs_and_the_user_is_told_what_is_missing(program: Program) -> None:
    outcome = use(program("elsewhere_half"))
    assert kernel.ops() == "half"
    assert "warning: its own user-space program fills the queue decided" in outcome.err
    assert "does not honour nice, cpu.weight, cpu.max, cpu.idle" in outcome.err
    kernel.wait_for("a task to be queued", lambda: counted()["counted[1]"] > 0)
    assert counted()["counted[0]"] == 0


@pytest.mark.parametrize(
    ("name", "status", "words"),
    [
        ("elsewhere_new_field", 3, "sets only_for_cgroup of sched_ext_ops, which this kernel"),
        ("elsewhere_new_flag", 3, "needs the flag 0x10000000000, which this kernel"),
        ("elsewhere_sizeless", 1, "which gives the map pairs a size"),
        ("elsewhere_sub", 1, "the form for sub-schedulers (Linux 7.3), which is not supported yet"),
    ],
)
def test_what_would_be_something_else_is_refused(
    program: Program, name: str, status: int, words: str
) -> None:
    before = kernel.enable_seq()
    outcome: Outcome = scxhid("sched", "use", program(name))
    assert (outcome.status, kernel.enable_seq()) == (status, before)
    assert words in outcome.err
    assert outcome.err.splitlines()[-1].startswith("scxhid: ")
