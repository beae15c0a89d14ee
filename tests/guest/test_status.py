"""``status`` tells the truth in every state, also when nobody watched."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pyloader import ObjectSpec
from tests.guest import kernel
from tests.guest.command import done, sched_status, use
from tests.guest.conftest import Program
from tests.guest.processes import Child, pause
from tests.guest.running import HOST_OPS, policy

KEYS = {"state", "ops", "policy", "mode", "since", "knobs_changed", "last_exit"}


def test_nothing_attached() -> None:
    found = sched_status()
    assert set(found) == KEYS
    assert (found["state"], found["mode"], found["ops"]) == ("disabled", "none", None)
    assert done("status").out == "scheduler  the kernel's own (sched_ext is disabled)\n"


def test_ours(simple: str) -> None:
    use(simple, "slice_us=3000")
    found = sched_status()
    assert set(found) == KEYS
    assert (found["state"], found["mode"]) == ("enabled", "hosted")
    assert (found["ops"], found["policy"]) == (HOST_OPS, "simple")
    assert found["since"] > 1_600_000_000
    said = done("status").out
    assert "simple (hosted by scxhid, since " in said
    assert "slice_us = 3000" in said
    assert [s["name"] for s in done("sched", "list", "--json").json if s["runs"]] == ["simple"]


@pytest.mark.ejects
def test_left_by_itself_while_nobody_watched(program: Program, simple: str) -> None:
    use(program("exits_by_itself"), "code=7")
    done("sched", "set", "leave=on")
    kernel.wait_disabled()
    found = sched_status()
    assert (found["mode"], found["policy"]) == ("none", None)
    exit_ = found["last_exit"]
    assert exit_["name"] == "exits_by_itself"
    # Debian's 7.2.12 hides scx_bpf_exit from programs, which then end with an error (compat.h).
    can_exit = not os.uname().release.startswith("7.2.12")
    assert exit_["kind_name"] == ("unreg_bpf" if can_exit else "error_bpf")
    assert exit_["exit_code"] == 7 or not can_exit
    assert exit_["message"] == "leaving as asked, with code 7"
    assert "leaving as asked, with code 7" in done("status").out
    event = done("sched", "log", "--json").json[-1]
    assert event["name"] == "exits_by_itself"
    assert event["exit"]["exit_code"] == exit_["exit_code"]
    use(simple)
    assert sched_status()["policy"] == "simple"


@pytest.mark.ejects
def test_thrown_out_for_an_error_while_nobody_watched(program: Program, simple: str) -> None:
    use(program("error"))
    done("sched", "set", "fail=on")
    kernel.wait_disabled()
    exit_ = sched_status()["last_exit"]
    assert exit_["kind_name"] == "error_bpf"
    assert "told to fail while queueing" in exit_["message"]
    use(simple)
    assert policy() == "simple"
    events = done("sched", "log", "--json").json
    assert [e["event"] for e in events] == ["attached", "ejected", "attached"]
    assert "told to fail while queueing" in done("sched", "log", "--dump").out


@pytest.mark.ejects
def test_the_log_keeps_an_ejection_once(program: Program) -> None:
    use(program("error"))
    done("sched", "set", "fail=on")
    kernel.wait_disabled()
    for _ in range(2):
        events = [e["event"] for e in done("sched", "log", "--json").json]
        assert events == ["attached", "ejected"]


@pytest.mark.ejects
def test_taken_off_with_sysrq(simple: str) -> None:
    use(simple)
    Path("/proc/sysrq-trigger").write_text("S")
    kernel.wait_disabled()
    exit_ = sched_status()["last_exit"]
    assert (exit_["name"], exit_["kind_name"]) == ("simple", "sysrq")
    use(simple)
    assert sched_status()["last_exit"] is None


@pytest.mark.ejects
def test_another_one_of_the_same_name_is_not_taken_for_ours(program: Program) -> None:
    path = program("exits_by_itself")
    use(path)
    done("sched", "set", "leave=on")
    kernel.wait_disabled()

    def attach(tell: Callable[[Any], None]) -> None:
        with ObjectSpec.open(path).load() as loaded:
            loaded.attach("exits_by_itself")
            tell("attached")
            pause()

    theirs = Child(attach)
    assert theirs.hear() == "attached"
    kernel.wait_for("theirs to run", kernel.ops)
    found = sched_status()
    theirs.kill()
    assert (found["mode"], found["ops"], found["policy"]) == ("foreign", "exits_by_itself", None)
