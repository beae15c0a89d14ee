"""``bench run --exact``: what is refused, the gate, what is written, and how it goes on."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pyloader.errors import Busy, ScxhidError, WrongUse
from vm.errors import VmLost
from vm.exact import bench, machine
from vm.exact.request import Request
from vm.exact.run import NotIdentical
from vm.exact.samples import difference, samples_sha256
from vm.kernels import Kernel
from vm.matrix import ledger
from vm.matrix.request import Request as Matrix
from vm.results import file
from vm.results.model import Document
from vm.workloads import find

WAKEUP = find.find("wakeup")
Says = Callable[[int], list[str]]


def said(seed: int, *, third: int = 3000) -> list[str]:
    """What the program of the workload wakeup could print."""
    shares = ["metric hog_share_least 0.9", "metric hog_share_most 1.1", "metric switches_per_s 7"]
    return [
        f"samples {name} 1000 {2000 + seed} {third}" for name in ("loaded", "idle", "floor")
    ] + [*shares]


class Machines:
    """Stands for the machines: ``says`` is what they print by seed, ``again`` from the second time
    on; ``seeds`` are those that ran."""

    def __init__(self, says: Says, again: Says | None = None) -> None:
        self.says, self.again = says, again or says
        self.seeds: list[int] = []

    def __call__(self, kernel: Kernel, cpus: int, seed: int, *_: Any, **__: Any) -> machine.Run:
        lines = (self.again if seed in self.seeds else self.says)(seed)
        self.seeds.append(seed)
        report = "".join(f"{line}\n" for line in ("kernel 7.3.4", *(f"said {x}" for x in lines)))
        return machine.Run(f"{report}end\n".encode(), 1.0, ("qemu",))


@pytest.fixture
def machines(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[Machines], Machines]:
    kernel = Kernel("7.3.4", tmp_path / "vmlinuz", tmp_path, tmp_path)

    def put(made: Machines) -> Machines:
        monkeypatch.setattr(machine, "run", made)
        return made

    def no_archive(*_: object) -> bytes:
        return b""

    def choose(*_: object, **__: object) -> Kernel:
        return kernel

    def nothing(*_: object) -> Path:
        return tmp_path

    for module in ("vm.exact.bench", "vm.matrix.plan"):
        monkeypatch.setattr(f"{module}.choose", choose)
    for name in ("guest_program", "lockstep", "fastest_image"):
        monkeypatch.setattr(bench, name, nothing)
    monkeypatch.setattr("vm.exact.run.initramfs", no_archive)
    monkeypatch.setattr(machine, "require_qemu", lambda: "10.0.2")
    return put


def request(**changes: Any) -> Request:
    more = {
        name: changes.pop(name) for name in ("gates_all", "metrics", "times") if name in changes
    }
    usual: dict[str, Any] = {"schedulers": ("kernel",), "workloads": ("wakeup",), "cpus": (1,)}
    fields: dict[str, Any] = {**usual, "reps": 3, **changes}
    return Request(Matrix(**fields), **more)


def run(wish: Request, output: Path | None = None, jobs: int = 1) -> ledger.Measured:
    return bench.run(wish, output=output, jobs=jobs, say=lambda text: None)


@pytest.mark.parametrize(
    ("wish", "text"),
    [
        ({"workloads": ("throughput",)}, "virtual time is the sum"),
        ({"workloads": ("hackbench",)}, "virtual time is the sum"),
        ({"workloads": ("compile",)}, "virtual time is the sum"),
        ({"workloads": ("cyclictest",)}, "nothing but static programs"),
        ({"workloads": ("schbench",), "metrics": ("requests_per_s",)}, "virtual time is the sum"),
        ({"metrics": ("p98_ns",)}, "has no metric p98_ns"),
        ({"workloads": ("wakup",)}, "wakeup"),
        ({"loads": ("heavy",)}, "no load is called"),
        ({"topologies": ("1s2c",)}, "--topology says nothing"),
    ],
)
def test_what_an_exact_run_cannot_tell_is_refused_before_it_starts(
    wish: dict[str, Any], text: str, machines: Callable[[Machines], Machines]
) -> None:
    made = machines(Machines(said))
    with pytest.raises(WrongUse, match=re.escape(text)):
        run(request(**wish))
    assert made.seeds == []


def test_a_place_that_is_not_there_is_refused(machines: Callable[[Machines], Machines]) -> None:
    machines(Machines(said))
    with pytest.raises(ScxhidError, match="there is no directory /nowhere/at"):
        run(request(), Path("/nowhere/at/all.json"))


@pytest.mark.parametrize("jobs", [1, 3])
def test_each_run_in_the_file_has_its_seed_its_hash_and_its_figures(
    jobs: int, machines: Callable[[Machines], Machines], tmp_path: Path
) -> None:
    machines(Machines(said))
    output = tmp_path / "out.json"
    run(request(), output, jobs)
    document = file.read(output)
    assert document.kind == "exact"
    assert [one.seed for one in document.runs] == [1, 2, 3]
    assert [one.identical_twice for one in document.runs] == [True, None, None]
    for one in document.runs:
        assert one.arrays["samples/loaded"].tolist() == [1000, 2000 + one.seed, 3000]
        assert one.samples_sha256 == samples_sha256(one.arrays)
        assert one.metrics["p50_ns"] == 2000 + one.seed
    assert len({one.samples_sha256 for one in document.runs}) == 3
    assert document.command[:4] == ("scxhid", "bench", "run", "--exact")
    assert not output.with_name("out.json.journal").exists()


def test_only_metrics_that_are_valid_and_asked_for_are_reported(
    machines: Callable[[Machines], Machines],
) -> None:
    machines(Machines(said))
    asked = run(request(metrics=("p99_ns", "idle_p50_ns"), reps=1)).document.runs[0]
    assert list(asked.metrics) == ["p99_ns", "idle_p50_ns"]


def test_a_run_that_differs_refuses_the_result_and_names_the_sample(
    machines: Callable[[Machines], Machines], tmp_path: Path
) -> None:
    machines(Machines(said, lambda seed: said(seed, third=3001)))
    output = tmp_path / "out.json"
    with pytest.raises(NotIdentical, match="sample 2 of loaded was 3000 ns and then 3001 ns"):
        run(request(), output)
    assert not output.exists()


def test_a_run_that_differs_at_last_is_refused_too(
    machines: Callable[[Machines], Machines],
) -> None:
    turns = iter(range(10))
    machines(Machines(said, lambda seed: said(seed, third=3000 + (next(turns) == 3))))
    with pytest.raises(NotIdentical, match="then 3001 ns"):
        run(request(reps=1, times=5))
    (one,) = run(request(reps=1, times=5)).document.runs
    assert one.conditions["host_s"] == [1.0] * 5


def test_a_lost_run_is_told_and_the_rest_goes_on(
    machines: Callable[[Machines], Machines],
) -> None:
    def says(seed: int) -> list[str]:
        if seed == 2:
            raise VmLost("it went away", Path("/log"), [])
        if seed == 3:
            raise machine.Ejected("simple was thrown out: runnable task stall")
        return said(seed)

    machines(Machines(says))
    runs = run(request(reps=4)).document.runs
    assert [one.status for one in runs] == ["done", "lost", "ejected", "done"]
    assert runs[1].reason == "it went away"
    assert not runs[2].metrics


def test_nonsense_of_a_program_is_a_failed_run(machines: Callable[[Machines], Machines]) -> None:
    machines(Machines(lambda seed: ["samples loaded many"]))
    (one,) = run(request(reps=1)).document.runs
    assert one.status == "failed"
    assert "no whole number of ns" in one.reason


def test_what_was_interrupted_goes_on_where_it_stopped(
    machines: Callable[[Machines], Machines], tmp_path: Path
) -> None:
    output = tmp_path / "out.json"

    def interrupted(seed: int) -> list[str]:
        if seed == 3:
            raise KeyboardInterrupt
        return said(seed)

    machines(Machines(interrupted))
    with pytest.raises(ledger.Broken):
        run(request(gates_all=True), output)
    assert bench.is_begun(output)
    made = machines(Machines(said))
    run(bench.begun(output), output)
    assert made.seeds == [3, 3]
    runs = file.read(output).runs
    assert [(one.seed, one.identical_twice) for one in runs] == [(1, True), (2, True), (3, True)]


def test_a_file_that_another_bench_writes_is_left_alone(
    machines: Callable[[Machines], Machines], tmp_path: Path
) -> None:
    output = tmp_path / "out.json"

    def meanwhile(seed: int) -> list[str]:
        if seed == 2:
            for fresh in (False, True):
                with pytest.raises(Busy, match="being written by another"):
                    bench.run(request(), output=output, fresh=fresh, jobs=1, say=lambda text: None)
        return said(seed)

    machines(Machines(meanwhile))
    run(request(), output)
    assert [one.status for one in file.read(output).runs] == ["done"] * 3


def test_the_hash_is_of_the_arrays_as_the_docstring_says() -> None:
    arrays = {"samples/b": np.array([1, 2], np.int64), "counts/a": np.array([3], np.uint64)}
    by_hand = b"counts/a <u8 1\n" + (3).to_bytes(8, "little")
    by_hand += b"samples/b <i8 2\n" + (1).to_bytes(8, "little") + (2).to_bytes(8, "little")
    assert samples_sha256(arrays) == hashlib.sha256(by_hand).hexdigest()


@pytest.mark.parametrize(
    ("other", "words"),
    [
        (said(1, third=9), "sample 2 of loaded was 3000 ns and then 9 ns"),
        ([*said(1)[:-1], "metric switches_per_s 8"], "switches_per_s was 7 and then 8"),
        (["samples loaded x"], "makes no sense once"),
    ],
)
def test_the_first_thing_that_differs_is_named(other: list[str], words: str) -> None:
    def read(text: str) -> Any:
        from vm.workloads.model import Case

        assert WAKEUP.read
        return WAKEUP.read(text, Case(1))

    assert words in difference(read, said(1), other)


def test_a_result_that_has_no_room_is_written_elsewhere(
    machines: Callable[[Machines], Machines], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, elsewhere = tmp_path / "x.json", tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(elsewhere))
    machines(Machines(said))
    write = file.write

    def full(target: Path, document: Document) -> None:
        if target == path:
            raise ScxhidError(f"{path} cannot be written: the disk is full")
        write(target, document)

    monkeypatch.setattr(file, "write", full)
    measured = run(request(), path)
    assert measured.written == elsewhere / "x.json"
    assert "the result lies in" in measured.trouble
    assert len(file.read(elsewhere / "x.json").runs) == 3
