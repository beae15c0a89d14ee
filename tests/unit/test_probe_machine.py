"""The machine as a whole: what is in procfs, and that nothing in it does harm."""

from __future__ import annotations

import os
import socket
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyloader.probes import machine

MEMORY = (
    "MemTotal:        8000 kB\nMemFree:          500 kB\nMemAvailable:    6000 kB\nBuffers: 9 kB\n"
)
PRESSURE = """some avg10=12.50 avg60=1.00 avg300=0.10 total=5
full avg10=3.00 avg60=0.00 avg300=0.00 total=1
"""


def test_the_load_and_the_number_of_tasks() -> None:
    assert machine.parse_load("0.90 10.22 0.23 2/731 29701\n") == ((0.9, 10.22, 0.23), 731)


def test_pressure_is_that_of_some() -> None:
    assert machine.parse_pressure(PRESSURE) == 12.5


def test_memory_that_could_be_given_away_is_not_used() -> None:
    assert machine.parse_memory(MEMORY) == (2000 << 10, 8000 << 10)


def test_without_figures_there_are_none() -> None:
    assert machine.parse_load("") == ((0, 0, 0), 0)
    assert machine.parse_pressure("") is None
    assert machine.parse_memory("") == (0, 0)


def test_this_machine_is_told() -> None:
    found = machine.read()
    assert (found.host, found.kernel) == (socket.gethostname(), os.uname().release)
    assert found.uptime_s == pytest.approx(time.clock_gettime(time.CLOCK_BOOTTIME), abs=5)
    assert found.load == pytest.approx(os.getloadavg(), abs=0.5)
    assert found.memory_total == pytest.approx(
        os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"), rel=0.01
    )
    assert 0 < found.memory_used < found.memory_total
    assert found.tasks >= 1
    assert set(found.pressure) <= set(machine.RESOURCES)


def test_pressure_that_is_not_told_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = {"/proc/pressure/io": PRESSURE}
    monkeypatch.setattr(machine, "_text", lambda path: texts.get(path, ""))
    assert machine.read().pressure == {"io": 12.5}


def test_it_takes_less_than_a_millisecond() -> None:
    took: list[float] = []
    for _ in range(20):
        began = time.perf_counter()
        machine.read()
        took.append(time.perf_counter() - began)
    assert min(took) < 1e-3


LIKELY = st.text(st.sampled_from("0123456789./ \nsomeavg10=kBMTtlFr:\u0661"))


@given(st.one_of(LIKELY, st.text()))
def test_nothing_in_it_does_harm(text: str) -> None:
    (one, five, fifteen), tasks = machine.parse_load(text)
    assert min(one, five, fifteen, tasks) >= 0
    share = machine.parse_pressure(text)
    assert share is None or share >= 0
    used, total = machine.parse_memory(text)
    assert 0 <= used <= max(total, used)


@given(*(st.floats(0, 1e4) for _ in range(3)), st.integers(0, 1 << 22), st.integers(0, 1 << 22))
def test_what_the_kernel_writes_is_read(
    one: float, five: float, fifteen: float, tasks: int, last: int
) -> None:
    text = f"{one:.2f} {five:.2f} {fifteen:.2f} 1/{tasks} {last}\n"
    loads, count = machine.parse_load(text)
    assert loads == pytest.approx((one, five, fifteen), abs=0.006)
    assert count == tasks


@given(st.integers(0, 1 << 40), st.integers(0, 1 << 40))
def test_memory_as_the_kernel_writes_it_is_read(total: int, available: int) -> None:
    text = f"MemTotal:       {total:8} kB\nMemAvailable:   {available:8} kB\n"
    assert machine.parse_memory(text) == (max(total - available, 0) << 10, total << 10)
