"""Somebody else's scheduler: named, left alone, and taken off only when told to."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator
from typing import Any

import pytest

from pyloader import ObjectSpec, libbpf
from tests.guest import kernel
from tests.guest.command import done, sched_status, scxhid, use
from tests.guest.conftest import Program
from tests.guest.processes import Child, pause
from tests.guest.running import policy

THEIRS = kernel.BPF_FS / "theirs"


@pytest.fixture
def pinned(program: Program) -> Generator[None]:
    """A scheduler that another tool attached and pinned elsewhere in the BPF file system."""
    spec = ObjectSpec.open(program("exits_by_itself"))
    THEIRS.mkdir()
    with spec.load() as loaded:
        libbpf.pin(loaded.attach("exits_by_itself").fd, str(THEIRS / "link"))
    kernel.wait_for("theirs to run", kernel.ops)
    yield
    kernel.unpin(THEIRS)


@pytest.fixture
def held(program: Program) -> Generator[Child]:
    """A scheduler that lives as long as the process that attached it."""
    spec = ObjectSpec.open(program("exits_by_itself"))

    def attach(tell: Callable[[Any], None]) -> None:
        with spec.load() as loaded:
            loaded.attach("exits_by_itself")
            tell("attached")
            pause()

    child = Child(attach)
    assert child.hear() == "attached"
    kernel.wait_for("theirs to run", kernel.ops)
    yield child
    child.kill()


def assert_refused(simple: str, *names: str) -> None:
    before = kernel.enable_seq()
    outcome = scxhid("sched", "use", simple)
    assert outcome.status == 1
    assert len(outcome.errors) == 1
    for name in ("exits_by_itself", "nothing was changed", "--replace", *names):
        assert name in outcome.err
    assert (kernel.ops(), kernel.enable_seq()) == ("exits_by_itself", before)
    assert not kernel.pins()


@pytest.mark.usefixtures("pinned")
def test_a_pinned_one_is_left_alone_and_its_pin_named(simple: str) -> None:
    assert_refused(simple, "the pin /sys/fs/bpf/theirs/link")


def test_a_held_one_is_left_alone_and_its_process_named(simple: str, held: Child) -> None:
    assert_refused(simple, f"({held.pid})")


@pytest.mark.usefixtures("pinned")
def test_replace_takes_a_pinned_one_off(simple: str) -> None:
    use(simple, "--replace")
    assert policy() == "simple"
    assert not (THEIRS / "link").exists()
    assert sched_status()["mode"] == "hosted"


@pytest.mark.usefixtures("held")
def test_replace_takes_a_held_one_off(simple: str) -> None:
    use(simple, "--replace")
    assert policy() == "simple"
    events = [(e["event"], e["name"]) for e in done("sched", "log", "--json").json]
    assert events == [("replaced", "exits_by_itself"), ("attached", "simple")]


@pytest.mark.usefixtures("pinned")
def test_status_says_that_it_is_not_ours() -> None:
    found = sched_status()
    assert (found["mode"], found["ops"], found["policy"]) == ("foreign", "exits_by_itself", None)
    assert "exits_by_itself (not attached by scxhid)" in done("status").out


@pytest.mark.usefixtures("pinned")
def test_our_commands_do_not_touch_it() -> None:
    assert done("sched", "stop").out == "nothing of scxhid's was attached; nothing changed\n"
    for words in (["set", "leave=on"], ["knobs"], ["stats"]):
        outcome = scxhid("sched", *words)
        assert outcome.status == 1
        assert "exits_by_itself, which is not ours, runs" in outcome.err
    assert kernel.ops() == "exits_by_itself"


@pytest.mark.usefixtures("pinned")
def test_a_refusal_of_the_verifier_comes_before_replace(program: Program) -> None:
    before = kernel.enable_seq()
    assert scxhid("sched", "use", program("refused"), "--replace").status == 1
    assert (kernel.ops(), kernel.enable_seq()) == ("exits_by_itself", before)
    assert os.path.exists(THEIRS / "link")
