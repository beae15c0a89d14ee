"""Exact runs: the same seed gives the same samples, another seed others, and failures are told."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.vm.started import REPOSITORY
from vm.errors import VmError
from vm.exact.plan import Phase
from vm.exact.run import Result, cell, session
from vm.exact.subject import subject
from vm.exact.swaps import gapless
from vm.kernels import Kernel
from vm.programs import program

PROGRAMS = REPOSITORY / "tests" / "programs"
SHORT = (Phase("loaded", 200, hogs=2), Phase("floor", 60, hogs=2, fifo=True))


def short(seed: int, kernel: Kernel, *, gate: bool) -> Result:
    busybox = Path(program("busybox")).read_bytes()
    return session(
        [subject("simple")],
        [*(phase.line(2) for phase in SHORT), "run /files/busybox echo a word"],
        cpus=2,
        seed=seed,
        kernel=kernel,
        gate=gate,
        files={"busybox": busybox},
    )


@pytest.fixture(scope="module")
def twice(kernel: Kernel) -> Result:
    """One seed, run twice by the gate: it raises if one sample differs."""
    return short(1, kernel, gate=True)


def test_the_same_seed_gives_the_same_samples(twice: Result) -> None:
    assert twice.identical_twice
    assert twice.subjects[0].mode == "hosted"
    assert len(twice.samples["loaded"]) > 10


def test_another_seed_gives_others(twice: Result, kernel: Kernel) -> None:
    other = short(2, kernel, gate=False)
    assert other.samples_sha256 != twice.samples_sha256
    assert other.samples["loaded"] != twice.samples["loaded"]


def test_a_real_time_sleeper_is_the_floor(twice: Result) -> None:
    found = twice.metrics
    assert 0 < found["floor_p50_ns"] < found["p50_ns"]
    assert found["hog_share_least"] > 0.5


def test_a_refused_scheduler_is_told_in_one_sentence(kernel: Kernel) -> None:
    with pytest.raises(VmError) as raised:
        cell(str(PROGRAMS / "refused.bpf.c"), cpus=1, kernel=kernel, phases=SHORT)
    text = str(raised.value)
    assert "the kernel refused refused: Permission denied" in text
    assert "scxhid vm run -- scxhid check" in text
    assert len(text.splitlines()) == 1


def test_policies_take_turns_while_a_sleeper_is_watched(kernel: Kernel) -> None:
    swaps = gapless("simple", "simple:fifo=1", swaps=10, cpus=1, kernel=kernel)
    assert 8 <= len(swaps.with_ns) <= 10
    assert swaps.worst_with_ns > 0
    assert all(took > 0 for took in swaps.took_ns)


def test_what_a_program_says_comes_back(twice: Result) -> None:
    assert twice.report.said == ["a word"]


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
    assert not [pid for pid in machines if os.path.exists(f"/proc/{pid}")]
    assert not out.exists()


def machines_of(parent: int) -> list[int]:
    """The QEMU processes that are children of ``parent``."""
    found: list[int] = []
    for directory in Path("/proc").iterdir():
        if directory.name.isdigit():
            try:
                name, _, rest = (directory / "stat").read_text().rpartition(")")
            except OSError:
                continue
            if "qemu" in name and int(rest.split()[1]) == parent:
                found.append(int(directory.name))
    return found
