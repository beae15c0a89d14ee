"""Frequencies of CPUs: read once a second from files that stay open."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pyloader import sysfs
from pyloader.probes.frequency import FrequencyReader


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def cpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two CPUs with a frequency, and one without."""
    monkeypatch.setattr(sysfs, "_CPUS", str(tmp_path))
    for cpu, khz in enumerate(("800000", "2400000")):
        (tmp_path / f"cpu{cpu}/cpufreq").mkdir(parents=True)
        put(tmp_path, cpu, khz)
    (tmp_path / "cpu2").mkdir()
    return tmp_path


def put(cpus: Path, cpu: int, text: str) -> None:
    (cpus / f"cpu{cpu}/cpufreq/scaling_cur_freq").write_text(f"{text}\n")


def test_each_is_told_in_the_order_that_was_asked(cpus: Path, clock: Clock) -> None:
    with FrequencyReader(clock) as reader:
        assert reader.read([1, 2, 0]).tolist() == [2400, -1, 800]


def test_it_is_read_once_a_second(cpus: Path, clock: Clock) -> None:
    with FrequencyReader(clock) as reader:
        reader.read([0, 1])
        put(cpus, 0, "900000")
        clock.now = 0.9
        assert reader.read([0, 1]).tolist() == [800, 2400]
        clock.now = 1.0
        assert reader.read([0, 1]).tolist() == [900, 2400]


def test_nothing_is_opened_again(cpus: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    with FrequencyReader(clock) as reader:
        reader.read([0, 1, 2])
        monkeypatch.setattr(sysfs, "open_cpu_mhz", pytest.fail)
        clock.now = 5.0
        assert reader.read([0, 1, 2]).tolist() == [800, 2400, -1]


def test_a_cpu_that_comes_is_told_at_once(cpus: Path, clock: Clock) -> None:
    with FrequencyReader(clock) as reader:
        reader.read([0, 1])
        (cpus / "cpu2/cpufreq").mkdir()
        put(cpus, 2, "1200000")
        assert reader.read([0, 1, 2]).tolist() == [800, 2400, 1200]


def test_what_is_no_number_is_not_told(cpus: Path, clock: Clock) -> None:
    put(cpus, 0, "<unknown>")
    with FrequencyReader(clock) as reader:
        assert reader.read([0, 1]).tolist() == [-1, 2400]
    assert sysfs.cpu_mhz(0) is None
    assert sysfs.cpu_mhz(1) == 2400


def test_files_are_closed_and_not_too_many(
    cpus: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pyloader.probes.frequency._MOST_OPEN", 1)
    before = len(os.listdir("/proc/self/fd"))
    reader = FrequencyReader(clock)
    assert reader.read([0, 1]).tolist() == [800, 2400]
    assert len(os.listdir("/proc/self/fd")) == before + 1
    reader.close()
    reader.close()
    assert len(os.listdir("/proc/self/fd")) == before
