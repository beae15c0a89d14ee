"""Exact runs: the same seed gives the same samples whatever the host does, another seed others, and
failures are told."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.vm.started import REPOSITORY
from vm.c_compiler import compile_c
from vm.errors import VmError
from vm.exact import bench
from vm.exact.plan import Phase
from vm.exact.report import first_difference
from vm.exact.request import Request
from vm.exact.run import Result, cell, session
from vm.exact.subject import subject
from vm.exact.swaps import gapless
from vm.kernels import Kernel
from vm.matrix.request import Request as Matrix
from vm.programs import program

PROGRAMS = REPOSITORY / "tests" / "programs"
SHORT = (Phase("loaded", 200, hogs=2), Phase("floor", 60, hogs=2, fifo=True))


def short(seed: int, kernel: Kernel) -> Result:
    busybox = Path(program("busybox")).read_bytes()
    return session(
        [subject("simple")],
        [*(phase.line(2) for phase in SHORT), "run /files/busybox echo a word"],
        cpus=2,
        seed=seed,
        kernel=kernel,
        files={"busybox": busybox},
    )


@pytest.fixture(scope="module")
def once(kernel: Kernel) -> Result:
    return short(1, kernel)


@pytest.fixture(scope="module")
def unruly(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library that makes a host of the worst kind: see its source."""
    target = tmp_path_factory.mktemp("unruly") / "unruly.so"
    return compile_c([PROGRAMS / "unruly.c"], target, "-shared", "-fPIC", "-ldl")


def test_the_same_seed_gives_the_same_samples_however_the_host_runs_the_threads(
    once: Result, kernel: Kernel, unruly: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LD_PRELOAD", str(unruly))
    again = short(1, kernel)
    assert first_difference(once.report, again.report) == ""
    assert once.subjects[0].mode == "hosted"
    assert len(once.samples["loaded"]) > 10


@pytest.mark.slow
@pytest.mark.parametrize("cpus", [1, 2, 4])
def test_twenty_runs_give_one_hash_while_the_host_is_busy(cpus: int, kernel: Kernel) -> None:
    busy = [subprocess.Popen([program("busybox"), "sh", "-c", "while :; do :; done"]) for _ in "ab"]
    phases = (Phase("idle", 100), *SHORT)
    try:
        with ThreadPoolExecutor(2) as side_by_side:
            made = [
                side_by_side.submit(cell, "simple", cpus=cpus, kernel=kernel, phases=phases)
                for _ in range(20)
            ]
            assert len({one.result().samples_sha256 for one in made}) == 1
    finally:
        for process in busy:
            process.kill()
            process.wait()


def test_another_seed_gives_others(once: Result, kernel: Kernel) -> None:
    other = short(2, kernel)
    assert other.samples_sha256 != once.samples_sha256
    assert other.samples["loaded"] != once.samples["loaded"]


@pytest.mark.slow
def test_input_latency_is_measured_under_the_gate(kernel: Kernel, tmp_path: Path) -> None:
    what = Matrix(
        schedulers=("simple",),
        workloads=("input",),
        kernels=(kernel.version,),
        cpus=(2,),
        modes=("hosted", "direct"),
        reps=1,
        seconds=0.3,
    )
    hosted, direct = bench.run(Request(what), jobs=2, say=print).document.runs
    assert (hosted.status, direct.status) == ("done", "done")
    assert hosted.identical_twice
    assert hosted.metrics["p50_ns"] > hosted.metrics["stage_kernel_ns"] > 0
    assert hosted.samples_sha256 != direct.samples_sha256


def test_a_real_time_sleeper_is_the_floor(once: Result) -> None:
    found = once.metrics
    assert 0 < found["floor_p50_ns"] < found["p50_ns"]
    assert found["hog_share_least"] > 0.5


def test_a_refused_scheduler_is_told_in_one_sentence(kernel: Kernel) -> None:
    with pytest.raises(VmError) as raised:
        cell(str(PROGRAMS / "refused.bpf.c"), cpus=1, kernel=kernel, phases=SHORT)
    text = str(raised.value)
    assert "the kernel refused refused: Permission denied" in text
    assert "scxhid vm run -- scxhid check" in text
    assert len(text.splitlines()) == 1


@pytest.mark.slow
def test_policies_take_turns_while_a_sleeper_is_watched(kernel: Kernel) -> None:
    swaps = gapless("simple", "simple:fifo=1", swaps=10, cpus=1, kernel=kernel)
    assert 8 <= len(swaps.with_ns) <= 10
    assert swaps.worst_with_ns > 0
    assert all(took > 0 for took in swaps.took_ns)


def test_what_a_program_says_comes_back(once: Result) -> None:
    assert once.report.said == ["a word"]


def test_an_interrupted_benchmark_leaves_nothing_behind(tmp_path: Path, kernel: Kernel) -> None:
    out = tmp_path / "out.json"
    scxhid = Path(sys.executable).parent / "scxhid"
    words = ["bench", "run", "--exact", "--sched", "kernel", "--cpus", "1", "-o", str(out)]
    process = subprocess.Popen(
        [str(scxhid), *words, "--kernel", kernel.version],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd=REPOSITORY,
    )
    machines: list[int] = []
    deadline = time.monotonic() + 30
    while not machines and time.monotonic() < deadline:
        time.sleep(0.1)
        machines = machines_of(process.pid)
    assert machines
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=20) == 130
    assert gone_within(2, machines)
    assert not out.exists()


def gone_within(seconds: float, pids: list[int]) -> bool:
    """Whether none is left. Whose parent has ended is reaped by somebody else, when that runs."""
    deadline = time.monotonic() + seconds
    while left := [pid for pid in pids if os.path.exists(f"/proc/{pid}")]:
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return not left


def machines_of(parent: int) -> list[int]:
    """The virtual machines that are children of ``parent``; QEMU asked for its version is none."""
    found: list[int] = []
    for directory in Path("/proc").iterdir():
        if directory.name.isdigit():
            try:
                name, _, rest = (directory / "stat").read_text().rpartition(")")
            except OSError:
                continue
            if "qemu" not in name or int(rest.split()[1]) != parent:
                continue
            with contextlib.suppress(OSError):
                if b"-kernel" in (directory / "cmdline").read_bytes():
                    found.append(int(directory.name))
    return found
