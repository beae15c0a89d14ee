"""Which schedulers the resident host can take, and why not the others."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable

import pytest

from pyloader import catalog, hosted, sched
from pyloader.spec import ObjectSpec

SpecOf = Callable[[str], ObjectSpec]

PASSED_ON = frozenset({"select_cpu", "enqueue", "dispatch", "running", "stopping", "enable"})
ALL = PASSED_ON | {"cpu_online", "cpu_offline"}


def why_not(spec: ObjectSpec, passed_on: frozenset[str] = ALL) -> str:
    return hosted.why_not(spec, spec.sole_ops(sched.OPS), passed_on)


def test_simple_can_be_hosted(spec_of: SpecOf) -> None:
    assert why_not(spec_of("simple")) == ""
    assert sched.why_not_hosted(spec_of("simple")) == ""


def test_one_that_does_not_say_so_cannot(spec_of: SpecOf) -> None:
    assert "HOSTABLE" in why_not(spec_of("exits_by_itself"))


def test_a_callback_that_the_host_lacks_is_named(spec_of: SpecOf) -> None:
    assert why_not(spec_of("simple"), PASSED_ON).endswith("cpu_offline, cpu_online")


@pytest.mark.parametrize(
    ("field", "words"), [("flags", "flags of its own"), ("dispatch_max_batch", "batch of its own")]
)
def test_one_that_needs_more_than_the_host_gives(spec_of: SpecOf, field: str, words: str) -> None:
    spec = spec_of("simple")
    ops = spec.sole_ops(sched.OPS)
    needy = dataclasses.replace(ops, fields={**ops.fields, field: 2})
    assert words in hosted.why_not(spec, needy, ALL)


def test_one_without_an_init_that_the_loader_can_run(spec_of: SpecOf) -> None:
    spec = spec_of("simple")
    programs = {name: p for name, p in spec.programs.items() if name != "policy_init"}
    assert "POLICY_INIT" in why_not(dataclasses.replace(spec, programs=programs))


@pytest.mark.parametrize("name", sorted(catalog.schedulers()))
def test_what_a_scheduler_says_of_its_callbacks_is_true(spec_of: SpecOf, name: str) -> None:
    spec = spec_of(name)
    if spec.hostable is None:
        return
    callbacks = set(spec.sole_ops(sched.OPS).callbacks) - {"init", "exit"}
    assert set(spec.hostable.callbacks) == callbacks
    assert sched.why_not_hosted(spec) == ""


def test_no_two_generations_are_alike() -> None:
    first = hosted.new_generation()
    time.sleep(0.002)
    assert 0 < first < 1 << 31
    assert hosted.new_generation() != first
