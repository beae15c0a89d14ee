"""The demo from end to end, as a user starts it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.vm.started import Running
from vm.demo_steps import STEPS
from vm.kernels import Kernel

SCXHID = Path(sys.executable).parent / "scxhid"


def run_demo(*words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [SCXHID, "demo", *words],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
        cwd=cwd,
    )


@pytest.mark.slow
def test_every_step_does_what_it_should_and_leaves_its_figures(tmp_path: Path) -> None:
    done = run_demo("-o", "figures.json", cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    document: dict[str, Any] = json.loads((tmp_path / "figures.json").read_text())
    assert list(document) == ["kernel", "cpus", "accel", "seconds", "steps"]
    assert document["cpus"] == 4
    assert document["accel"] in ("kvm", "tcg")
    assert document["seconds"] > 0
    assert [step["name"] for step in document["steps"]] == [step.name for step in STEPS]
    for step in document["steps"]:
        assert list(step) == ["name", "ok", "figures"]
        assert step["ok"] is True
        assert step["figures"]
        assert all(type(value) in (int, float) for value in step["figures"].values())
    # The viewer saw the commands and the reasons, plainly: this is a pipe.
    for words in (
        "$ scxhid sched use simple fifo=on",
        "$ scxhid sched set slice_us=1ms",
        "stall was thrown out",
        "simple was put back",
        "refused.bpf.c:",
        f"All {len(STEPS)} steps did what they should",
    ):
        assert words in done.stdout
    assert "\x1b" not in done.stdout
    assert not done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["figures.json"]


def test_ctrl_c_ends_the_machine(tmp_path: Path, kernel: Kernel) -> None:
    cache = tmp_path / "cache" / "scxhid"
    cache.mkdir(parents=True)
    for name in ("kernels", "derived", "kvm.json"):
        (cache / name).symlink_to(kernel.derived.parent.parent / name)
    process = subprocess.Popen(
        [SCXHID, "demo"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        cwd=tmp_path,
        env={**os.environ, "XDG_CACHE_HOME": str(cache.parent)},
    )
    run = Running(str(cache), process)  # the machine's files are in the cache directory
    try:
        assert run.wait_for_machines(1)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=30)
        assert process.returncode == 130
        assert run.wait_for_machines(0, timeout_s=5)
        assert b"Traceback" not in said
        assert not list(tmp_path.rglob("demo.json"))
    finally:
        process.kill()
        for machine in run.machines():
            os.kill(machine, signal.SIGKILL)


@pytest.mark.parametrize(
    ("words", "status", "sentence"),
    [
        (("--kernel", "1.2.3"), 125, "no kernel 1.2.3 is offered"),
        (("--kernel", "./nothing"), 125, "there is no kernel image"),
        (("--kernel", sys.executable), 125, "is no x86 kernel image"),
        (("-o", "/dev/null/demo.json"), 1, "cannot be written"),
        (("-o", os.fspath(Path(__file__).parent)), 1, "cannot be written"),
    ],
)
def test_a_wrong_wish_is_one_sentence_and_starts_nothing(
    tmp_path: Path, words: tuple[str, ...], status: int, sentence: str
) -> None:
    done = run_demo(*words, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (status, "")
    assert sentence in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert not list(tmp_path.rglob("*.json"))
