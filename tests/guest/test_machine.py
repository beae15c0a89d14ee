"""What the machine may lack or do: privilege, the BPF file system, disk space, CPUs that go."""

from __future__ import annotations

import importlib
import os
import pkgutil
import subprocess
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

import pyloader
from tests.guest import kernel
from tests.guest.command import Outcome, done, sched_status, scxhid, use
from tests.guest.conftest import Program
from tests.guest.processes import forked, hogs
from tests.guest.running import HOST_OPS, policy

NOBODY = 65534
CPU1 = Path("/sys/devices/system/cpu/cpu1/online")


def as_nobody(*words: str) -> Outcome:
    """The command in another process, of a user without any privilege."""

    # That user may not be able to read the checkout.
    for module in pkgutil.walk_packages(pyloader.__path__, "pyloader."):
        if "._" not in module.name:
            importlib.import_module(module.name)

    def run() -> Outcome:
        os.setgroups([])
        os.setgid(NOBODY)
        os.setuid(NOBODY)
        return scxhid(*words)

    return forked(run)


@pytest.mark.parametrize(
    "words", [["use", "SIMPLE"], ["stop"], ["back"], ["set", "slice_us=1000"], ["knobs"], ["stats"]]
)
def test_without_root_it_is_refused_in_one_sentence(simple: str, words: list[str]) -> None:
    use(simple)
    before = kernel.enable_seq()
    outcome = as_nobody("sched", *(simple if word == "SIMPLE" else word for word in words))
    assert outcome.status == 4, outcome
    assert len(outcome.errors) == 1
    assert "run scxhid as root" in outcome.err or "run it as root" in outcome.err
    assert (policy(), kernel.enable_seq()) == ("simple", before)


def test_without_root_nothing_is_attached(simple: str) -> None:
    outcome = as_nobody("sched", "use", simple)
    assert outcome.status == 4
    assert len(outcome.errors) == 1
    assert kernel.state() == "disabled"


def test_without_root_status_still_tells_what_runs(simple: str) -> None:
    assert as_nobody("status").status == 0
    use(simple)
    outcome = as_nobody("status")
    assert outcome.status == 0
    assert HOST_OPS in outcome.out
    assert "run it as root" in outcome.out
    assert "attached by whom only root can see" in outcome.out
    found = as_nobody("status", "--json").json["sched"]
    assert (found["ops"], found["mode"]) == (HOST_OPS, None)


def test_without_root_a_scheduler_still_tells_about_itself(simple: str) -> None:
    assert "slice_us" in as_nobody("sched", "info", simple).out


def test_an_object_that_the_user_may_not_read(simple: str, tmp_path: Path) -> None:
    hidden = tmp_path / "hidden"
    hidden.mkdir(mode=0o700)
    outcome = as_nobody("sched", "use", str(hidden / "simple.bpf.o"))
    assert outcome.status in (1, 4)
    assert len(outcome.errors) == 1


@contextmanager
def without_bpffs() -> Generator[None]:
    subprocess.run(["umount", str(kernel.BPF_FS)], check=True)
    try:
        yield
    finally:
        subprocess.run(
            ["mount", "-t", "bpf", "-o", "mode=0700", "bpf", str(kernel.BPF_FS)], check=True
        )


def test_without_a_bpf_file_system_the_command_that_mends_it_is_told(simple: str) -> None:
    with without_bpffs():
        outcome = scxhid("sched", "use", simple)
        assert outcome.status == 3
        assert f"mount -t bpf bpf {kernel.BPF_FS}" in outcome.err
        assert len(outcome.errors) == 1
        assert kernel.state() == "disabled"
        assert sched_status()["mode"] == "none"
    use(simple)


@pytest.fixture
def full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Generator[Path]:
    """History, object copies and the lock on a file system without a free block."""
    full = tmp_path / "full"
    full.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4k", "full", str(full)], check=True)
    (full / "fill").write_bytes(bytes(4096))
    monkeypatch.setenv("SCXHID_RUN_DIR", str(full / "run"))
    monkeypatch.setenv("SCXHID_STATE_DIR", str(full / "state"))
    yield full
    subprocess.run(["umount", str(full)], check=True)


@pytest.mark.usefixtures("full_disk")
def test_a_full_disk_does_not_stand_in_the_way(simple: str, program: Program) -> None:
    use(simple, "slice_us=3000")
    use(program("exits_by_itself"))
    done("sched", "back")
    assert sched_status()["knobs_changed"] == {"slice_us": 3000}
    done("sched", "set", "slice_us=2000")
    assert done("sched", "log").out == "nothing yet\n"
    outcome = scxhid("sched", "set", "fifo=on")  # there is no copy to load afresh
    assert outcome.status == 1
    assert "scxhid sched use simple KNOB=VALUE" in outcome.err
    assert policy() == "simple"
    done("sched", "stop")


@pytest.fixture
def one_cpu_less() -> Generator[None]:
    if not CPU1.exists():
        pytest.skip("the machine has one CPU, or none that can be taken off")
    yield
    CPU1.write_text("1")


@pytest.mark.smoke
@pytest.mark.usefixtures("one_cpu_less")
def test_a_cpu_that_goes_and_comes_back_does_not_end_it(simple: str) -> None:
    use(simple)
    before = kernel.enable_seq()
    with hogs():
        for _ in range(2):
            CPU1.write_text("0")
            time.sleep(0.5)
            CPU1.write_text("1")
            time.sleep(0.5)
    assert (policy(), kernel.enable_seq()) == ("simple", before)
    assert sched_status()["last_exit"] is None


@pytest.mark.ejects
@pytest.mark.usefixtures("one_cpu_less")
def test_a_scheduler_without_hotplug_callbacks_is_ended_and_says_so(program: Program) -> None:
    use(program("error"))
    CPU1.write_text("0")
    kernel.wait_disabled()
    exit_ = sched_status()["last_exit"]
    assert exit_["name"] == "error"
    assert exit_["kind_name"] == "unreg_kern"
    assert exit_["message"] == "cpu 1 going offline, exiting scheduler"
