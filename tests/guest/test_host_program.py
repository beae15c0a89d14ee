"""The resident host by itself: policies come and go, and sched_ext stays enabled."""

from __future__ import annotations

import os
import time

import pytest

from tests.guest import kernel
from tests.guest.conftest import Program
from tests.guest.hosting import HOST_OPS, NO_SLOT, DrivenHost, driven
from tests.guest.processes import hogs
from tests.guest.workers import busy, working


def assert_undisturbed(host: DrivenHost, seq: int) -> None:
    ended = host.ended()
    assert ended is None, ended.sentence()
    assert (kernel.ops(), kernel.enable_seq()) == (HOST_OPS, seq)


def test_without_a_policy_it_is_a_global_queue() -> None:
    with driven() as host, working() as workers:
        workers.all_go_on(within_s=5)
        assert host.value("current_slot") == NO_SLOT


def test_a_policy_is_called_once_its_slot_is_current(simple: str) -> None:
    with driven() as host:
        seq = kernel.enable_seq()
        generation, policy = host.load(simple)
        assert policy.variables["policy_nr_dsqs"].value == 1
        host.fill(0, generation, policy, "simple")
        assert sum(policy.maps["stats"].read()["v"][0].sum(axis=0)) == 0
        host.change(0)
        with hogs(per_cpu=2):
            time.sleep(0.5)
        assert sum(policy.maps["stats"].read()["v"][0].sum(axis=0)) > 10
        assert host.value("first_at") >= host.value("switched_at") > 0
        assert_undisturbed(host, seq)


def test_a_hundred_changes_under_load_lose_no_task(simple: str) -> None:
    with driven() as host:
        seq = kernel.enable_seq()
        for slot in (0, 1):
            generation, policy = host.load(simple, fifo=bool(slot))
            host.fill(slot, generation, policy, "simple")
        left_over = 0
        with hogs(per_cpu=1), working() as workers:
            for turn in range(100):
                host.change(turn % 2)
                left_over += host.value("nr_left_over")
            workers.all_go_on(within_s=5)
        assert_undisturbed(host, seq)
        assert host.value("nr_switches") == 100
        assert left_over > 10


def test_a_slot_is_used_again(simple: str) -> None:
    with driven() as host, working() as workers:
        seq = kernel.enable_seq()
        for turn in range(6):
            slot = turn % 3
            host.clear(slot)
            host.grace()
            assert host.retire(slot) == 0
            generation, policy = host.load(simple)
            host.fill(slot, generation, policy, "simple")
            host.change(slot)
            assert_undisturbed(host, seq)
        workers.all_go_on(within_s=5)


def test_back_to_no_policy_and_on_again(simple: str) -> None:
    with driven() as host, working() as workers:
        seq = kernel.enable_seq()
        generation, policy = host.load(simple)
        host.fill(0, generation, policy, "simple")
        for _ in range(2):
            host.change(0)
            assert host.switch(NO_SLOT) == 0
            host.grace()
            host.drain_wholly(0)
        workers.all_go_on(within_s=5)
        assert_undisturbed(host, seq)


def test_the_slot_that_is_current_cannot_be_retired(simple: str) -> None:
    with driven() as host:
        generation, policy = host.load(simple)
        host.fill(0, generation, policy, "simple")
        host.change(0)
        assert host.retire(0) == -22
        assert host.switch(NO_SLOT + 1) == -22
        assert host.value("current_slot") == 0


def test_no_third_policy_before_the_first_is_drained(simple: str) -> None:
    with driven() as host, working() as workers:
        for slot in (0, 1, 2):
            generation, policy = host.load(simple)
            host.fill(slot, generation, policy, "simple")
        host.change(0)
        assert host.switch(1) == 0
        assert (host.value("previous_slot"), host.value("draining_slot")) == (0, 0)
        assert host.switch(2) == -16
        assert host.switch(0) == 0  # the way back is always open
        host.grace()
        host.drain_wholly(1)
        assert host.switch(2) == 0
        workers.all_go_on(within_s=5)


def test_no_cpu_is_left_out(simple: str) -> None:
    with driven() as host:
        generation, policy = host.load(simple)
        host.fill(0, generation, policy, "simple")
        host.change(0)
        with working([busy] * 2 * (os.cpu_count() or 1)) as workers:
            workers.all_go_on(within_s=5)


@pytest.mark.slow
@pytest.mark.ejects
def test_the_dump_of_a_stall_names_the_queue_and_so_the_policy(
    simple: str, program: Program
) -> None:
    with driven() as host, hogs(per_cpu=1, nice=5):
        generation, policy = host.load(simple)
        host.fill(0, generation, policy, "simple")
        host.change(0)
        generation, policy = host.load(program("hosted_stall"), first_ms=60_000)
        host.fill(1, generation, policy, "hosted_stall")
        host.change(1)
        kernel.wait_for("the watchdog", host.ended)
        ended = host.ended()
        assert ended.kind_name == "error_stall"
        assert "failed to run for" in ended.message
        assert f"{generation << 32 | 1:x}" in ended.dump
    kernel.wait_disabled()
