"""Why a scheduler ended, in one sentence."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from pyloader import exitrecord
from pyloader.exitinfo import ExitInfo, from_record


@pytest.mark.parametrize(
    ("info", "sentence"),
    [
        (
            ExitInfo(1026, 0, "runnable task stall", "sh[12] failed to run for 5.128s"),
            "a runnable task was not run in time: runnable task stall: "
            "sh[12] failed to run for 5.128s",
        ),
        (
            ExitInfo(1025, 0, "scx_bpf_error", "told to fail"),
            "it reported an error: scx_bpf_error: told to fail",
        ),
        (ExitInfo(1024, -22, "runtime error", "ops.init() failed (-22)"),
         "the kernel found an error: runtime error: ops.init() failed (-22) (exit code -0x16)"),
        (ExitInfo(64, 0, "", ""), "taken off by user space"),
        (ExitInfo(67, 0, "disabled by sysrq-S", "disabled by sysrq-S"),
         "taken off with SysRq-S: disabled by sysrq-S"),
        (ExitInfo(4711, 3, "", "new"), "ended with exit kind 4711: new (exit code 0x3)"),
    ],
)  # fmt: skip
def test_every_kind_is_told_in_words(info: ExitInfo, sentence: str) -> None:
    assert info.sentence() == sentence
    assert "\n" not in sentence


def test_kinds_have_the_kernels_names() -> None:
    names = {kind: ExitInfo(kind, 0, "", "").kind_name for kind in (64, 65, 1026, 4711)}
    assert names == {64: "unreg", 65: "unreg_bpf", 1026: "error_stall", 4711: "kind_4711"}


@pytest.mark.parametrize(("kind", "asked"), [(64, True), (1, True), (65, False), (1026, False)])
def test_only_what_user_space_did_was_asked_for(kind: int, asked: bool) -> None:
    assert ExitInfo(kind, 0, "", "").was_asked_for is asked


def test_hotplug_asks_for_a_restart() -> None:
    # SCX_ECODE_ACT_RESTART | SCX_ECODE_RSN_HOTPLUG, as kernel/sched/ext*.h has them
    assert ExitInfo(66, 1 << 48 | 1 << 32, "", "").asks_restart
    assert not ExitInfo(66, 1 << 32, "", "").asks_restart
    assert ExitInfo(66, 1 << 48 | 1 << 32, "", "").is_hotplug


@pytest.mark.parametrize("code", [0, -3, -1, 42, 1 << 49, (1 << 32) - 1])
def test_other_codes_ask_for_nothing(code: int) -> None:
    assert not ExitInfo(65, code, "", "").asks_restart
    assert not ExitInfo(65, code, "", "").is_hotplug


def test_sentence_tells_that_it_asks_for_a_restart() -> None:
    info = ExitInfo(66, 1 << 48 | 1 << 32, "unregistered from the main kernel", "cpu 1 going")
    assert info.sentence().endswith("cpu 1 going (it asks to be started again after CPU hotplug)")
    by_itself = ExitInfo(65, 1 << 48 | 7, "", "new layout")
    assert by_itself.sentence() == "ended by itself: new layout (it asks to be started again)"


RECORD = {"recorded": 1, "kind": 1025, "exit_code": 7, "reason": "r", "msg": "m", "dump": "d"}


def test_record_of_our_programs_is_read() -> None:
    info = from_record({**RECORD, "boot_ns": time.clock_gettime_ns(time.CLOCK_BOOTTIME)})
    assert info
    assert (info.kind, info.exit_code, info.reason, info.message, info.dump) == (
        1025,
        7,
        "r",
        "m",
        "d",
    )
    assert abs(info.time_ns - time.time_ns()) < 1_000_000_000


def test_record_of_the_sched_ext_projects_programs_is_read() -> None:
    info = from_record({"kind": 65, "exit_code": 0, "reason": "r", "msg": "m"})
    assert info == ExitInfo(65, 0, "r", "m")


@pytest.mark.parametrize("record", [{**RECORD, "recorded": 0}, {"kind": 0, "msg": ""}, {}])
def test_record_is_none_until_it_is_complete(record: dict[str, Any]) -> None:
    assert from_record(record) is None


def test_exit_is_plain_json() -> None:
    told = json.loads(json.dumps(ExitInfo(1026, 0, "r", "m").to_json()))
    assert told == {
        "kind": 1026,
        "kind_name": "error_stall",
        "exit_code": 0,
        "reason": "r",
        "message": "m",
        "dump": "",
        "time_ns": 0,
    }


def test_exit_variable_is_found_by_its_shape() -> None:
    assert exitrecord.in_variables({}) is None
