"""Raised for the moment between two schedulers, and as before afterwards."""

from __future__ import annotations

import os
import subprocess

import pytest

from pyloader.swap.urgent import PRIORITY, urgent


def policy_now() -> tuple[int, int]:
    return os.sched_getscheduler(0) & ~os.SCHED_RESET_ON_FORK, os.sched_getparam(0).sched_priority


def test_real_time_inside_and_as_before_after_an_error() -> None:
    before = policy_now()
    seen: list[tuple[int, int]] = []
    with pytest.raises(OSError, match="/absent"), urgent():
        os.stat(seen.append(policy_now()) or "/absent")
    assert seen == [(os.SCHED_FIFO, PRIORITY)]
    assert policy_now() == before


def test_what_it_starts_is_not_real_time() -> None:
    with urgent():
        said = subprocess.run(["chrt", "-p", "0"], capture_output=True, text=True, check=True)
    assert "SCHED_OTHER" in said.stdout


def test_a_real_time_caller_stays_as_it_is() -> None:
    os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(7))
    try:
        with urgent():
            assert policy_now() == (os.SCHED_RR, 7)
        assert policy_now() == (os.SCHED_RR, 7)
    finally:
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))


def test_without_the_privilege_nothing_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    before = policy_now()
    monkeypatch.setattr(os, "sched_setscheduler", refuse)
    with urgent():
        assert policy_now() == before
