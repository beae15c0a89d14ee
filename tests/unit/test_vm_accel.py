"""KVM is believed after a trial boot, and the answer is kept."""

from __future__ import annotations

from pathlib import Path

import pytest

from pyloader.errors import Unsupported, WrongUse
from vm import accel
from vm.errors import VmLost
from vm.kernels import Kernel

KERNEL = Kernel("7.3.4", Path("/k"), Path("/m"), Path("/d"))


class Trial:
    def __init__(self) -> None:
        self.boots = 0
        self.works = True

    def __call__(self, kernel: Kernel, **_: object) -> None:
        self.boots += 1
        if not self.works:
            raise VmLost("kernel 7.3.4 on kvm ran no program; try another", Path("/log"), ["x"])


@pytest.fixture(autouse=True)
def trial(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Trial:
    made = Trial()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.delenv(accel.ACCEL_VARIABLE, raising=False)
    monkeypatch.setattr(accel, "bare_boot", made)
    monkeypatch.setattr(accel, "qemu_version", lambda: (10, 0, 2))
    monkeypatch.setattr(accel.os.path, "exists", lambda path: True)
    monkeypatch.setattr(accel.os, "access", lambda path, mode: True)
    return made


def test_kvm_that_works_is_found_out_once(trial: Trial) -> None:
    assert accel.remembered_kvm() is None
    assert [accel.resolve("auto", KERNEL) for _ in range(3)] == ["kvm"] * 3
    assert trial.boots == 1
    assert accel.remembered_kvm() is True


def test_kvm_that_is_broken_means_emulation_and_is_tried_once(trial: Trial) -> None:
    trial.works = False
    assert [accel.resolve("auto", KERNEL) for _ in range(3)] == ["tcg"] * 3
    assert trial.boots == 1
    assert accel.remembered_trouble() == "kernel 7.3.4 on kvm ran no program"


def test_another_qemu_is_another_question(trial: Trial, monkeypatch: pytest.MonkeyPatch) -> None:
    trial.works = False
    accel.resolve("auto", KERNEL)
    trial.works = True
    monkeypatch.setattr(accel, "qemu_version", lambda: (11, 0, 0))
    assert accel.resolve("auto", KERNEL) == "kvm"


def test_demanding_a_broken_kvm_is_refused_with_the_reason(trial: Trial) -> None:
    trial.works = False
    with pytest.raises(Unsupported, match="ran no program; use --accel tcg"):
        accel.resolve("kvm", KERNEL)


def test_emulation_can_be_demanded_and_tries_nothing(
    trial: Trial, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert accel.resolve("tcg", KERNEL) == "tcg"
    monkeypatch.setenv(accel.ACCEL_VARIABLE, "tcg")
    assert accel.resolve("auto", KERNEL) == "tcg"
    assert trial.boots == 0


def test_a_machine_without_the_device_boots_nothing(
    trial: Trial, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(accel.os.path, "exists", lambda path: False)
    assert accel.resolve("auto", KERNEL) == "tcg"
    assert accel.remembered_kvm() is False
    assert trial.boots == 0


def test_another_word_is_wrong_use(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(accel.ACCEL_VARIABLE, "fast")
    with pytest.raises(WrongUse, match="'fast' is no accelerator"):
        accel.resolve("auto", KERNEL)
