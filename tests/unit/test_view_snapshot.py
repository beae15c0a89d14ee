"""Snapshots: what is not known is told as that, and few samples make no far percentile."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pyloader.probes.histogram import NR_BUCKETS
from pyloader.probes.input import STAGES, DeviceLatency, between
from pyloader.view.snapshot import CPU, Snapshot
from tui import cli


def snapshot(samples: int, *, probed: bool = True) -> Snapshot:
    cpus = np.full(2, -1, CPU)
    cpus["cpu"] = (0, 3)
    for name in CPU.names or ():
        if CPU[name].kind == "f":
            cpus[name] = np.nan
    cpus["busy"] = (0.5, 1.0)
    if probed:
        cpus["ext"], cpus["waiting"], cpus["switches"] = 0.25, 1.5, 12345
    waits = np.zeros((2, NR_BUCKETS), np.uint32)
    waits[0, 80] = samples  # 2^12 ns and more
    return Snapshot(1.0, 2.0, cpus, waits if probed else None)


def test_what_is_not_known_is_null() -> None:
    first, second = snapshot(0, probed=False).to_json()["cpus"]
    assert (first["busy"], first["ext"], first["mhz"], first["waiting"]) == (0.5, None, None, None)
    assert (second["cpu"], second["busy"]) == (3, 1.0)
    assert snapshot(0, probed=False).to_json()["latency"] is None


@pytest.mark.parametrize(
    ("samples", "told"),
    [(0, []), (1, ["p50_us"]), (99, ["p50_us", "p90_us"]), (999, ["p50_us", "p90_us", "p99_us"])],
)
def test_a_percentile_needs_samples(samples: int, told: list[str]) -> None:
    said = snapshot(samples).latency_json() or {}
    assert said.pop("samples") == samples
    assert [name for name, value in said.items() if value is not None] == told
    assert all(4.1 <= said[name] <= 4.61 for name in told)


def test_a_table_has_the_columns_that_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    cli.show(snapshot(5))
    out = capsys.readouterr().out
    assert out.splitlines()[0].split() == ["CPU", "BUSY", "SCHED_EXT", "WAITING", "SWITCHES/s"]
    assert out.splitlines()[2].split() == ["3", "100", "%", "25", "%", "1.50", "12,345"]
    assert "scheduler  the kernel's own" in out
    assert "(5 wake-ups in 2.0 s)" in out
    cli.show(snapshot(0, probed=False))
    assert "woken" not in capsys.readouterr().out


def latency(reports: int, total: int) -> DeviceLatency:
    stages = np.zeros((len(STAGES), NR_BUCKETS), np.uint64)
    stages[:, 80] = total
    return DeviceLatency(
        "0003:046D:C52B.0004", "A mouse", stages.sum(axis=0), stages, reports, 3 * reports, 2, 1, 0
    )


def test_of_devices_only_what_came_meanwhile_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    before = {"a": latency(5, 5), "b": latency(7, 7)}
    assert between(before, before) == ()
    [seen] = between(before, {"a": latency(15, 10), "b": latency(7, 7)})
    assert (seen.reports, seen.events, seen.coalesced) == (10, 30, 0)
    assert seen.to_json()["stages"]["wait"]["samples"] == 5
    assert seen.to_json()["total"]["samples"] == 25
    cli.show(replace(snapshot(5), devices=(seen,)))
    out = capsys.readouterr().out
    assert "A mouse" in out
    assert "Not measured: the device's firmware and USB polling before" in out


def test_a_device_that_is_new_is_told_whole() -> None:
    [seen] = between({}, {"a": latency(5, 5)})
    assert seen.reports == 5
