"""A machine's share of the matrix, and what becomes of it when machines do not live to its end."""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from pyloader.errors import Unsupported
from tests.unit.fake_machines import Machines
from vm.errors import VmError, VmLost
from vm.exact.subject import subject
from vm.matrix import worker
from vm.matrix.boot import AgentEnded
from vm.workloads import find

KIND = {
    "kernel": "7.3.4",
    "version": "7.3.4",
    "cpus": 2,
    "topology": "",
    "memory_mib": 2048,
    "accel": "tcg",
}


def batch(numbers: range = range(4), **changes: Any) -> dict[str, Any]:
    digest = subject("simple").object_sha256
    runs = [
        {
            "number": number,
            "scheduler": "simple",
            "mode": "hosted",
            "workload": "wakeup",
            "load": "full",
            "seconds": 1.0,
            "seed": number,
            "timeout_s": 10.0,
            "object_sha256": digest,
            "programs": "",
        }
        for number in numbers
    ]
    return {"batch": 3, "machine": {**KIND, **changes}, "runs": runs}


def lost(tmp_path: Path, log: str = "nothing special\n") -> VmLost:
    path = tmp_path / "kernel.log"
    path.write_text(log)
    return VmLost("the virtual machine went away", path, [])


def measured(
    monkeypatch: pytest.MonkeyPatch, machines: Machines, given: Mapping[str, Any] | None = None
) -> list[worker.Entry]:
    monkeypatch.setattr(worker, "boot", machines)
    return worker.measure_here(given or batch())


def statuses(entries: list[worker.Entry]) -> dict[int, str]:
    return {entry["number"]: entry["status"] for entry in entries}


def test_a_machine_makes_all_runs_after_one_that_does_not_count(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    machines = Machines()
    entries = measured(monkeypatch, machines)
    [runs] = machines.boots
    assert [run["number"] for run in runs] == [-1, 0, 1, 2, 3]
    assert runs[0]["scheduler"] == "kernel"
    assert statuses(entries) == dict.fromkeys(range(4), "done")


def test_a_lost_machine_costs_the_run_in_its_middle_and_no_other(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    machines = Machines({1: lost(tmp_path)})
    entries = measured(monkeypatch, machines)
    assert statuses(entries) == {0: "done", 1: "lost", 2: "done", 3: "done"}
    assert entries[1]["reason"] == "the virtual machine went away"
    assert [run["number"] for run in machines.boots[1]] == [-1, 2, 3]
    assert [entry["conditions"]["machine"] for entry in entries] == ["3.1", "3.1", "3.2", "3.2"]


def test_a_program_in_the_guest_that_ends_is_a_lost_machine(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    entries = measured(monkeypatch, Machines({2: AgentEnded("it ended with status 1")}))
    assert statuses(entries)[2] == "lost"
    assert len(entries) == 4


def test_a_fault_of_the_emulators_costs_nothing_but_a_boot(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    machines = Machines({1: lost(tmp_path, "[ 5.0] Oops: int3: 0000 [#1]\n")})
    entries = measured(monkeypatch, machines)
    assert statuses(entries) == dict.fromkeys(range(4), "done")
    assert entries[1]["conditions"]["made_again"]
    assert "made_again" not in entries[0]["conditions"]


def test_machines_that_never_come_up_are_given_up(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    tries: list[int] = []

    def boot(*_: Any) -> None:
        tries.append(1)
        raise lost(tmp_path)

    monkeypatch.setattr(worker, "boot", boot)
    entries = worker.measure_here(batch())
    assert statuses(entries) == dict.fromkeys(range(4), "lost")
    assert len(tries) == 2


def test_a_machine_that_is_not_as_it_was_asked_for_measures_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def boot(kind: Any, runs: Any, hear: worker.Hear) -> None:
        one_cache = {"NUMA nodes": 1, "sockets": 1, "last-level caches": 1}
        hear({"hello": {"topology_seen": {**one_cache, "cores": 4, "threads": 4}}})
        raise AssertionError("it goes on")

    monkeypatch.setattr(worker, "boot", boot)
    entries = worker.measure_here(batch(topology="1s2l2c1t"))
    assert statuses(entries) == dict.fromkeys(range(4), "lost")
    assert entries[0]["reason"] == (
        "QEMU did not make a machine 1s2l2c1t: the guest has 1 last-level caches in place of 2"
    )


def test_a_machine_that_cannot_be_started_is_an_error_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def boot(*_: Any) -> None:
        raise VmError("QEMU did not start the machine")

    monkeypatch.setattr(worker, "boot", boot)
    with pytest.raises(VmError, match="did not start"):
        worker.measure_here(batch())


def test_a_missing_tool_fails_its_runs_and_the_others_go_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    prepare = find.prepare
    calls: list[int] = []

    def once(workload: Any) -> Path:
        calls.append(1)
        if len(calls) == 2:
            raise Unsupported("the workload wakeup needs hackbench")
        return prepare(workload)

    monkeypatch.setattr(find, "prepare", once)
    entries = measured(monkeypatch, Machines())
    assert statuses(entries) == {1: "failed", 0: "done", 2: "done", 3: "done"}
    assert entries[0]["reason"] == "the workload wakeup needs hackbench"


@pytest.mark.parametrize(
    ("key", "said"), [("object_sha256", "another one on this machine"), ("programs", "are others")]
)
def test_other_programs_than_those_that_were_asked_for_are_refused(
    monkeypatch: pytest.MonkeyPatch, key: str, said: str
) -> None:
    given = batch()
    given["runs"][0][key] = "of-another-source"
    with pytest.raises(worker.OtherProgram, match=said):
        measured(monkeypatch, Machines(), given)


def test_what_is_given_to_executors_is_plain_data() -> None:
    assert pickle.loads(pickle.dumps(worker.measure)) is worker.measure
    assert pickle.loads(pickle.dumps(batch())) == batch()


def test_a_run_says_on_what_it_was_made(monkeypatch: pytest.MonkeyPatch) -> None:
    [entry, *_] = measured(monkeypatch, Machines())
    said = entry["conditions"]
    assert said["command"] == ["qemu-system-x86_64", "-fake"]
    assert said["accel"] == "tcg"
    assert len(said["host_load"]) == 2
    assert said["run_of_machine"] == 1
    assert said["host_started_ns"] > said["host_started_monotonic_ns"]


def test_a_clock_that_was_set_in_the_middle_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    from vm.matrix import clocks

    wall = iter([1_000_000_000, 3_700_000_000])
    monkeypatch.setattr(clocks.time, "time_ns", lambda: next(wall))
    assert clocks.Clocks().passed("host")["host_clock_jumped_s"] == pytest.approx(2.7, abs=0.05)
    monkeypatch.undo()
    assert "host_clock_jumped_s" not in clocks.Clocks().passed("host")
