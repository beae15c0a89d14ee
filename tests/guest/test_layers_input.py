"""Rules of layers for input: whom an event is for goes first, and nobody can live on it."""

from __future__ import annotations

import os
import struct
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

import pytest

from tests.guest.command import done, use
from tests.guest.conftest import Program
from tests.guest.crowd import Identity, crowd, ran_in
from tests.guest.evdev import Events
from tests.guest.hid import Plugged
from tests.guest.hid_reports import mouse_report
from tests.guest.test_layers import CPUS, TESTER, colour, figures
from tests.hid_descriptors import MOUSE

#: A layer for whom input is, and one where all of this is: readers, and those who keep CPUs busy.
RULES = """
[layer.tester]
weight = 400
latency = "interactive"
preempt = true
[layer.first]
weight = 400
latency = "interactive"
preempt = true
[layer.blue]
slice_us = 20000
[[rule]]
layer = "tester"
comm = "{tester}"
{rule}
[[rule]]
layer = "blue"
comm = "blue*"
"""
FOR_INPUT = '[[rule]]\nlayer = "first"\ninput = true'


@pytest.fixture
def mouse() -> Generator[Plugged]:
    with Plugged("Mouse", MOUSE) as made:
        assert made.is_bound()
        made.settle()
        yield made


def follow(folder: Path, rule: str) -> Any:
    """The rules with this one in them, from now on; what the command printed."""
    path = folder / "rules.toml"
    path.write_text(RULES.format(tester=TESTER, rule=rule))
    return done("sched", "rules", str(path), "--json").json


@contextmanager
def first_is_on() -> Generator[None]:
    assert "layers runs and looks at marks" in done("input", "on").out
    try:
        yield
    finally:
        done("input", "off")


@contextmanager
def only_on(cpu: int, policy: int = os.SCHED_OTHER) -> Generator[None]:
    """This process runs there only."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {cpu})
    os.sched_setscheduler(0, policy, os.sched_param(policy != os.SCHED_OTHER))
    try:
        yield
    finally:
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
        os.sched_setaffinity(0, before)


def reader(mouse: Plugged, then: Callable[[], object]) -> Callable[[], None]:
    """Waits for events of the mouse, reads all that are there, and does something."""

    def work() -> None:
        with Events(mouse) as events:
            while events.read(60):
                then()

    return work


def waits_ms(mouse: Plugged, events: int, told: int) -> float:
    """The median from a report to whoever reads it, who writes the moment into a pipe."""
    found: list[float] = []
    for n in range(events):
        time.sleep(0.005 + n % 7 / 1000)
        sent = time.monotonic()
        mouse.uhid.send(mouse_report(x=1))
        found.append(1e3 * (struct.unpack("d", os.read(told, 8))[0] - sent))
    return median(found)


@pytest.mark.parametrize("how", [(), pytest.param(("--direct",), marks=pytest.mark.slow)])
def test_a_rule_for_input_lets_whom_it_is_for_go_first(
    program: Program, mouse: Plugged, tmp_path: Path, how: tuple[str, ...]
) -> None:
    use(program("layers"), *how)
    told, tell = os.pipe()
    stamp = reader(mouse, lambda: os.write(tell, struct.pack("d", time.monotonic())))
    # Not where this process runs: it makes room when it has sent something.
    with crowd([Identity("blue", cpus=frozenset({1}))], stamp), crowd(colour("blue")):
        assert follow(tmp_path, FOR_INPUT)["hint"].startswith("rule 2 fits nothing as long as")
        with only_on(0):
            off = waits_ms(mouse, 15, told)
        assert figures()["first"]["enqueued"] == 0
        with first_is_on():
            with only_on(0):
                on = waits_ms(mouse, 30, told)
            first = figures()["first"]
            with only_on(1, os.SCHED_FIFO):  # like a thread that serves an interrupt
                interrupted = waits_ms(mouse, 30, told)
            follow(tmp_path, "")
            assert "none of its rules has input = true" in done("input", "on").out
            with only_on(0):
                without = waits_ms(mouse, 15, told)
    assert first["enqueued"] >= 20  # one that is still awake is not woken
    assert first["preempting"] >= 15
    said = f"{on} ms, {interrupted} behind real time, {off} off, {without} without a rule"
    assert 3 * max(on, interrupted) < min(off, without), said


@pytest.mark.slow
def test_a_flood_of_input_into_those_that_spin_starves_nobody(
    program: Program, mouse: Plugged, tmp_path: Path
) -> None:
    use(program("layers"))
    follow(tmp_path, FOR_INPUT)

    def spin() -> None:
        until = time.thread_time() + 0.003  # within the budget
        while time.thread_time() < until:
            pass

    def flood() -> None:
        while True:
            mouse.uhid.send(mouse_report(x=1))

    with (
        first_is_on(),
        crowd([Identity("blue")] * CPUS, reader(mouse, spin)),
        crowd([Identity("flood")], flood),
        crowd(colour("blue", 1)) as hogs,
    ):
        time.sleep(1)
        for _ in range(4):
            assert min(ran_in(1, *[[hog] for hog in hogs])) > 50_000_000
        assert figures()["first"]["run_ns"] > 500_000_000
