"""The matrix in a real machine: what is well, and all that can go wrong in one boot."""

from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from tests.vm.started import REPOSITORY, Running
from vm.exact.subject import subject
from vm.kernels import Kernel
from vm.matrix import lock, worker

STALL = str(REPOSITORY / "tests" / "programs" / "stall.bpf.c") + ":after_s=1"

#: A workload that leaves a process in a session of its own, a cgroup, and never ends; one that a
#: signal ends; one whose program is not there; one that says what makes no sense.
BAD = {
    "hangs": ["sh", "-c", "setsid sleep 1000 & mkdir /sys/fs/cgroup/left; sleep 1000"],
    "crashes": ["sh", "-c", "echo about to crash >&2; kill -SEGV $$"],
    "missing": ["/no/such/program"],
    "babbles": ["echo", "metric p50_ns many"],
    "looks": [
        "sh",
        "-c",
        "echo metric p50_ns $(pgrep -x sleep | wc -l)$(ls -d /sys/fs/cgroup/left"
        " /sys/fs/cgroup/scxhid-run/left 2>/dev/null | wc -l)",
    ],
}

_FILE = """
from vm.workloads.model import Metric, Workload
from vm.workloads.protocol import reader

METRICS = (Metric("p50_ns", "ns", "less", "latency", "nothing"),)
WORKLOAD = Workload("{name}", "a bad one", METRICS, lambda case: {words!r}, reader(METRICS),
                    loads=("idle",))
"""


@pytest.fixture(autouse=True)
def _own_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(lock.VARIABLE, str(tmp_path / "bench.lock"))


def runs_of(folder: Path, *wanted: tuple[str, str, str]) -> list[dict[str, Any]]:
    """(scheduler, mode, workload) of each run in turn."""
    for name, words in BAD.items():
        (folder / f"{name}.py").write_text(_FILE.format(name=name, words=words))
    return [
        {
            "number": number,
            "scheduler": scheduler,
            "mode": mode,
            "workload": str(folder / f"{workload}.py") if workload in BAD else workload,
            "load": "idle" if workload in BAD else "full",
            "seconds": 0.3,
            "seed": 1,
            "timeout_s": 2.0 if workload == "hangs" else 60.0,
            "object_sha256": subject(scheduler, direct=mode == "direct").object_sha256,
            "programs": "",
        }
        for number, (scheduler, mode, workload) in enumerate(wanted)
    ]


def batch(kernel: Kernel, runs: list[dict[str, Any]], **changes: Any) -> dict[str, Any]:
    machine = {"kernel": kernel.version, "version": kernel.version, "cpus": 2, "topology": ""}
    return {"machine": {**machine, "memory_mib": 2048, "accel": "auto", **changes}, "runs": runs}


@pytest.mark.vm
def test_one_boot_lives_through_all_that_schedulers_and_workloads_do_wrong(
    tmp_path: Path, kernel: Kernel
) -> None:
    runs = runs_of(
        tmp_path,
        ("simple", "hosted", "wakeup"),
        (STALL, "direct", "wakeup"),
        ("simple", "direct", "hangs"),
        ("kernel", "kernel", "looks"),
        ("kernel", "kernel", "crashes"),
        ("kernel", "kernel", "missing"),
        ("kernel", "kernel", "babbles"),
    )
    shape = {"topology": "1s2l1c1t"}
    told: list[dict[str, Any]] = []
    worker.measure_here(batch(kernel, runs, **shape), told.append)
    assert [said for said in told if "boot" in said] == [{"boot": 1}]
    entries = [said for said in told if "status" in said]
    assert [(entry["status"], entry["reason"]) for entry in entries[2:]] == [
        ("failed", "hangs did not end within 2 s and was stopped"),
        ("done", ""),
        ("failed", "crashes was ended by SIGSEGV: about to crash"),
        (
            "failed",
            "missing ended with status 1: /no/such/program cannot be run: No such file or"
            " directory",
        ),
        (
            "failed",
            "babbles printed what makes no sense: line 1 of what the program printed,"
            " 'metric p50_ns many': a metric is one number",
        ),
    ]
    hosted, ejected, *_ = entries
    assert (ejected["status"], ejected.get("metrics", {})) == ("ejected", {})
    assert "a runnable task was not run in time" in ejected["reason"]
    assert (hosted["status"], hosted["reason"]) == ("done", "")
    assert hosted["metrics"]["p50_ns"] > 0
    assert hosted["arrays"]["samples/loaded"]["dtype"] == "<i8"
    said = hosted["conditions"]
    assert said["object_sha256"] == subject("simple").object_sha256
    assert said["knobs"]["slice_us"] == 5000
    assert said["topology_seen"]["last-level caches"] == 2
    assert "-smp" in said["command"]
    # What the one that hung had left: no process, and no cgroup anywhere.
    assert entries[3]["metrics"] == {"p50_ns": 0.0}


@pytest.mark.vm
@pytest.mark.slow
def test_a_machine_that_is_killed_in_the_middle_costs_one_run(
    tmp_path: Path, kernel: Kernel, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = runs_of(tmp_path, *[("simple", "hosted", "wakeup")] * 3)
    mark = str(tmp_path)
    told: list[dict[str, Any]] = []

    def hear(said: dict[str, Any]) -> None:
        told.append(said)
        if said == {"begin": 1}:
            threading.Thread(target=kill).start()

    def kill() -> None:
        time.sleep(1)
        for pid in Running(mark, None).machines():  # type: ignore[arg-type]
            os.kill(pid, signal.SIGKILL)

    given = batch(kernel, runs)
    monkeypatch.setattr(worker, "boot", _marked(mark))
    worker.measure_here(given, hear)
    entries = {said["number"]: said for said in told if "status" in said}
    assert [entries[number]["status"] for number in range(3)] == ["done", "lost", "done"]
    assert "ended without its command's status" in entries[1]["reason"]
    assert entries[2]["conditions"]["machine"] == "0.2"


def _marked(mark: str) -> Any:
    """The same machines, known by a word on their kernel's command line."""
    from vm import machine
    from vm.matrix import boot

    run = machine.run

    def marked(*words: Any, **given: Any) -> Any:
        return run(*words, **given, kernel_arguments=(f"scxhid_test={mark}",))

    def start(*words: Any) -> None:
        before = boot.machine.run
        boot.machine.run = marked
        try:
            boot.boot(*words)
        finally:
            boot.machine.run = before

    return start
