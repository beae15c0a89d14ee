"""``scxhid bench run`` from end to end, but for the machines, which are replaced."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.unit.conftest import ROOT, Outcome
from tests.unit.fake_machines import Machines, kernel
from vm.matrix import lock, plan, worker
from vm.results import file
from vm.results.model import Document

Bench = Callable[..., Outcome]

FEW = ("run", "--sched", "kernel,simple", "--reps", "3")


@pytest.fixture
def machines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machines:
    """Every machine is this one."""
    made = Machines()
    monkeypatch.setattr(worker, "boot", made)
    monkeypatch.setattr(plan, "choose", kernel)
    monkeypatch.setattr("vm.qemu.require_qemu", lambda: None)
    monkeypatch.setenv(lock.VARIABLE, str(tmp_path / "bench.lock"))
    return made


@pytest.fixture
def bench(machines: Machines, scxhid: Callable[..., Outcome]) -> Bench:
    return lambda *words: scxhid("bench", *words)


def outcome_of(document: Document) -> list[tuple[Any, ...]]:
    return [(r.cell, r.repetition, r.seed, r.status, dict(r.metrics)) for r in document.runs]


# --- what comes out ---


def test_all_runs_are_in_the_file_and_the_medians_on_the_terminal(
    bench: Bench, tmp_path: Path
) -> None:
    path = tmp_path / "x.json"
    done = bench(*FEW, "--cpus", "1,2", "-o", path)
    assert done.status == 0
    document = file.read(path)
    assert (document.kind, document.seed, len(document.runs)) == ("vm", 1, 12)
    assert {run.status for run in document.runs} == {"done"}
    assert document.command[:3] == ("scxhid", "bench", "run")
    assert document.command[-2:] == ("-o", str(path))
    assert "p50_ns" in document.workloads["wakeup"]["metrics"]
    assert "12 of 12 runs." in done.out
    assert done.err == ""
    assert not (tmp_path / "x.json.journal").exists()


def test_the_command_in_the_file_asks_for_the_same(bench: Bench, tmp_path: Path) -> None:
    first, second = tmp_path / "a.json", tmp_path / "b.json"
    bench(*FEW, "--seed", "5", "--load", "over,light", "--topology", "2c", "-o", first)
    words = list(file.read(first).command)
    assert bench(*words[2:-1], second).status == 0
    assert outcome_of(file.read(first)) == outcome_of(file.read(second))


def test_json_has_an_entry_for_each_cell(bench: Bench) -> None:
    [own, ours] = json.loads(bench(*FEW, "--json").out)
    assert (own["scheduler"], own["mode"]) == ("kernel", "kernel")
    assert (ours["scheduler"], ours["mode"], ours["runs"]) == ("simple", "hosted", {"done": 3})
    assert ours["metrics"]["p50_ns"]["unit"] == "ns"
    assert ours["metrics"]["p50_ns"]["low"] <= ours["metrics"]["p50_ns"]["median"]


def test_what_does_not_count_is_told_and_not_averaged_in(
    bench: Bench, machines: Machines, tmp_path: Path
) -> None:
    def changes(run: Any) -> dict[str, Any]:
        if run["scheduler"] == "simple" and run["seed"] == 1001:
            return {"status": "ejected", "reason": "the kernel threw it out", "metrics": {}}
        return {}

    machines.changes = changes
    done = bench(*FEW, "--json", "-o", tmp_path / "x.json")
    assert done.status == 0
    assert "ejected: simple, wakeup full, 2 CPUs: the kernel threw it out" in done.err
    [_, ours] = json.loads(done.out)
    assert ours["runs"] == {"done": 2, "ejected": 1}
    [bad] = [run for run in file.read(tmp_path / "x.json").runs if run.status != "done"]
    assert (bad.status, bad.reason, dict(bad.metrics)) == ("ejected", "the kernel threw it out", {})


def test_nothing_but_failures_is_a_failure(bench: Bench, machines: Machines) -> None:
    machines.changes = lambda _: {"status": "failed", "reason": "it crashed", "metrics": {}}
    done = bench(*FEW)
    assert done.status == 1
    assert done.err.splitlines()[-1].startswith("scxhid: no run brought a figure")


# --- going on ---


def test_after_ctrl_c_the_rest_is_measured_and_no_more(
    bench: Bench, machines: Machines, tmp_path: Path
) -> None:
    path, whole = tmp_path / "x.json", tmp_path / "whole.json"
    bench(*FEW, "-o", whole)
    machines.deaths = {4: KeyboardInterrupt()}
    broken = bench(*FEW, "-o", path)
    assert broken.status == 130
    assert f"4 of 6 runs are kept; go on with `scxhid bench run --resume {path}`" in broken.err
    assert not path.exists()
    machines.boots.clear()
    done = bench("run", "--resume", path)
    assert done.status == 0
    assert [run["number"] for run in machines.boots[0]] == [-1, 4, 5]
    assert outcome_of(file.read(path)) == outcome_of(file.read(whole))
    assert not (tmp_path / "x.json.journal").exists()


def test_the_same_command_goes_on_and_another_is_refused(
    bench: Bench, machines: Machines, tmp_path: Path
) -> None:
    path = tmp_path / "x.json"
    machines.deaths = {4: KeyboardInterrupt()}
    bench(*FEW, "-o", path)
    other = bench(*FEW, "--seconds", "2", "-o", path)
    assert other.status == 1
    assert "is of another bench: seconds was null there, and is 2.0 here; --fresh" in other.err
    same = bench(*FEW, "-o", path)
    assert "4 of 6 runs are done" in same.err
    assert len(file.read(path).runs) == 6


def test_fresh_begins_anew(bench: Bench, machines: Machines, tmp_path: Path) -> None:
    machines.deaths = {4: KeyboardInterrupt()}
    bench(*FEW, "-o", tmp_path / "x.json")
    machines.boots.clear()
    bench(*FEW, "-o", tmp_path / "x.json", "--fresh")
    assert len(machines.boots[0]) == 7


def test_ctrl_c_without_a_file_tells_what_was_measured(bench: Bench, machines: Machines) -> None:
    machines.deaths = {4: KeyboardInterrupt()}
    done = bench(*FEW)
    assert done.status == 130
    assert "4 of 4 runs" in done.out


def test_sigkill_loses_the_run_in_its_middle_alone(tmp_path: Path, machines: Machines) -> None:
    path = tmp_path / "x.json"
    words = [sys.executable, "-m", "tests.unit.fake_machines", *FEW, "-o", str(path)]
    slow = {**os.environ, "FAKE_RUN_S": "0.3"}
    process = subprocess.Popen(words, cwd=ROOT, env=slow, stderr=subprocess.DEVNULL)
    until = time.monotonic() + 60
    journal = tmp_path / "x.json.journal"
    while not journal.exists() or len(journal.read_bytes().splitlines()) < 3:
        assert time.monotonic() < until
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    kept = len(journal.read_bytes().splitlines()) - 1
    again = [sys.executable, "-m", "tests.unit.fake_machines", "run", "--resume", str(path)]
    done = subprocess.run(again, cwd=ROOT, capture_output=True, text=True, check=True)
    assert f"{kept} of 6 runs are done" in done.stderr
    assert [run.status for run in file.read(path).runs] == ["done"] * 6


# --- two at once, full disks ---


def test_a_second_bench_is_refused_with_the_first_ones_process(
    bench: Bench, machines: Machines
) -> None:
    with lock.place().open("w") as held:
        held.write("4711")
        held.flush()
        fcntl.flock(held, fcntl.LOCK_EX)
        done = bench(*FEW)
    assert done.status == 1
    assert "another scxhid bench run (process 4711) is measuring on this machine" in done.err
    assert not machines.boots


def test_a_result_that_has_no_room_is_written_elsewhere(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pyloader.errors import ScxhidError

    path, elsewhere = tmp_path / "x.json", tmp_path / "tmp"
    elsewhere.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(elsewhere))
    write = file.write

    def full(target: Path, document: Document) -> None:
        if target == path:
            raise ScxhidError(f"{path} cannot be written: {os.strerror(errno.ENOSPC)}")
        write(target, document)

    monkeypatch.setattr(file, "write", full)
    done = bench(*FEW, "-o", path)
    assert done.status == 1
    assert f"the result lies in {elsewhere / 'x.json'} instead" in done.err
    assert len(file.read(elsewhere / "x.json").runs) == 6
    assert (tmp_path / "x.json.journal").exists()


# --- executors ---


def test_any_executor_can_measure(bench: Bench, tmp_path: Path) -> None:
    here, there = tmp_path / "here.json", tmp_path / "there.json"
    bench(*FEW, "--cpus", "1,2", "-o", here)
    done = bench(
        *(*FEW, "--cpus", "1,2", "-o", there),
        *("--executor", "concurrent.futures:ThreadPoolExecutor"),
    )
    assert done.status == 0
    assert outcome_of(file.read(here)) == outcome_of(file.read(there))
    assert all(run.conditions["host"] for run in file.read(there).runs)


def test_a_workers_death_loses_its_machines_runs_alone(
    bench: Bench, machines: Machines, tmp_path: Path
) -> None:
    machines.deaths = {1: MemoryError("no memory")}
    done = bench(
        *(*FEW, "--cpus", "1,2", "-o", tmp_path / "x.json"),
        *("--executor", "concurrent.futures:ThreadPoolExecutor"),
    )
    assert done.status == 0
    statuses = [run.status for run in file.read(tmp_path / "x.json").runs]
    assert sorted(statuses) == ["done"] * 6 + ["lost"] * 6
    assert "a machine's work failed: no memory" in done.err


@pytest.mark.parametrize(
    ("executor", "status", "said"),
    [
        ("task", 2, "no executor is called 'task'; did you mean dask?"),
        ("nowhere:pool", 2, "there is no module nowhere for the executor nowhere:pool"),
        ("json:pool", 2, "the module json has no pool"),
        ("json:__name__", 2, "is no function that makes an executor"),
        ("builtins:list", 2, "gave a list, which is no executor"),
        ("io:BytesIO", 2, "gave a BytesIO, which is no executor"),
        ("concurrent.futures:ThreadPoolExecutor:many", 1, "cannot be had"),
    ],
)
def test_what_is_no_executor_is_told_in_a_sentence(
    bench: Bench, machines: Machines, executor: str, status: int, said: str
) -> None:
    done = bench(*FEW, "--executor", executor)
    assert (done.status, said in done.err) == (status, True)
    assert len(done.err.splitlines()) == 1
    assert not machines.boots


# --- wrong uses ---


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        ((), 2, "--sched is missing"),
        (("--sched", "kernel,,simple"), 2, "--sched takes names with commas between"),
        (("--sched", "simple:slice_us"), 2, "KNOB=VALUE"),
        (("--workload", "wakeup,"), 2, "--workload takes names"),
        (("--workload", "/no/such.py"), 1, "no such file"),
        (("--cpus", "0"), 2, "--cpus takes numbers from 1 to 64"),
        (("--cpus", "65"), 2, "--cpus takes numbers from 1 to 64"),
        (("--cpus", "two"), 2, "--cpus takes numbers from 1 to 64"),
        (("--topology", "2x2"), 2, "no topology"),
        (("--topology", "1s2c2t,"), 2, "--topology takes names"),
        (("--memory", "2"), 2, "--memory takes a size"),
        (("--memory", "1M"), 2, "--memory takes a size"),
        (("--memory", "2GB"), 2, "--memory takes a size"),
        (("--seeds", "3"), 2, "--seeds says nothing to runs without --exact"),
        (("--gate", "all"), 2, "--gate says nothing to runs without --exact"),
        (("--exact", "--reps", "2"), 2, "--reps says nothing to --exact"),
        (("--exact", "--topology", "2c"), 2, "--topology says nothing to --exact"),
        (("--resume", "x.json", "--reps", "2"), 2, "--reps says nothing to --resume"),
        (("--resume", "x.json", "-o", "y.json"), 2, "-o says nothing to --resume"),
        (("--resume", "/no/x.json"), 1, "nothing was left half-done"),
        (("-o", "/no/such/place/x.json"), 1, "there is no directory"),
        (("-o", "/tmp"), 2, "is a directory"),
        (("-o", "x.npz"), 2, "name it FILE.json"),
    ],
)
def test_wrong_wishes_are_refused_before_anything_starts(
    bench: Bench, machines: Machines, words: tuple[str, ...], status: int, said: str
) -> None:
    usual = () if not words or {"--sched", "--resume"} & {*words} else ("--sched", "kernel")
    done = bench("run", *usual, *words)
    assert (done.status, said in done.err) == (status, True), done.err
    assert len(done.err.splitlines()) == 1
    assert not machines.boots


@pytest.mark.parametrize(
    "words",
    [
        *(("--reps", text) for text in ("0", "many", "1001")),
        *(("--seconds", text) for text in ("0", "-1", "long")),
        *(("--timeout", text) for text in ("0", "x", "1e9")),
        *(("--seed", text) for text in ("-1", "x", "1e3")),
        *(("--runs-per-machine", text) for text in ("0", "-1", "x")),
        *(("--accel", text) for text in ("xen", "", "KVM")),
    ],
)
def test_numbers_out_of_range_are_refused(bench: Bench, words: tuple[str, str]) -> None:
    done = bench("run", "--sched", "kernel", *words)
    assert done.status == 2
    assert words[0] in done.err


def test_workloads_of_which_no_tool_is_here_are_refused_at_once(
    bench: Bench, machines: Machines, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vm.workloads.find.find_program", lambda _: None)
    done = bench("run", "--sched", "kernel", "--workload", "hackbench")
    assert done.status == 3
    assert "the workload hackbench needs hackbench (package rt-tests)" in done.err
    assert not machines.boots


# --- what there is ---


def test_the_list_tells_what_a_matrix_can_be_made_of(bench: Bench) -> None:
    told = json.loads(bench("list", "--json").out)
    by_name = {one["name"]: one for one in told["workloads"]}
    assert by_name["wakeup"]["metrics"][0]["better"] == "less"
    assert list(told["loads"]) == ["idle", "light", "full", "over"]
    assert told["schedulers"][0] == "kernel"
    assert "dask" in told["executors"]
    text = bench("list").out
    for name in (*by_name, *told["loads"], *told["schedulers"]):
        assert name in text


@pytest.mark.parametrize(
    ("option", "typed", "found"),
    [
        ("complete_schedulers", "kernel,sim", ["kernel,simple"]),
        ("complete_schedulers", "simple:fi", ["simple:fifo="]),
        ("complete_schedulers", "k", ["kernel"]),
        ("complete_workload", "wak", ["wakeup"]),
        ("complete_load", "full,o", ["full,over"]),
        ("complete_executor", "d", ["dask"]),
        ("complete_schedulers", "nobody:x", []),
    ],
)
def test_lists_are_completed_behind_the_last_comma(
    option: str, typed: str, found: list[str]
) -> None:
    from vm.bench_cli import complete

    items = getattr(complete, option)(None, None, typed)
    assert [item.value for item in items] == found
