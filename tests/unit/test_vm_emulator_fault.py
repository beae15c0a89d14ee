"""A guest that emulation itself crashed goes on in another; any other loss is a loss."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from vm import guest_tests, machine
from vm.bench import guest
from vm.errors import VmLost

INT3 = "[  125.506572] Oops: int3: 0000 [#1] SMP NOPTI\n"
OTHER = "[  125.506572] Oops: 0002 [#1] SMP NOPTI\n"
KVM = "[    0.000000] Hypervisor detected: KVM\n"
JUNIT = '<testsuites><testsuite tests="1"><testcase/></testsuite></testsuites>'


def losses(
    monkeypatch: pytest.MonkeyPatch, root: Path, *logs: str
) -> tuple[guest_tests.Outcome, list[str], int]:
    """Outcome, words and number of boots when machines are lost with these logs, one after the
    other, and the one after the last is not lost."""
    left = list(logs)
    boots: list[int] = []
    told: list[str] = []

    def run(*_: Any, log_path: Path, environment: dict[str, str], **__: Any) -> Any:
        boots.append(1)
        if left:
            with Path(environment[guest_tests.PASSED_VARIABLE]).open("a") as passed:
                passed.write("a.py::one\na.py::two\n")
            log_path.write_text(left.pop(0))
            raise VmLost("lost", log_path, [])
        log_path.write_text("")
        (log_path.with_suffix(".xml")).write_text(JUNIT)
        return SimpleNamespace(status=0, seconds=1.0, boot_to_command_s=1.0, accel="tcg")

    monkeypatch.setattr(machine, "run", run)
    monkeypatch.setattr(guest_tests, "checkout", lambda: root)
    kernel: Any = SimpleNamespace(version="7.3.4")
    outcome = guest_tests.run_tests(kernel, say=told.append)
    return outcome, told, len(boots)


def test_a_crash_by_the_emulator_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    outcome, told, boots = losses(monkeypatch, tmp_path, INT3)
    assert (outcome.lost, outcome.status, boots) == ("", 0, 2)
    assert "once more, without the 2 tests that have passed" in told[0]
    assert outcome.passed == 2 + 1
    assert 'classname="a" name="two"' in outcome.junit.read_text()


@pytest.mark.parametrize(
    ("logs", "boots"),
    [([INT3] * 3, 3), ([INT3, OTHER], 2), ([OTHER], 1), ([KVM + INT3], 1)],
)
def test_any_other_loss_is_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, logs: list[str], boots: int
) -> None:
    outcome, _, booted = losses(monkeypatch, tmp_path, *logs)
    assert (outcome.status, booted) == (124, boots)


@pytest.mark.parametrize(("logs", "boots"), [([INT3], 2), ([INT3, INT3], 2), ([OTHER], 1)])
def test_a_benchmark_is_tried_once_more_after_such_a_crash_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, logs: list[str], boots: int
) -> None:
    left, booted = list(logs), []

    def run(*_: Any, **__: Any) -> Any:
        booted.append(1)
        if not left:
            answer = b'{"samples": {"a": [1]}, "kernel": "7.3.4"}'
            return SimpleNamespace(status=0, stdout=answer, stderr=b"", accel="tcg")
        log = tmp_path / "log"
        log.write_text(left.pop(0))
        raise VmLost("lost", log, [])

    monkeypatch.setattr(machine, "run", run)
    monkeypatch.setattr(guest.compileall, "compile_dir", lambda *_, **__: True)
    if len(logs) < boots:
        assert guest.sample_inside(["any"], cpus=2).samples == {"a": [1]}
    else:
        with pytest.raises(VmLost):
            guest.sample_inside(["any"], cpus=2)
    assert len(booted) == boots
